"""The truth table: which evidence leads to which finding. The first rule that fits decides.

docs/verdict.md shows the same table in words; a test keeps the two equal.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from vidigree.detect.findings import Confidence, Finding

__all__ = ["RULES", "Rule", "first_rule"]

_GENERATED = ("credentials.says-generated", "credentials.says-composite")
_COULD_NOT_LOOK = (
    "mark.not-checked",
    "ledger.not-checked",
    "classifier.not-checked",
    "credentials.ingredients-unread",
)
# What leaves unsaid what might be said against a capture claim, whosever doing it is.
_NOT_LOOKED_AT = (
    *_COULD_NOT_LOOK,
    "mark.left-out",
    "ledger.left-out",
    "classifier.left-out",
    "classifier.abstained",
)
_TRUSTED_CAPTURE = (
    "credentials.intact",
    "credentials.signer-trusted",
    "credentials.says-captured",
)
_LEDGER_GENERATED = ("ledger.says-generated", "ledger.generated-unvouched")
# The ledger may know a mark as that of a recording that was only stamped.
_LEDGER_NOT_ASKED = ("ledger.not-checked", "ledger.left-out")
# Nobody on a list says so today, be it that the signer only passes on what others said.
_NOBODYS_WORD = (
    "credentials.expired",
    "credentials.not-yet-valid",
    "credentials.revoked",
    "credentials.validity-unknown",
    "credentials.claim-passed-on",
)
# What leaves a capture claim in doubt without contradicting it.
_NO_CAPTURE = (
    *_NOBODYS_WORD,
    "consistency.capture-beside-mark",
    "ledger.entry-unverified",
    "ledger.says-generated",
)
# What is told beside it, and leaves it undecided.
_AGAINST_CAPTURE = ("classifier.likely-synthetic", "ledger.generated-unvouched")
# Entries of the ledger whose signer does not itself say that the clip was generated.
_ISSUED_AS_OTHER = ("ledger.says-nothing", "ledger.says-captured", "ledger.claim-passed-on")
# Beside these, the entry by the mark may be that of a clip that was only stamped.
_UNSURE_ENTRY = ("ledger.entry-unverified", "ledger.entry-by-fingerprint")
_ENTRY_IN_DOUBT = (*_UNSURE_ENTRY, "ledger.claim-passed-on")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row of the truth table.

    Attributes:
        name: Stable name; goes into the verdict as ``reason``.
        finding: What the row concludes.
        confidence: How much it bears.
        all_of: Evidence codes that must all be there.
        any_of: Evidence codes of which at least one must be there; empty asks for none.
        none_of: Evidence codes that must not be there.
    """

    name: str
    finding: Finding
    confidence: Confidence
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()

    def fits(self, codes: Collection[str]) -> bool:
        """Say whether a clip with this evidence falls under the row."""
        return (
            all(code in codes for code in self.all_of)
            and (not self.any_of or any(code in codes for code in self.any_of))
            and not any(code in codes for code in self.none_of)
        )

    def grounds(self, codes: Collection[str]) -> tuple[str, ...]:
        """Return the codes among ``codes`` that the row rests on, in the row's order."""
        return tuple(code for code in (*self.all_of, *self.any_of) if code in codes)


RULES: tuple[Rule, ...] = (
    # 1. Layers that contradict each other come first: whatever else is claimed, a person must look.
    Rule(
        name="capture-over-mark",
        finding=Finding.CONTRADICTORY,
        confidence=Confidence.HIGH,
        all_of=("consistency.capture-over-mark",),
        any_of=("mark.found", "ledger.says-generated"),
        none_of=_LEDGER_NOT_ASKED,
    ),
    Rule(
        name="capture-over-ledger",
        finding=Finding.CONTRADICTORY,
        confidence=Confidence.MEDIUM,
        all_of=("consistency.capture-over-ledger",),
    ),
    Rule(
        name="binding-mismatch",
        finding=Finding.CONTRADICTORY,
        confidence=Confidence.HIGH,
        all_of=("consistency.binding-mismatch",),
    ),
    Rule(
        name="transplanted-mark",
        finding=Finding.CONTRADICTORY,
        confidence=Confidence.MEDIUM,
        all_of=("ledger.transplanted",),
    ),
    Rule(
        name="ingredient-altered",
        finding=Finding.CONTRADICTORY,
        confidence=Confidence.HIGH,
        all_of=("credentials.ingredient-altered",),
    ),
    Rule(
        name="capture-from-generated",
        finding=Finding.CONTRADICTORY,
        confidence=Confidence.HIGH,
        all_of=("credentials.says-captured", "credentials.ingredient-generated"),
    ),
    # A manifest whose hash does not fit this content came from another clip, or the content was
    # changed. Only a mark in the pixels that names the same clip settles which.
    Rule(
        name="content-altered",
        finding=Finding.CONTRADICTORY,
        confidence=Confidence.HIGH,
        all_of=("credentials.altered",),
        none_of=("consistency.binding-confirmed",),
    ),
    Rule(
        name="capture-over-mark-unchecked",
        finding=Finding.CONTRADICTORY,
        confidence=Confidence.MEDIUM,
        all_of=("consistency.capture-over-mark",),
        any_of=_LEDGER_NOT_ASKED,
    ),
    # Anybody can stamp a recording with the published key, honestly too.
    Rule(
        name="capture-over-weak-mark",
        finding=Finding.CONTRADICTORY,
        confidence=Confidence.MEDIUM,
        all_of=("consistency.capture-over-mark",),
    ),
    # A label that nobody signed overturns no listed signer, but whoever reads one must read both.
    Rule(
        name="capture-against-label",
        finding=Finding.CONTRADICTORY,
        confidence=Confidence.MEDIUM,
        all_of=(*_TRUSTED_CAPTURE, "credentials.labelled-generated"),
        none_of=_NOBODYS_WORD,
    ),
    # 2. What intact credentials declare.
    Rule(
        name="generated-trusted",
        finding=Finding.DECLARED_SYNTHETIC,
        confidence=Confidence.HIGH,
        all_of=("credentials.intact", "credentials.signer-trusted"),
        any_of=_GENERATED,
        none_of=_NOBODYS_WORD,
    ),
    Rule(
        name="generated-own-signer",
        finding=Finding.DECLARED_SYNTHETIC,
        confidence=Confidence.HIGH,
        all_of=("credentials.intact", "credentials.signer-own"),
        any_of=_GENERATED,
        none_of=_NOBODYS_WORD,
    ),
    # What nobody on a list signed is as sure as what confirms it: a mark of a secret key, or the
    # ledger. With the published key, anybody can make mark and credentials both.
    Rule(
        name="generated-confirmed-by-mark",
        finding=Finding.DECLARED_SYNTHETIC,
        confidence=Confidence.HIGH,
        all_of=("credentials.intact", "consistency.binding-confirmed", "mark.found"),
        any_of=_GENERATED,
        none_of=(*_ISSUED_AS_OTHER, *_LEDGER_NOT_ASKED),
    ),
    Rule(
        name="generated-confirmed-by-ledger",
        finding=Finding.DECLARED_SYNTHETIC,
        confidence=Confidence.HIGH,
        all_of=("credentials.intact", "ledger.entry-by-mark", "ledger.says-generated"),
        any_of=_GENERATED,
        none_of=_ENTRY_IN_DOUBT,
    ),
    Rule(
        name="generated-unverified-signer",
        finding=Finding.DECLARED_SYNTHETIC,
        confidence=Confidence.MEDIUM,
        all_of=("credentials.intact",),
        any_of=_GENERATED,
    ),
    Rule(
        name="made-from-generated",
        finding=Finding.DECLARED_SYNTHETIC,
        confidence=Confidence.MEDIUM,
        all_of=("credentials.intact", "credentials.ingredient-generated"),
    ),
    # 3. Capture, if a listed signer vouches for it and nothing speaks against it. To have been
    # stamped here as well does not: the rows below are for clips that nobody else vouches for.
    Rule(
        name="captured-trusted-unchecked",
        finding=Finding.DECLARED_CAPTURED,
        confidence=Confidence.MEDIUM,
        all_of=_TRUSTED_CAPTURE,
        any_of=_NOT_LOOKED_AT,
        none_of=(*_NO_CAPTURE, *_AGAINST_CAPTURE),
    ),
    Rule(
        name="captured-trusted",
        finding=Finding.DECLARED_CAPTURED,
        confidence=Confidence.HIGH,
        all_of=_TRUSTED_CAPTURE,
        none_of=(*_NO_CAPTURE, *_AGAINST_CAPTURE),
    ),
    # A statistic neither overturns a listed signer nor may it be kept from the reader.
    Rule(
        name="capture-against-classifier",
        finding=Finding.INCONCLUSIVE,
        confidence=Confidence.LOW,
        all_of=(*_TRUSTED_CAPTURE, "classifier.likely-synthetic"),
        none_of=_NO_CAPTURE,
    ),
    # Nor does the word of somebody for whom nobody vouches: anybody can have had it stamped.
    Rule(
        name="capture-against-unvouched-entry",
        finding=Finding.INCONCLUSIVE,
        confidence=Confidence.LOW,
        all_of=(*_TRUSTED_CAPTURE, "ledger.generated-unvouched"),
        none_of=(*_NOBODYS_WORD, "ledger.says-generated"),
    ),
    # 4. What the ledger and the pixels say where the file itself no longer does.
    # Of a clip joined from several, one part that was generated is enough.
    # A mark alone says that a clip was stamped; whether it was generated is the manifest's to say.
    # Being stamped must not shield a clip: anyone with the published key could stamp anything, and
    # anyone at all could name a mark of a secret key in credentials that say nothing more.
    Rule(
        name="marked-beside-unlisted-stamp",
        finding=Finding.MARKED_SYNTHETIC,
        confidence=Confidence.MEDIUM,
        all_of=("mark.found", "consistency.binding-confirmed", "credentials.signer-unlisted"),
        any_of=("credentials.says-nothing", "credentials.says-edited"),
        none_of=(*_LEDGER_GENERATED, "ledger.says-captured", "ledger.says-nothing"),
    ),
    Rule(
        name="stamped-but-likely-synthetic",
        finding=Finding.LIKELY_SYNTHETIC,
        confidence=Confidence.LOW,
        all_of=("classifier.likely-synthetic", "consistency.binding-confirmed"),
        any_of=("credentials.says-nothing", "credentials.says-edited"),
        none_of=(*_LEDGER_GENERATED, "ledger.says-captured", "ledger.transplanted"),
    ),
    Rule(
        name="issued-but-likely-synthetic",
        finding=Finding.LIKELY_SYNTHETIC,
        confidence=Confidence.LOW,
        all_of=("classifier.likely-synthetic", "ledger.says-nothing"),
        none_of=_LEDGER_GENERATED,
    ),
    Rule(
        name="stamped-source-unclaimed",
        finding=Finding.INCONCLUSIVE,
        confidence=Confidence.LOW,
        all_of=("consistency.binding-confirmed",),
        any_of=("credentials.says-nothing", "credentials.says-edited"),
        none_of=(*_LEDGER_GENERATED, "ledger.says-captured", "ledger.transplanted"),
    ),
    Rule(
        name="issued-source-unclaimed",
        finding=Finding.INCONCLUSIVE,
        confidence=Confidence.LOW,
        all_of=("ledger.says-nothing",),
        none_of=_LEDGER_GENERATED,
    ),
    Rule(
        name="issued-as-captured",
        finding=Finding.INCONCLUSIVE,
        confidence=Confidence.LOW,
        all_of=("ledger.says-captured",),
        none_of=_LEDGER_GENERATED,
    ),
    Rule(
        name="recovered-by-mark",
        finding=Finding.RECOVERED,
        confidence=Confidence.HIGH,
        all_of=("ledger.entry-by-mark",),
        none_of=_ENTRY_IN_DOUBT,
    ),
    Rule(
        name="recovered-claim-passed-on",
        finding=Finding.RECOVERED,
        confidence=Confidence.MEDIUM,
        all_of=("ledger.entry-by-mark", "ledger.claim-passed-on"),
        none_of=_UNSURE_ENTRY,
    ),
    Rule(
        name="recovered-content-unchecked",
        finding=Finding.RECOVERED,
        confidence=Confidence.MEDIUM,
        all_of=("ledger.entry-unverified",),
        none_of=("ledger.entry-by-fingerprint",),
    ),
    Rule(
        name="recovered-by-fingerprint",
        finding=Finding.RECOVERED,
        confidence=Confidence.MEDIUM,
        all_of=("ledger.entry-by-fingerprint",),
    ),
    Rule(
        name="marked-unchecked",
        finding=Finding.MARKED_SYNTHETIC,
        confidence=Confidence.MEDIUM,
        all_of=("mark.found",),
        any_of=_LEDGER_NOT_ASKED,
    ),
    Rule(
        name="marked",
        finding=Finding.MARKED_SYNTHETIC,
        confidence=Confidence.HIGH,
        all_of=("mark.found",),
    ),
    Rule(
        name="marked-weakly",
        finding=Finding.MARKED_SYNTHETIC,
        confidence=Confidence.MEDIUM,
        any_of=("mark.found-published-key", "mark.presence-only"),
    ),
    # 5. Labels that nobody signed: anybody can write them, and few would for a recording.
    Rule(
        name="labelled-generated",
        finding=Finding.DECLARED_SYNTHETIC,
        confidence=Confidence.LOW,
        all_of=("credentials.labelled-generated",),
    ),
    # 6. Statistics.
    Rule(
        name="classifier",
        finding=Finding.LIKELY_SYNTHETIC,
        confidence=Confidence.LOW,
        all_of=("classifier.likely-synthetic",),
    ),
    # 7. Nothing found, but not everything could be looked at or relied on.
    Rule(
        name="capture-unverified",
        finding=Finding.INCONCLUSIVE,
        confidence=Confidence.LOW,
        all_of=("credentials.says-captured",),
    ),
    Rule(
        name="claim-unverified",
        finding=Finding.INCONCLUSIVE,
        confidence=Confidence.LOW,
        any_of=(*_GENERATED, "credentials.ingredient-generated"),
    ),
    Rule(
        name="credentials-unreadable",
        finding=Finding.INCONCLUSIVE,
        confidence=Confidence.LOW,
        all_of=("credentials.unreadable",),
    ),
    Rule(
        name="layer-not-checked",
        finding=Finding.INCONCLUSIVE,
        confidence=Confidence.LOW,
        any_of=("credentials.not-checked", *_COULD_NOT_LOOK),
    ),
    Rule(
        name="classifier-abstained",
        finding=Finding.INCONCLUSIVE,
        confidence=Confidence.LOW,
        all_of=("classifier.abstained",),
    ),
    # 8. Every layer that was asked for looked, and found nothing.
    Rule(name="nothing-found", finding=Finding.NO_EVIDENCE, confidence=Confidence.LOW),
)
"""The truth table, in the order in which rows are tried. The last row always fits."""


def first_rule(codes: Collection[str]) -> Rule:
    """Return the first row that fits the evidence.

    Args:
        codes: Codes of all evidence about a clip.
    """
    return next(rule for rule in RULES if rule.fits(codes))
