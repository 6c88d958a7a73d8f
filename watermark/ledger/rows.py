"""Ledger entries as rows of the table, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.engine import Row

from vidigree.media.errors import LedgerError, UsageError, VidigreeError
from vidigree.watermark.ledger.codes import codes_of
from vidigree.watermark.ledger.entry import LedgerEntry

__all__ = ["row_entry", "row_values", "signed", "understood_rows"]

_SIGN_BIT = 1 << 63
_TEXTS = ("key_id", "method", "engine", "model", "request_hash", "file")


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
    """Return the entry of a row.

    Raises:
        ValueError: It is none that a ledger wrote.
        TypeError: Likewise.
    """
    created_at: datetime = row.created_at
    if not isinstance(row.clip_id, int):
        raise TypeError(f"the clip id {row.clip_id!r} is no number")
    return LedgerEntry(
        clip_id=row.clip_id % (2 * _SIGN_BIT),
        manifest_store=bytes(row.manifest_store),
        fingerprint=bytes(row.fingerprint),
        # SQLite forgets the zone; what was written is UTC.
        created_at=created_at.replace(tzinfo=UTC) if created_at.tzinfo is None else created_at,
        duration=float(row.duration),
        confirmed=row.confirmed,
        **{name: _text(row, name) for name in _TEXTS},
    )


def _text(row: Row[Any], name: str) -> str:
    value = getattr(row, name)
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"the {name} {value!r} is no text")
    return value


@contextmanager
def understood_rows() -> Iterator[None]:
    """Raise as ours what goes wrong where a row is read that no ledger wrote.

    SQLite takes any value in any column, from whoever writes to the file by other means.

    Raises:
        LedgerError: A row cannot be understood.
    """
    try:
        yield
    except VidigreeError:
        raise
    except (TypeError, ValueError) as error:
        raise LedgerError(
            f"The ledger holds a row that it did not write: {error}.",
            hint="Correct or delete the row with the database's own tools, or restore a backup.",
        ) from error
