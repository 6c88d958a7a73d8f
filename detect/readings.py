"""What the layers hand to the verdict: the fields it needs of each reading, and no more.

The credentials and classifier readings are described by protocols, so that the verdict can be
tested row by row without files, keys or models, and so that another reader can take their place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from vidigree.detect.evidence import Layer, Segment
from vidigree.watermark.method import MarkReading

__all__ = [
    "ClassifierLike",
    "CredentialsLike",
    "IngredientLike",
    "LabelsLike",
    "LedgerReading",
    "NotChecked",
    "Readings",
    "SignerLike",
    "SoftBindingLike",
    "WindowLike",
]


class SoftBindingLike(Protocol):
    """One soft binding of a manifest."""

    @property
    def alg(self) -> str:
        """Name of the algorithm, from the C2PA soft binding list."""
        ...

    @property
    def value(self) -> str:
        """The value, as the manifest has it."""
        ...


class SignerLike(Protocol):
    """Who signed, by the certificate."""

    @property
    def organization(self) -> str: ...  # noqa: D102
    @property
    def common_name(self) -> str: ...  # noqa: D102


class IngredientLike(Protocol):
    """Something that went into the clip, with its own credentials."""

    @property
    def integrity(self) -> str: ...  # noqa: D102
    @property
    def relationship(self) -> str: ...  # noqa: D102
    @property
    def signer_trust(self) -> str: ...  # noqa: D102
    @property
    def trusted_by(self) -> str | None: ...  # noqa: D102
    @property
    def validity(self) -> str: ...  # noqa: D102
    @property
    def timestamp(self) -> str: ...  # noqa: D102
    @property
    def claimed_source(self) -> str: ...  # noqa: D102
    @property
    def claim_of_parent(self) -> bool: ...  # noqa: D102
    @property
    def soft_bindings(self) -> Sequence[SoftBindingLike]: ...  # noqa: D102
    @property
    def ingredients(self) -> Sequence[IngredientLike]: ...  # noqa: D102


class LabelsLike(Protocol):
    """The fields of a ``ForeignLabels`` that the verdict needs."""

    @property
    def says_generated(self) -> bool: ...  # noqa: D102
    @property
    def named(self) -> str: ...  # noqa: D102


class CredentialsLike(Protocol):
    """The fields of a ``CredentialsReading`` that the verdict needs."""

    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def integrity(self) -> str: ...  # noqa: D102
    @property
    def signer_trust(self) -> str: ...  # noqa: D102
    @property
    def validity(self) -> str: ...  # noqa: D102
    @property
    def timestamp(self) -> str: ...  # noqa: D102
    @property
    def claimed_source(self) -> str: ...  # noqa: D102
    @property
    def claim_of_parent(self) -> bool: ...  # noqa: D102
    @property
    def trusted_by(self) -> str | None: ...  # noqa: D102
    @property
    def signer(self) -> SignerLike | None: ...  # noqa: D102
    @property
    def generator(self) -> str | None: ...  # noqa: D102
    @property
    def manifest_integrity(self) -> str: ...  # noqa: D102
    @property
    def soft_bindings(self) -> Sequence[SoftBindingLike]: ...  # noqa: D102
    @property
    def ingredients(self) -> Sequence[IngredientLike]: ...  # noqa: D102
    @property
    def all_ingredients_read(self) -> bool: ...  # noqa: D102
    @property
    def labels(self) -> LabelsLike: ...  # noqa: D102

    def to_dict(self) -> dict[str, Any]: ...  # noqa: D102


class WindowLike(Protocol):
    """The classifier's score of one stretch."""

    @property
    def start(self) -> float: ...  # noqa: D102
    @property
    def end(self) -> float: ...  # noqa: D102
    @property
    def llr(self) -> float: ...  # noqa: D102


class ClassifierLike(Protocol):
    """The fields of a ``ClassifierReading`` that the verdict needs."""

    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def llr(self) -> float | None: ...  # noqa: D102
    @property
    def p_value(self) -> float | None: ...  # noqa: D102
    @property
    def likely_synthetic(self) -> bool: ...  # noqa: D102
    @property
    def windows(self) -> Sequence[WindowLike]: ...  # noqa: D102

    def to_dict(self) -> dict[str, Any]: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class LedgerReading:
    """What the ledger knows about the clip.

    Attributes:
        exists: Whether there is a ledger at all; without one nothing was issued here.
        found_by: ``"mark"`` if the mark's clip id is in the ledger, ``"fingerprint"`` if a similar
            clip is, ``"none"`` if neither.
        clip_id: Clip id of the entry, 16 hex digits; ``None`` without an entry.
        similarity: Likeness of this clip's fingerprint and the entry's, 0 to 1; ``None`` if it
            could not be measured.
        same_content: Whether the picture is that of the entry; ``None`` where that is not clear:
            the likeness lies between the thresholds, could not be measured, or is low in a picture
            that the mark shows to be cropped, enlarged or turned.
        claimed_source: What the recorded manifest claims: the values of
            ``CredentialsReading.claimed_source``.
        generated: Whether that manifest, or an ingredient's in it, claims generated pixels. A clip
            that was stamped without such a claim carries the mark too.
        passed_on: Whether that is not the signer's own claim: an ingredient makes it, or the
            manifest took it over from a parent for whose signer nobody vouches.
        vouched: Whether somebody vouches for that: the issuer, or a signer to believe of what went
            in. It says nothing of a clip that is not ``generated``.
        engine: Engine that made the clip, as recorded.
        model: Model that made the clip, as recorded.
        issued_at: When the entry was recorded, ISO 8601; ``None`` without an entry.
        credentials: Reading of the recovered manifest as JSON values, also of one that could not be
            read; ``None`` without an entry.
        marked: Whether a mark with a readable message was looked up.
        segments: Where that mark is, if the clip carries several; empty for the whole clip.
        others: What was found for the other marks of the clip; and, where all those clips were only
            stamped, a generated one that was issued before with the same picture.
    """

    exists: bool = True
    found_by: str = "none"
    clip_id: str | None = None
    similarity: float | None = None
    same_content: bool | None = None
    claimed_source: str = "unknown"
    generated: bool = False
    passed_on: bool = False
    vouched: bool = True
    engine: str = ""
    model: str = ""
    issued_at: str | None = None
    credentials: Mapping[str, Any] | None = None
    marked: bool = False
    segments: tuple[Segment, ...] = ()
    others: tuple[LedgerReading, ...] = ()

    @property
    def all(self) -> tuple[LedgerReading, ...]:
        """This one and the others."""
        return (self, *self.others)

    def to_dict(self) -> dict[str, Any]:
        """Return the reading as JSON values."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class NotChecked:
    """A layer that did not look, and why.

    Attributes:
        layer: The layer.
        why: One sentence for people.
        asked: ``True`` if the caller left the layer out, ``False`` if it could not run.
        by_clip: Whether it could not run for what the clip is; else something of ours is missing.
    """

    layer: Layer
    why: str
    asked: bool = False
    by_clip: bool = False


@dataclass(frozen=True, kw_only=True)
class Readings:
    """Everything the verdict is made from.

    Attributes:
        credentials: Reading of the credentials layer.
        marks: One reading for every mark, and one for a method that found none.
        ledger: Reading of the ledger.
        classifier: Reading of the classifier.
    """

    credentials: CredentialsLike | NotChecked
    marks: tuple[MarkReading, ...] | NotChecked = field(default_factory=tuple)
    ledger: LedgerReading | NotChecked = field(default_factory=LedgerReading)
    classifier: ClassifierLike | NotChecked
