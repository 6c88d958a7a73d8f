"""The curve of a report: what the classifier says of each window, and what stands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Band", "Curve", "Stroke", "curve"]

_LIMIT = 6.0
"""Log-likelihood ratios beyond this are drawn at the edge."""


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """One window of the curve, in per mille of the clip's length and of the drawing's height.

    Attributes:
        left: Where it begins, 0 to 1000.
        right: Where it ends, 0 to 1000.
        down: How far from the top, 0 to 1000; 500 is a ratio of zero.
        kind: ``"synthetic"`` or ``"neutral"``; chooses the colour.
        note: The window's figure.
    """

    left: float
    right: float
    down: float
    kind: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Band:
    """A stretch that stands out, in per mille of the clip's length."""

    left: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Strokes in order, and the bands behind them."""

    strokes: tuple[Stroke, ...]
    bands: tuple[Band, ...]


def curve(row: dict[str, Any]) -> Curve | None:
    """Return the curve of a verdict, ``None`` where the classifier drew none.

    Args:
        row: The verdict in its JSON form.
    """
    where = row["readings"]["classifier"].get("where") or {}
    points = where.get("curve") or []
    length = max((point["end"] for point in points), default=0.0)
    if not length:
        return None
    return Curve(
        strokes=tuple(_stroke(point, length) for point in points),
        bands=tuple(
            Band(
                left=round(1000 * part["start"] / length, 2),
                width=round(1000 * (part["end"] - part["start"]) / length, 2),
            )
            for part in where["stretches"]
        ),
    )


def _stroke(point: dict[str, Any], length: float) -> Stroke:
    llr = point["llr"]
    limited = min(max(llr, -_LIMIT), _LIMIT)
    return Stroke(
        left=round(1000 * point["start"] / length, 2),
        right=round(1000 * point["end"] / length, 2),
        down=round(500 - 460 * limited / _LIMIT, 1),
        kind="synthetic" if llr > 0 else "neutral",
        note=f"LLR {llr:+.2f}",
    )
