"""One issued clip, as the ledger keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

__all__ = ["LedgerEntry"]


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """What was issued. Holds no prompt and nothing about a person.

    Attributes:
        clip_id: 64-bit id that the pixel mark carries, 0 to 2**64 - 1.
        key_id: Mark key that it was made with.
        method: Watermark method.
        manifest_store: The signed C2PA manifest store, as it stands in the file.
        fingerprint: Bytes of :class:`vidigree.watermark.fingerprint.Fingerprint`.
        created_at: Time of issue, with a time zone.
        engine: Engine that made the clip.
        model: Model name; empty if none.
        request_hash: Hash of the request; empty if none.
        duration: Seconds.
        file: Where the clip was written first; empty if the caller does not want it kept.
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

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as JSON values; of the two binary fields only the size."""
        return {
            "clip_id": f"{self.clip_id:016x}",
            "key_id": self.key_id,
            "method": self.method,
            "manifest_bytes": len(self.manifest_store),
            "fingerprint_bytes": len(self.fingerprint),
            "created_at": self.created_at.isoformat(),
            "engine": self.engine,
            "model": self.model,
            "request_hash": self.request_hash,
            "duration": self.duration,
            "file": self.file,
        }
