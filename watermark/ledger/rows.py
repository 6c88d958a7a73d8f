"""Ledger entries as rows of the table, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.engine import Row

from vidigree.media.errors import UsageError
from vidigree.watermark.ledger.codes import codes_of
from vidigree.watermark.ledger.entry import LedgerEntry

__all__ = ["row_entry", "row_values", "signed"]

_SIGN_BIT = 1 << 63


def signed(clip_id: int) -> int:
    """Return a clip id as the signed integer that SQL can keep.

    Raises:
        UsageError: It does not have 64 bits.
    """
    if not 0 <= clip_id < 2 * _SIGN_BIT:
        raise UsageError(f"A clip id has 64 bits; {clip_id} does not fit.")
    return clip_id - 2 * _SIGN_BIT if clip_id & _SIGN_BIT else clip_id


def row_values(entry: LedgerEntry) -> dict[str, Any]:
    """Return the columns of an entry.

    Raises:
        UsageError: The clip id does not have 64 bits, or the time of issue has no zone.
    """
    if entry.created_at.tzinfo is None:
        raise UsageError("The time of issue needs a time zone.")
    return {
        "clip_id": signed(entry.clip_id),
        "key_id": entry.key_id,
        "method": entry.method,
        "manifest_store": entry.manifest_store,
        "fingerprint": entry.fingerprint,
        "created_at": entry.created_at.astimezone(UTC),
        "engine": entry.engine,
        "model": entry.model,
        "request_hash": entry.request_hash,
        "duration": float(entry.duration),
        "file": entry.file,
        "manifest_id": entry.manifest_id,
        "confirmed": entry.confirmed,
        "codes": codes_of(entry.fingerprint),
    }


def row_entry(row: Row[Any]) -> LedgerEntry:
    """Return the entry of a row."""
    created_at: datetime = row.created_at
    return LedgerEntry(
        clip_id=row.clip_id % (2 * _SIGN_BIT),
        key_id=row.key_id,
        method=row.method,
        manifest_store=bytes(row.manifest_store),
        fingerprint=bytes(row.fingerprint),
        # SQLite forgets the zone; what was written is UTC.
        created_at=created_at.replace(tzinfo=UTC) if created_at.tzinfo is None else created_at,
        engine=row.engine,
        model=row.model,
        request_hash=row.request_hash,
        duration=row.duration,
        file=row.file,
        confirmed=row.confirmed,
    )
