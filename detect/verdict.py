"""The verdict: one finding, how much it bears, and every piece of evidence for it.

:func:`judge` is a pure function from readings to :class:`Verdict`; everything that touches a file
is in :mod:`vidigree.detect.audit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidigree.detect.classification import classifier_evidence
from vidigree.detect.consistency import consistency_evidence
from vidigree.detect.credentials import credentials_evidence
from vidigree.detect.disclosure import disclosure
from vidigree.detect.evidence import Evidence
from vidigree.detect.findings import Confidence, Finding
from vidigree.detect.look_up import ledger_evidence
from vidigree.detect.marks import mark_evidence
from vidigree.detect.readings import NotChecked, Readings
from vidigree.detect.redaction import redact
from vidigree.detect.rules import first_rule
from vidigree.detect.wording import Wording, wording

__all__ = ["SCHEMA_VERSION", "Verdict", "judge"]

SCHEMA_VERSION = "1.1"
"""Version of the JSON form; the minor number grows when fields are added, the major when they
change or go. The schema is ``detect/schema/verdict-1.json``, summed up in docs/verdict.md."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the audit says about one clip.

    Attributes:
        finding: What is concluded. There is none that calls a clip authentic.
        confidence: How much the finding bears.
        reason: Name of the row of the truth table that decided.
        grounds: Codes of the evidence that row rests on.
        evidence: Everything that was seen, and every layer that was not looked at.
        readings: What the layers read, in full.
        path: The clip; ``None`` for a verdict made from readings alone.
        media: Facts about the file: size in bytes, width, height, fps, seconds, codec.
    """

    finding: Finding
    confidence: Confidence
    reason: str
    grounds: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    readings: Readings
    path: Path | None = None
    media: dict[str, Any] | None = None

    @property
    def exit_code(self) -> int:
        """Exit code of ``vidigree audit`` for this verdict."""
        return self.finding.exit_code

    def headline(self, language: str = "en") -> str:
        """Return the reason for the finding in one sentence."""
        return wording(language).reason(self.reason, self._values())

    def to_dict(self, *, language: str = "en", show_personal: bool = False) -> dict[str, Any]:
        """Return the verdict as JSON values, as in the published schema.

        Args:
            language: ``"en"`` or ``"zh"``.
            show_personal: Keep authors, prompts, places and serial numbers; by default they are
                replaced.
        """
        words = wording(language)
        return {
            "schema": f"vidigree-verdict/{SCHEMA_VERSION}",
            "file": None if self.path is None else str(self.path),
            "media": self.media,
            "finding": self.finding.value,
            "confidence": self.confidence.value,
            "reason": self.reason,
            "title": words.title(self.finding),
            "headline": self.headline(language),
            "grounds": list(self.grounds),
            "disclosure": disclosure(self.readings).to_dict(),
            "evidence": [_worded(piece, words) for piece in self.evidence],
            "readings": _readings_dict(self.readings, show_personal=show_personal),
        }

    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for piece in self.evidence:
            if piece.code in self.grounds:
                values |= piece.values
        values["layers"] = ", ".join(filter(None, map(_not_looked_at, self.grounds)))
        return values


def judge(
    readings: Readings, *, path: Path | None = None, media: dict[str, Any] | None = None
) -> Verdict:
    """Make the verdict from what the layers read.

    Args:
        readings: What every layer read, or why it did not.
        path: The clip, for the record.
        media: Facts about the file, for the record; ``seconds`` is used to tell a mark that covers
            only part of the clip.

    Returns:
        The verdict of the first row of the truth table that fits.
    """
    evidence = _all_evidence(readings, (media or {}).get("seconds"))
    codes = {piece.code for piece in evidence}
    rule = first_rule(codes)
    return Verdict(
        finding=rule.finding,
        confidence=rule.confidence,
        reason=rule.name,
        grounds=rule.grounds(codes),
        evidence=evidence,
        readings=readings,
        path=path,
        media=media,
    )


def _all_evidence(readings: Readings, duration: float | None) -> tuple[Evidence, ...]:
    evidence: list[Evidence] = []
    if isinstance(readings.credentials, NotChecked):
        evidence.append(_not_checked(readings.credentials))
    else:
        evidence.extend(credentials_evidence(readings.credentials))
    if isinstance(readings.marks, NotChecked):
        evidence.append(_not_checked(readings.marks))
    else:
        evidence.extend(mark_evidence(readings.marks, duration=duration))
    if isinstance(readings.ledger, NotChecked):
        evidence.append(_not_checked(readings.ledger))
    else:
        evidence.extend(ledger_evidence(readings.ledger))
    if isinstance(readings.classifier, NotChecked):
        evidence.append(_not_checked(readings.classifier))
    else:
        evidence.extend(classifier_evidence(readings.classifier))
    evidence.extend(consistency_evidence(readings))
    return tuple(evidence)


def _not_checked(layer: NotChecked) -> Evidence:
    code = "left-out" if layer.asked else "not-checked"
    return Evidence(code=f"{layer.layer}.{code}", values={"why": layer.why})


def _not_looked_at(code: str) -> str:
    """Return what a piece of evidence says was not looked at; empty where it says something else.

    The web page makes its sentences of the same parts (``page/evidence.js``).
    """
    layer, _, what = code.partition(".")
    if what == "ingredients-unread":
        return "material"
    return layer if what in {"not-checked", "left-out", "abstained"} else ""


def _worded(piece: Evidence, words: Wording) -> dict[str, Any]:
    return piece.to_dict() | {
        "says": words.says(piece),
        "proves": words.proves(piece),
        "does_not_prove": words.does_not_prove(piece),
    }


def _readings_dict(readings: Readings, *, show_personal: bool) -> dict[str, Any]:
    marks = readings.marks
    rows: dict[str, Any] = {
        "credentials": _reading(readings.credentials),
        "marks": _reading(marks)
        if isinstance(marks, NotChecked)
        else [reading.to_dict() for reading in marks],
        "ledger": _reading(readings.ledger),
        "classifier": _reading(readings.classifier),
    }
    if show_personal:
        return rows
    redacted: dict[str, Any] = redact(rows)
    return redacted


def _reading(reading: Any) -> dict[str, Any]:
    if isinstance(reading, NotChecked):
        if reading.asked:
            return {"status": "left-out", "why": reading.why}
        return {"status": "not-checked", "why": reading.why, "by_clip": reading.by_clip}
    row: dict[str, Any] = reading.to_dict()
    return row
