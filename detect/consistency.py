"""Compares the layers: does the manifest belong to the mark, does a capture claim stand?

Each layer can be right on its own and the whole still be false: a genuine manifest on another
clip, a genuine mark pasted on other footage, a capture claim signed over a generator's clip.
"""

from __future__ import annotations

import re

from vidigree.detect.evidence import Evidence
from vidigree.detect.readings import CredentialsLike, LedgerReading, NotChecked, Readings
from vidigree.watermark.method import MarkReading

__all__ = ["consistency_evidence"]

_CLIP_ID = re.compile(r"[0-9a-f]{16}$")


def consistency_evidence(readings: Readings) -> list[Evidence]:
    """Compare the readings of one clip.

    Args:
        readings: What every layer read.

    Returns:
        One piece of evidence for every agreement or contradiction between two layers.
    """
    credentials = readings.credentials
    if isinstance(credentials, NotChecked) or credentials.status != "present":
        return []
    marks = () if isinstance(readings.marks, NotChecked) else readings.marks
    ledger = LedgerReading() if isinstance(readings.ledger, NotChecked) else readings.ledger
    found = [reading for reading in marks if reading.present]
    evidence = _binding(credentials, found, looked=bool(marks))
    if credentials.claimed_source == "captured":
        evidence.extend(_capture_claim(found, ledger))
    return evidence


def bound_clip_ids(credentials: CredentialsLike) -> set[str]:
    """Return the clip ids, 16 hex digits, that the manifest binds itself to by a mark of ours."""
    return {
        match[0]
        for binding in credentials.soft_bindings
        if "vidigree" in binding.alg.lower() and (match := _CLIP_ID.search(binding.value.lower()))
    }


def _binding(
    credentials: CredentialsLike, found: list[MarkReading], *, looked: bool
) -> list[Evidence]:
    bound = bound_clip_ids(credentials)
    if not bound:
        return []
    messages = {f"{reading.message:016x}" for reading in found if reading.message is not None}
    values = {"bound": ", ".join(sorted(bound)), "read": ", ".join(sorted(messages))}
    if messages & bound:
        return [Evidence(code="consistency.binding-confirmed", values=values)]
    if messages:
        return [Evidence(code="consistency.binding-mismatch", values=values)]
    if looked and not found:
        return [Evidence(code="consistency.binding-missing", values=values)]
    return []


def _capture_claim(found: list[MarkReading], ledger: LedgerReading) -> list[Evidence]:
    # A recording that was only stamped carries a mark too; then the ledger says so, and the mark
    # does not speak against the claim.
    if _stamped_only(found, ledger):
        return []
    if found:
        return [
            Evidence(
                code="consistency.capture-over-mark",
                p_value=min(reading.p_value for reading in found),
                values={"key_id": found[0].key_id or ""},
            )
        ]
    if ledger.found_by == "fingerprint" and ledger.same_content:
        return [
            Evidence(
                code="consistency.capture-over-ledger",
                similarity=ledger.similarity,
                values={"clip_id": ledger.clip_id or ""},
            )
        ]
    return []


def _stamped_only(found: list[MarkReading], ledger: LedgerReading) -> bool:
    """Say whether the ledger knows every mark, or the clip itself, as not generated."""
    known = {one.clip_id for one in ledger.all if one.found_by != "none" and not one.generated}
    if ledger.found_by == "fingerprint":
        return not ledger.generated
    return bool(found) and all(
        reading.message is not None and f"{reading.message:016x}" in known for reading in found
    )
