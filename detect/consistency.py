"""Compares the layers: does the manifest belong to the mark, does a capture claim stand?

Each layer can be right on its own and the whole still be false: a genuine manifest on another
clip, a genuine mark pasted on other footage, a capture claim signed over a generator's clip.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vidigree.detect.evidence import Evidence
from vidigree.detect.readings import (
    CredentialsLike,
    IngredientLike,
    LedgerReading,
    NotChecked,
    Readings,
    SoftBindingLike,
)
from vidigree.watermark.credentials.manifest import marked_clip_id
from vidigree.watermark.method import MarkReading

__all__ = ["consistency_evidence"]

# Of any version; our fingerprint is a soft binding too, and names no clip.
_OUR_MARKS = "org.vidigree.robust."


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


def _bound_clip_ids(credentials: CredentialsLike) -> set[str]:
    """Return the clip ids, 16 hex digits, that the manifest binds itself to by a mark of ours."""
    return _named(credentials.soft_bindings)


def _named(bindings: Sequence[SoftBindingLike]) -> set[str]:
    found = (
        marked_clip_id(binding.value)
        for binding in bindings
        if binding.alg.lower().startswith(_OUR_MARKS)
    )
    return {f"{clip_id:016x}" for clip_id in found if clip_id is not None}


def _of_material(ingredients: Sequence[IngredientLike]) -> Iterator[str]:
    """Yield the clip ids that whole manifests of what went into the clip name, to the root."""
    for part in ingredients:
        if part.integrity == "intact":
            yield from _named(part.soft_bindings)
        yield from _of_material(part.ingredients)


def _binding(
    credentials: CredentialsLike, found: list[MarkReading], *, looked: bool
) -> list[Evidence]:
    bound = _bound_clip_ids(credentials)
    # What a broken manifest names, anybody may have written into it.
    if not bound or credentials.manifest_integrity == "altered":
        return []
    messages = {f"{reading.message:016x}" for reading in found if reading.message is not None}
    values = {"bound": ", ".join(sorted(bound)), "read": ", ".join(sorted(messages))}
    if messages & bound:
        whole = credentials.manifest_integrity == "intact"
        return [Evidence(code="consistency.binding-confirmed", values=values)] if whole else []
    if messages:
        # A clip that one stamped after another carries both marks, and a reader may have one key.
        # That the content is what was signed keeps the manifest from having come to it later.
        explained = credentials.integrity == "intact" and messages <= set(
            _of_material(credentials.ingredients)
        )
        code = "mark-of-material" if explained else "binding-mismatch"
        return [Evidence(code=f"consistency.{code}", values=values)]
    if looked and not found:
        return [Evidence(code="consistency.binding-missing", values=values)]
    return []


def _capture_claim(found: list[MarkReading], ledger: LedgerReading) -> list[Evidence]:
    p_value = min((reading.p_value for reading in found), default=None)
    key = {"key_id": found[0].key_id or ""} if found else {}
    by_picture = [one for one in ledger.all if one.found_by == "fingerprint"]
    # What nobody vouches for accuses nobody: anybody can have a recording stamped as generated.
    generated = [one for one in by_picture if one.generated and one.vouched]
    if ledger.found_by == "fingerprint" and not generated:
        # It is the picture that the ledger knows; of the mark it knows nothing.
        code, clip = "consistency.capture-beside-mark", {"clip_id": ledger.clip_id or ""}
        return [Evidence(code=code, p_value=p_value, values=clip | key)] if found else []
    if found and not _stamped_only(found, ledger):
        return [Evidence(code="consistency.capture-over-mark", p_value=p_value, values=key)]
    return [
        Evidence(
            code="consistency.capture-over-ledger",
            similarity=one.similarity,
            values={"clip_id": one.clip_id or ""},
        )
        for one in generated
        if one.same_content
    ]


def _stamped_only(found: list[MarkReading], ledger: LedgerReading) -> bool:
    """Say whether the ledger knows every mark as one of a clip that was not generated.

    A recording that was only stamped carries a mark too, which does not speak against its claim.
    Nor does it where nobody vouches for what its material is said to be.
    """
    known = {
        one.clip_id
        for one in ledger.all
        if one.found_by == "mark" and not (one.generated and one.vouched)
    }
    return all(
        reading.message is not None and f"{reading.message:016x}" in known for reading in found
    )
