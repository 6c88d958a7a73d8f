"""One issued clip, as the ledger keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vidigree.media.errors import CredentialsError

__all__ = ["LedgerEntry", "manifest_id_of"]

_MAX_MANIFEST_ID = 256


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """What was issued. Holds the SHA-256 of the prompt, not the prompt itself.

    Attributes:
        clip_id: 64-bit id that the pixel mark carries, 0 to 2**64 - 1.
        key_id: Mark key that it was made with.
        method: Watermark method.
        manifest_store: The signed C2PA manifest store, as it stands in the file.
        fingerprint: Bytes of :class:`vidigree.watermark.fingerprint.Fingerprint`.
        created_at: Time of issue, with a time zone.
        engine: Engine that made the clip.
        model: Model name; empty if none.
        request_hash: SHA-256 of the prompt, by which a short one can be guessed; empty if none.
        duration: Seconds.
        file: Absolute path where the clip was written first, which may hold a user name; empty if
            the caller does not want it kept.
        confirmed: Whether the file is known to be in place; False while a stamp is at work, and
            after one that was killed.
    """

    clip_id: int
    key_id: str
    method: str
    manifest_store: bytes
    fingerprint: bytes
    created_at: datetime
    engine: str = ""
    model: str = ""
    request_hash: str = ""
    duration: float = 0.0
    file: str = ""
    confirmed: bool = True

    @property
    def manifest_id(self) -> str:
        """Label of the active manifest, e.g. ``urn:c2pa:...``; empty if the store has none."""
        return manifest_id_of(self.manifest_store)

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as JSON values; of the two binary fields only the size."""
        return {
            "clip_id": f"{self.clip_id:016x}",
            "key_id": self.key_id,
            "method": self.method,
            "manifest_id": self.manifest_id,
            "manifest_bytes": len(self.manifest_store),
            "fingerprint_bytes": len(self.fingerprint),
            "created_at": self.created_at.isoformat(),
            "engine": self.engine,
            "model": self.model,
            "request_hash": self.request_hash,
            "duration": self.duration,
            "file": self.file,
            "confirmed": self.confirmed,
        }


def manifest_id_of(store: bytes) -> str:
    """Return the label of the active manifest of a store, empty if there is none to be read."""
    from vidigree.watermark.credentials.jumbf import stored_manifests

    try:
        manifests = stored_manifests(store)
    except CredentialsError:
        return ""
    return manifests[-1].label[:_MAX_MANIFEST_ID] if manifests else ""
