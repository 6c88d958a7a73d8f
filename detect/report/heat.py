"""The heat map of a report: which part of the picture stands out, over a thumbnail.

Tiles are smaller than what the classifier was trained on, so their level means little; what is
shown is how each cell differs from the median of all.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Cell", "Heat", "Outline", "heat"]

_WARM = 3.0
"""Difference of log-likelihood ratios at which a colour is three quarters saturated (tanh 1)."""

_LEAST = 1.0
"""Spread of the cells, in nats, under which the map is said to be even."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A rectangle of the map, in per mille of the frame's sides.

    Attributes:
        left: Left edge.
        top: Upper edge.
        width: Width, above 0.
        height: Height, above 0.
        kind: ``"synthetic"`` or ``"neutral"``; chooses the colour.
        level: Strength of the colour, 0 to 1.
        note: The cell's log-likelihood ratio, and its difference from the median.
    """

    left: float
    top: float
    width: float
    height: float
    kind: str
    level: float
    note: str


@dataclass(frozen=True, kw_only=True)
class Outline:
    """An outline over the thumbnail, in per mille of the frame's sides.

    Attributes:
        left: Left edge.
        top: Upper edge.
        width: Width, above 0.
        height: Height, above 0.
    """

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Heat:
    """The map and the thumbnail under it.

    Attributes:
        start: Seconds, where the mapped window begins.
        end: Seconds, where it ends.
        jpeg: The thumbnail nearest to it in base64; empty without thumbnails.
        aspect: Width over height of the frame.
        cells: All cells, rows from the top.
        even: Whether no cell stands out.
        region: A rectangle that was put into the picture, told by its borders; ``None`` for none.
    """

    start: float
    end: float
    jpeg: str
    aspect: float
    cells: tuple[Cell, ...]
    even: bool
    region: Outline | None = None


def heat(row: dict[str, Any], pictures: Sequence[dict[str, Any]]) -> Heat | None:
    """Return the heat map of a verdict, ``None`` where the classifier made none.

    Args:
        row: The verdict in its JSON form.
        pictures: Thumbnails of the clip.
    """
    where = row["readings"]["classifier"].get("where") or {}
    found = where.get("heat_map")
    if not found:
        return None
    media = row.get("media") or {}
    middle = (found["start"] + found["end"]) / 2
    nearest = min(pictures, key=lambda picture: abs(picture["time"] - middle), default=None)
    return Heat(
        start=found["start"],
        end=found["end"],
        jpeg="" if nearest is None else nearest["jpeg"],
        aspect=media.get("width", 16) / max(1, media.get("height", 9)),
        cells=tuple(_cells(found)),
        even=_spread(found) < _LEAST,
        region=_outline(where.get("region")),
    )


def _outline(region: dict[str, Any] | None) -> Outline | None:
    if not region:
        return None
    top, bottom, left, right = (round(1000 * edge, 2) for edge in region["box"])
    return Outline(left=left, top=top, width=right - left, height=bottom - top)


def _spread(found: dict[str, Any]) -> float:
    """Return the largest difference of a cell from the median of all."""
    ratios = [llr for row in found["cells"] for llr in row]
    level = statistics.median(ratios)
    return float(max(abs(llr - level) for llr in ratios))


def _cells(found: dict[str, Any]) -> list[Cell]:
    top, bottom, left, right = (1000 * edge for edge in found["box"])
    rows = found["cells"]
    level = statistics.median(llr for row in rows for llr in row)
    height, width = (bottom - top) / len(rows), (right - left) / len(rows[0])
    return [
        Cell(
            left=round(left + j * width, 2),
            top=round(top + i * height, 2),
            width=round(width, 2),
            height=round(height, 2),
            kind="synthetic" if llr > level else "neutral",
            level=round(0.65 * abs(math.tanh((llr - level) / _WARM)), 3),
            note=f"LLR {llr:+.2f}, {llr - level:+.2f}",
        )
        for i, row in enumerate(rows)
        for j, llr in enumerate(row)
    ]
