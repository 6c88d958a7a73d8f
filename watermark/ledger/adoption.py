"""Record a finished file again, from what it says itself: for ledgers that lost their rows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from vidigree.media.errors import LedgerError
from vidigree.media.reading import probe_container
from vidigree.watermark.credentials import (
    SOFT_BINDING_ALGORITHM,
    CredentialsReading,
    SoftBinding,
    TrustSettings,
    read_credentials,
)
from vidigree.watermark.credentials.embedding import embedded_store
from vidigree.watermark.credentials.manifest import marked_clip_id
from vidigree.watermark.fingerprint import Fingerprint, fingerprint_video
from vidigree.watermark.ledger.entry import LedgerEntry

__all__ = ["adopted_entry", "bound_clip_id"]

_METHOD = "robust"


def bound_clip_id(path: Path) -> int | None:
    """Return the clip id that a file's credentials bind to its mark; ``None`` without one.

    What the credentials say is not checked here.

    Raises:
        MediaError: The file cannot be read.
    """
    binding = _binding(read_credentials(path, trust=TrustSettings()))
    return None if binding is None else marked_clip_id(binding.value)


def adopted_entry(path: Path, *, trust: TrustSettings) -> LedgerEntry:
    """Return the entry that a file would have had, if its own signer vouches for it.

    The hash of the request is not in the file and stays empty.

    Args:
        path: A stamped file.
        trust: Whom to believe; the signer must be this machine's own or on a list.

    Raises:
        LedgerError: The file was altered, or its signer is not trusted, or it has no mark.
        MediaError: The file cannot be read.
    """
    reading = read_credentials(path, trust=trust)
    binding, store = _binding(reading), embedded_store(path)
    clip_id = None if binding is None else marked_clip_id(binding.value)
    if binding is None or store is None or clip_id is None:
        raise LedgerError(f"{path} was not stamped: its credentials bind no mark.")
    if reading.integrity != "intact" or reading.signer_trust != "trusted":
        raise LedgerError(
            f"{path} is not recorded: integrity {reading.integrity}, "
            f"signer {reading.signer_trust}.",
            hint="Only intact files are recorded whose signer is trusted (`vidigree keys show`).",
        )
    fingerprint, duration = _look_at(path)
    agents = [action.software_agent for action in reading.actions if action.software_agent]
    return LedgerEntry(
        clip_id=clip_id,
        key_id=binding.value.rpartition(":")[0],
        method=_METHOD,
        manifest_store=store,
        fingerprint=fingerprint.to_bytes(),
        created_at=reading.signed_at or _modified_at(path),
        engine=agents[0] if agents else "",
        duration=duration,
        file=str(path.absolute()),
    )


def _binding(reading: CredentialsReading) -> SoftBinding | None:
    for binding in reading.soft_bindings:
        if binding.alg == SOFT_BINDING_ALGORITHM:
            return binding
    return None


def _look_at(path: Path) -> tuple[Fingerprint, float]:
    """Return fingerprint and duration in seconds."""
    return fingerprint_video(path), float(probe_container(path).duration or 0)


def _modified_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
