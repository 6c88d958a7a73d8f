"""What a reader of content credentials gets: four separate answers, for ingredients as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from vidigree.watermark.credentials.answers import (
    ClaimedSource,
    ContentBinding,
    Integrity,
    SignerTrust,
    StatusCodes,
    TimestampTrust,
    Validity,
)
from vidigree.watermark.credentials.certificates import DEVELOPMENT_ORGANIZATION
from vidigree.watermark.credentials.claims import ActionReading
from vidigree.watermark.credentials.foreign_labels import ForeignLabels
from vidigree.watermark.credentials.manifest import SoftBinding

__all__ = ["CredentialsReading", "IngredientReading", "SignerReading"]

INGREDIENTS_NOT_READ = "vidigree.ingredients.notAllRead"
"""Noted where ingredients lie beyond the limits."""

INGREDIENT_MISSING = "ingredient.manifest.missing"
"""Failure of an ingredient whose manifest is not in the store, or is one that led to it."""

_GENERATED: tuple[ClaimedSource, ...] = (
    "generated",
    "generated-by-algorithm",
    "composite-with-generated",
)


@dataclass(frozen=True, kw_only=True)
class SignerReading:
    """Who signed, by the certificate. Untrusted words unless ``signer_trust`` is ``"trusted"``.

    Attributes:
        organization: Subject's organization, bounded text.
        common_name: Subject's common name, bounded text.
        issuer: Organization of the certificate's issuer, bounded text.
        serial: Serial number in hex.
        algorithm: COSE algorithm.
        not_before: Start of validity, ``None`` if not known.
        not_after: End of validity, ``None`` if not known.
    """

    organization: str = ""
    common_name: str = ""
    issuer: str = ""
    serial: str = ""
    algorithm: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None

    @property
    def development(self) -> bool:
        """Whether the certificate calls itself a development certificate, which names nobody."""
        return self.organization == DEVELOPMENT_ORGANIZATION

    def to_dict(self) -> dict[str, Any]:
        """Return the signer as JSON values."""
        return {
            "organization": self.organization,
            "common_name": self.common_name,
            "issuer": self.issuer,
            "serial": self.serial,
            "algorithm": self.algorithm,
            "not_before": _time(self.not_before),
            "not_after": _time(self.not_after),
            "development": self.development,
        }


@dataclass(frozen=True, kw_only=True)
class _ManifestReading:
    """What is said of every manifest, the active one and those of ingredients.

    Attributes:
        integrity: ``"intact"`` only if the signature holds, the assertions are as they were signed,
            and (for the file itself) the content is the one that was signed.
        signer_trust: ``"trusted"`` if the signer hangs from a claim list or the own root.
        trusted_by: ``"list"`` for a claim-signer list, ``"own"`` for this machine's own
            development root, which proves the key and nobody's name; ``None`` if not trusted.
        trust_list: Name of that list.
        validity: Whether the certificate was good when it signed.
        timestamp: What the time stamp is worth: its authority trusted, unlisted, the stamp
            invalid, or absent. ``"valid-when-signed"`` rests on it.
        claimed_source: Where the signer says the pixels come from.
        claim_of_parent: Whether that is what a parent's signer said, and this one only took over.
        signer: Who signed; ``None`` without a signature.
        signed_at: Time in the time stamp; ``None`` without one.
        generator: What made the claim, bounded text.
        title: Title, bounded text.
        actions: Recorded actions.
        soft_bindings: Marks and fingerprints the signer bound to the content.
        ingredients: What went in, each with its own answers.
        codes: Status codes, ours beside the specification's (ours begin with ``vidigree.``).
    """

    integrity: Integrity = "unknown"
    signer_trust: SignerTrust = "unknown"
    trusted_by: Literal["list", "own"] | None = None
    trust_list: str = ""
    validity: Validity = "unknown"
    timestamp: TimestampTrust = "absent"
    claimed_source: ClaimedSource = "unknown"
    claim_of_parent: bool = False
    signer: SignerReading | None = None
    signed_at: datetime | None = None
    generator: str = ""
    title: str = ""
    actions: tuple[ActionReading, ...] = ()
    soft_bindings: tuple[SoftBinding, ...] = ()
    ingredients: tuple[IngredientReading, ...] = ()
    codes: StatusCodes = field(default_factory=StatusCodes)

    @property
    def claims_generated(self) -> bool:
        """Whether this manifest itself claims that pixels were generated, in whole or part."""
        return self.claimed_source in _GENERATED

    def walk_ingredients(self) -> Iterator[IngredientReading]:
        """Yield all ingredients, depth first."""
        for ingredient in self.ingredients:
            yield ingredient
            yield from ingredient.walk_ingredients()

    def _base_dict(self) -> dict[str, Any]:
        return {
            "integrity": self.integrity,
            "signer_trust": self.signer_trust,
            "trusted_by": self.trusted_by,
            "trust_list": self.trust_list,
            "validity": self.validity,
            "timestamp": self.timestamp,
            "claimed_source": self.claimed_source,
            "claim_of_parent": self.claim_of_parent,
            "signer": self.signer.to_dict() if self.signer else None,
            "signed_at": _time(self.signed_at),
            "generator": self.generator,
            "title": self.title,
            "actions": [action.to_dict() for action in self.actions],
            "soft_bindings": [binding.to_dict() for binding in self.soft_bindings],
            "ingredients": [ingredient.to_dict() for ingredient in self.ingredients],
            "codes": self.codes.to_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class IngredientReading(_ManifestReading):
    """Something that went into the clip.

    Its ``integrity`` is that of its manifest, validated today; whether its content matched when it
    went in is what the successor's signer recorded, and a recorded mismatch makes it ``altered``.
    So does a manifest that is not the one that the successor was signed with.
    ``valid-when-signed`` may rest on the time stamp of a successor, which shows that it existed.

    Attributes:
        relationship: ``"parentOf"``, ``"inputTo"`` or ``"componentOf"``.
        signed: Whether it carries a manifest of its own.
        format: Media type, bounded text.
    """

    relationship: str = ""
    signed: bool = False
    format: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the ingredient as JSON values."""
        return {
            "relationship": self.relationship,
            "signed": self.signed,
            "format": self.format,
            **self._base_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class CredentialsReading(_ManifestReading):
    """What a file's content credentials say. Absence is a result, not an error.

    Attributes:
        status: ``"absent"``: none there. ``"present"``: read. ``"unreadable"``: there is something
            that no reader can make sense of; ``codes.failure`` says what.
        recovered: Whether the manifest came from elsewhere (a ledger), not from the file.
        manifest_integrity: Integrity of the manifest alone, whatever it is attached to.
        content_binding: Whether the file's bytes are those that were signed. For a recovered
            manifest of a re-encoded file this is ``"mismatch"`` while the manifest is intact.
        manifest_label: Label of the active manifest.
        labels: Unsigned labels of any maker in the file, beside and outside of C2PA.
    """

    status: Literal["absent", "present", "unreadable"] = "absent"
    recovered: bool = False
    manifest_integrity: Integrity = "unknown"
    content_binding: ContentBinding = "not-checked"
    manifest_label: str = ""
    labels: ForeignLabels = field(default_factory=ForeignLabels)

    @property
    def generated_somewhere(self) -> bool:
        """Whether this manifest or any ingredient's claims generated pixels."""
        return self.claims_generated or any(
            ingredient.claims_generated for ingredient in self.walk_ingredients()
        )

    @property
    def all_ingredients_read(self) -> bool:
        """Whether no manifest of what went in lies beyond the limits, or is not in the store."""
        return INGREDIENTS_NOT_READ not in self.codes.informational and not any(
            INGREDIENT_MISSING in row.codes.failure for row in self.walk_ingredients()
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the reading as JSON values."""
        return {
            "status": self.status,
            "recovered": self.recovered,
            "manifest_integrity": self.manifest_integrity,
            "content_binding": self.content_binding,
            "manifest_label": self.manifest_label,
            "generated_somewhere": self.generated_somewhere,
            "labels": self.labels.to_dict(),
            **self._base_dict(),
        }


def _time(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
