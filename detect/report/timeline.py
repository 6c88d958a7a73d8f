"""The time line of a report: which layer saw something when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from vidigree.watermark.method import p_value_text

__all__ = ["Part", "Track", "tracks"]

_WARM = 3.0
"""Log-likelihood ratio at which the heat map is three quarters saturated (tanh 1)."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A stretch on a track, in per mille of the clip's length.

    Attributes:
        left: Where it begins, 0 to 1000.
        width: How long it is, above 0.
        kind: ``"mark"``, ``"synthetic"`` or ``"neutral"``; chooses the colour.
        level: Strength of the colour, 0 to 1.
        start: Seconds.
        end: Seconds.
        note: What was seen there, in figures.
    """

    left: float
    width: float
    kind: str
    level: float
    start: float
    end: float
    note: str


@dataclass(frozen=True, kw_only=True)
class Track:
    """One layer over time.

    Attributes:
        layer: The layer.
        parts: Stretches in order; empty if the layer looked and saw nothing.
    """

    layer: str
    parts: tuple[Part, ...]


def tracks(row: dict[str, Any]) -> tuple[Track, ...]:
    """Return the tracks of a verdict: the mark's segments and the classifier's heat map.

    Args:
        row: The verdict in its JSON form.

    Returns:
        A track for each of these layers that looked and answered; none for a clip of unknown
        length.
    """
    marks, classifier = row["readings"]["marks"], row["readings"]["classifier"]
    segments = [part for mark in marks for part in mark["segments"]] if _looked(marks) else []
    windows = classifier.get("windows", []) if _looked(classifier) else []
    length = (row.get("media") or {}).get("seconds") or max(
        (part["end"] for part in (*segments, *windows)), default=0.0
    )
    if not length:
        return ()
    found = []
    if _looked(marks):
        parts = tuple(
            _part(part, length, "mark", 1.0, p_value_text(part["p_value"])) for part in segments
        )
        found.append(Track(layer="mark", parts=parts))
    if _looked(classifier):
        parts = tuple(
            _part(part, length, *_heat(part["llr"]), f"LLR {part['llr']:+.2f}")
            for part in windows
            if part["llr"] is not None
        )
        found.append(Track(layer="classifier", parts=parts))
    return tuple(found)


def _looked(reading: Any) -> bool:
    """Say whether a layer looked and did not abstain: an empty track says that nothing is there."""
    if isinstance(reading, list):
        return True
    return "why" not in reading and reading.get("status") != "abstained"


def _heat(llr: float) -> tuple[str, float]:
    return ("synthetic" if llr > 0 else "neutral"), abs(math.tanh(llr / _WARM))


def _part(part: dict[str, Any], length: float, kind: str, level: float, note: str) -> Part:
    start, end = max(0.0, part["start"]), min(length, part["end"])
    return Part(
        left=1000 * start / length,
        width=max(2.0, 1000 * (end - start) / length),
        kind=kind,
        level=round(level, 3),
        start=part["start"],
        end=part["end"],
        note=note,
    )
