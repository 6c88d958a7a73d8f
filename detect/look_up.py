"""The ledger layer: was this clip issued here, and does what was issued look like it?"""

from __future__ import annotations

from vidigree.detect.evidence import Evidence
from vidigree.detect.readings import LedgerReading

__all__ = ["ledger_evidence"]


def ledger_evidence(reading: LedgerReading, *, marked: bool) -> list[Evidence]:
    """Turn a ledger reading into evidence.

    Args:
        reading: What the ledger knows.
        marked: Whether a mark with a readable message was found in the pixels.

    Returns:
        Evidence for the entry found and what its manifest claims, or one piece that says that
        there is no entry.
    """
    if reading.found_by == "none":
        return [Evidence(code="ledger.mark-unknown" if marked else "ledger.nothing")]
    evidence = [
        Evidence(
            code=_entry_code(reading),
            similarity=reading.similarity,
            values={
                "clip_id": reading.clip_id or "",
                "engine": reading.engine,
                "model": reading.model,
                "issued_at": reading.issued_at or "",
                "source": reading.claimed_source,
            },
        )
    ]
    if reading.claimed_source == "captured" and reading.same_content is not False:
        evidence.append(Evidence(code="ledger.says-captured"))
    return evidence


def _entry_code(reading: LedgerReading) -> str:
    if reading.found_by == "fingerprint":
        return "ledger.entry-by-fingerprint"
    if reading.same_content is None:
        return "ledger.entry-unverified"
    return "ledger.entry-by-mark" if reading.same_content else "ledger.transplanted"
