"""The credentials layer: what a manifest in the file says, as separate pieces of evidence.

Integrity, signer, validity and claimed source are four answers, never one: a file can be intact and
signed by nobody we know, or signed by someone known and changed since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vidigree.detect.evidence import Evidence
from vidigree.detect.readings import CredentialsLike, IngredientLike, LabelsLike

__all__ = [
    "believed_validity",
    "credentials_evidence",
    "is_vouched",
    "is_vouched_generated",
]

_INTEGRITY = {
    "intact": "credentials.intact",
    "altered": "credentials.altered",
    "unknown": "credentials.integrity-unknown",
}
_VALIDITY = {
    "expired": "credentials.expired",
    "not-yet-valid": "credentials.not-yet-valid",
    "revoked": "credentials.revoked",
    "unknown": "credentials.validity-unknown",
}
_SOURCE = {
    "generated": "credentials.says-generated",
    "generated-by-algorithm": "credentials.says-generated",
    "composite-with-generated": "credentials.says-composite",
    "captured": "credentials.says-captured",
    "edited": "credentials.says-edited",
    "unknown": "credentials.says-nothing",
}
_GENERATED = {"generated", "generated-by-algorithm", "composite-with-generated"}
_CLAIMS = {*_GENERATED, "captured"}


def credentials_evidence(reading: CredentialsLike) -> list[Evidence]:
    """Turn a credentials reading into evidence.

    Args:
        reading: What the credentials checker read.

    Returns:
        Evidence in the order integrity, signer, validity, claimed source and whose it is,
        ingredients, unsigned labels.
    """
    codes = _status_codes(reading)
    labels = _label_evidence(reading.labels)
    if reading.status == "absent":
        return [Evidence(code="credentials.absent"), *labels]
    if reading.status == "unreadable":
        return [Evidence(code="credentials.unreadable", status_codes=codes), *labels]
    evidence = [
        Evidence(code=_INTEGRITY[reading.integrity], status_codes=codes),
        Evidence(code=_trust(reading), values={"signer": _signer_name(reading)}),
    ]
    validity = believed_validity(reading.validity, reading.timestamp)
    if validity in _VALIDITY:
        evidence.append(Evidence(code=_VALIDITY[validity]))
    evidence.append(
        Evidence(
            code=_SOURCE[reading.claimed_source],
            values={"generator": reading.generator or "", "source": reading.claimed_source},
        )
    )
    if reading.claimed_source in _CLAIMS and not is_vouched(reading, reading.timestamp):
        evidence.append(Evidence(code="credentials.claim-passed-on"))
    evidence.extend(_ingredient_evidence(reading.ingredients))
    if not reading.all_ingredients_read:
        evidence.append(Evidence(code="credentials.ingredients-unread"))
    return [*evidence, *labels]


def believed_validity(validity: str, timestamp: str) -> str:
    """Return what to believe of a certificate, by what its time stamp is worth.

    Whoever signs with an expired certificate can also make the stamp that says otherwise.
    """
    unproven = validity == "valid-when-signed" and timestamp != "trusted"
    return "expired" if unproven else validity


def _label_evidence(labels: LabelsLike) -> list[Evidence]:
    """Return the unsigned labels that say that the content was generated."""
    if not labels.says_generated:
        return []
    return [Evidence(code="credentials.labelled-generated", values={"labels": labels.named})]


def is_vouched(reading: CredentialsLike | IngredientLike, timestamp: str) -> bool:
    """Say whether a claim is its signer's own, or that of a parent whose signer counts as well.

    Whoever opens a clip and signs it as that says nothing of where it comes from. Without this,
    anybody's claim would count as that of the listed signer through whose hands the clip went.

    Args:
        reading: A manifest's reading.
        timestamp: What the time stamp is worth that shows that it existed, its own or a
            successor's.
    """
    if not reading.claim_of_parent:
        return True
    generated = reading.claimed_source in _GENERATED
    return any(
        part.relationship == "parentOf" and _vouches(part, timestamp, generated=generated)
        for part in reading.ingredients
    )


def is_vouched_generated(reading: CredentialsLike | IngredientLike, timestamp: str) -> bool:
    """Say whether somebody vouches for it that a clip, or what went into it, was generated.

    That is the signer, or one to believe of what went in, by way of such ones only: with what a
    stranger's manifest lists as its material, anybody could make a recording out to be generated.

    Args:
        reading: A manifest's reading, whose signer is one to believe.
        timestamp: As in :func:`is_vouched`.
    """
    if reading.claimed_source in _GENERATED and is_vouched(reading, timestamp):
        return True
    return any(
        _is_known(part, own_counts=True, timestamp=_shown_by(part, timestamp))
        and is_vouched_generated(part, _shown_by(part, timestamp))
        for part in reading.ingredients
    )


def _vouches(parent: IngredientLike, timestamp: str, *, generated: bool) -> bool:
    """Say whether a parent's signer is one to believe in this, and speaks for itself.

    Args:
        parent: The parent.
        timestamp: What the time stamp of its successor is worth, which shows that it existed.
        generated: Whether the claim is of generated pixels, and not of a recording.
    """
    timestamp = _shown_by(parent, timestamp)
    return (
        (parent.claimed_source in _GENERATED) is generated
        and (generated or parent.claimed_source == "captured")
        and _is_known(parent, own_counts=generated, timestamp=timestamp)
        and is_vouched(parent, timestamp)
    )


def _shown_by(part: IngredientLike, timestamp: str) -> str:
    """Return what the time stamp is worth that shows that it existed, its own or a successor's."""
    return timestamp if part.timestamp == "absent" else part.timestamp


def _is_known(part: IngredientLike, *, own_counts: bool, timestamp: str) -> bool:
    """Say whether the manifest is whole, and its signer was one to believe when it was signed."""
    return (
        part.integrity == "intact"
        and part.signer_trust == "trusted"
        and (part.trusted_by == "list" or (own_counts and part.trusted_by == "own"))
        and believed_validity(part.validity, timestamp) in {"valid", "valid-when-signed"}
    )


def _trust(reading: CredentialsLike) -> str:
    if reading.signer_trust != "trusted":
        return "credentials.signer-unlisted"
    # A development root made on this machine proves the key and nobody's name.
    return "credentials.signer-own" if reading.trusted_by == "own" else "credentials.signer-trusted"


def _signer_name(reading: CredentialsLike) -> str:
    if reading.signer is None:
        return ""
    return reading.signer.organization or reading.signer.common_name


def _ingredient_evidence(ingredients: Sequence[IngredientLike]) -> list[Evidence]:
    everything = list(_walk(ingredients))
    altered = sum(part.integrity == "altered" for part in everything)
    generated = sum(part.claimed_source in _GENERATED for part in everything)
    evidence = []
    if altered:
        evidence.append(Evidence(code="credentials.ingredient-altered", values={"count": altered}))
    if generated:
        evidence.append(
            Evidence(code="credentials.ingredient-generated", values={"count": generated})
        )
    return evidence


def _walk(ingredients: Sequence[IngredientLike]) -> Iterator[IngredientLike]:
    for part in ingredients:
        yield part
        yield from _walk(part.ingredients)


def _status_codes(reading: CredentialsLike) -> tuple[str, ...]:
    """Return the failure and success codes; informational ones stay in the full reading."""
    codes = reading.to_dict().get("codes", {})
    return tuple(code for kind in ("failure", "success") for code in codes.get(kind, ()))
