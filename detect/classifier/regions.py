"""A rectangle with another history than the rest of the picture, told by its borders.

What is pasted over footage ends in four straight lines that stay where they are while both sides
move: at each the step between two neighbouring pixels is larger than the steps beside it, in most
frames, along the whole side and not beyond its ends. Edges of things seldom do that, and hardly
ever on four sides of one rectangle. A border that was blended is no step between pixels, but one
again in a picture reduced so far that the blend is a pixel wide. Nothing is asked of the
classifier, so a region says that the picture was put together, not which part is synthetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.geometry import Box, content_box

__all__ = ["LEAST_BORDER", "REGIONS_VERSION", "Region", "overlap", "pasted_rectangle"]

REGIONS_VERSION = 1
"""Raised whenever what is found changes."""

LEAST_BORDER = 0.7
"""Evidence from which a rectangle is named, in nats; see :class:`Region`."""

_CELLS = 20
"""Cells along the short side of the picture: how finely the ends of a border are sought. The place
of its line is found to the pixel."""

_SHORTEST, _LONGEST = 0.2, 0.8
"""Sides of a rectangle as parts of the picture's."""

_FEWEST_PIXELS = 64
_LEVELS = 1.5
"""Levels of 0-255 added to both steps of a ratio, so that noise in flat parts counts little."""

_BEYOND = 3
"""Cells beyond either end of a border in which its line should have stopped."""

_LOW, _HIGH = -0.5, 1.2
"""Evidence of one pixel is kept within these, so that a few sharp ones do not carry a border."""


@dataclass(frozen=True)
class _Scale:
    """A size at which borders are sought.

    Attributes:
        short_side: Pixels of the short side, at most.
        beside: Distances in pixels of the steps that a step is compared with, to both sides.
        handicap: Taken off the evidence, in nats: reduced pictures have more steps of their own.
    """

    short_side: int
    beside: tuple[int, ...]
    handicap: float


_SCALES = (
    _Scale(short_side=540, beside=(1, 2), handicap=0.0),
    _Scale(short_side=90, beside=(2, 3), handicap=0.1),
)


@dataclass(frozen=True, kw_only=True)
class Region:
    """A rectangle that stands out by its borders.

    Attributes:
        box: Top, bottom, left and right edge as parts of the frame, [0, 1].
        evidence: Natural logarithm of how much larger the step across a border is than the steps
            beside it, less half of the same beyond its ends: half the mean of the four borders and
            half the weakest, at most 1.2.
    """

    box: tuple[float, float, float, float]
    evidence: float

    def to_dict(self) -> dict[str, Any]:
        """Return the region as JSON values."""
        return {"box": [round(edge, 4) for edge in self.box], "evidence": round(self.evidence, 3)}


def pasted_rectangle(images: Sequence[NDArray[np.uint8]]) -> Region | None:
    """Find the rectangle with the strongest borders; the caller asks whether that is enough.

    A border on the edge of the picture cannot be seen, so such a rectangle is not found.

    Args:
        images: uint8 RGB (H, W, 3), frames of one shot in order; the more, the surer.

    Returns:
        The region; ``None`` where the picture inside its bars is too small.
    """
    content = content_box(images)
    if content.short_side < _FEWEST_PIXELS:
        return None
    found = [_at_scale(images, content, scale) for scale in _SCALES]
    return max(found, key=lambda region: region.evidence)


def _at_scale(images: Sequence[NDArray[np.uint8]], content: Box, size: _Scale) -> Region:
    height, width = images[0].shape[:2]
    luma = np.stack([_reduced_luma(image, content, size.short_side) for image in images])
    shape = luma.shape[1], luma.shape[2]
    cells = [max(_CELLS, round(_CELLS * side / min(shape))) for side in shape]
    upright = _Borders(_line_evidence(luma, size.beside), cells)
    level = _Borders(_line_evidence(luma.transpose(0, 2, 1), size.beside), cells[::-1])
    # Every pair of rows (of cells) is joined with every pair of columns.
    rows, columns = upright.spans, level.spans
    sides = np.stack(
        [
            upright.best[:, columns[:, 0]],
            upright.best[:, columns[:, 1]],
            level.best[:, rows[:, 0]].T,
            level.best[:, rows[:, 1]].T,
        ]
    )
    evidence = (sides.mean(axis=0) + sides.min(axis=0)) / 2
    i, j = np.unravel_index(int(evidence.argmax()), evidence.shape)
    scale = (content.bottom - content.top) / shape[0], (content.right - content.left) / shape[1]
    top, bottom = (float(content.top + level.place[j, end] * scale[0]) for end in rows[i])
    left, right = (float(content.left + upright.place[i, end] * scale[1]) for end in columns[j])
    return Region(
        box=(top / height, bottom / height, left / width, right / width),
        evidence=float(evidence[i, j]) - size.handicap,
    )


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Return intersection over union of two boxes (top, bottom, left, right), [0, 1]."""
    down = max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
    across = max(0.0, min(one[3], other[3]) - max(one[2], other[2]))
    areas = [(box[1] - box[0]) * (box[3] - box[2]) for box in (one, other)]
    return down * across / (sum(areas) - down * across)


def _reduced_luma(image: NDArray[np.uint8], content: Box, short: int) -> NDArray[np.float32]:
    cut = np.ascontiguousarray(content.cut(image))
    luma = np.asarray(cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    factor = short / min(luma.shape)
    if factor < 1:
        size = round(luma.shape[1] * factor), round(luma.shape[0] * factor)
        luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return luma.astype(np.float32)


def _line_evidence(luma: NDArray[np.float32], beside: Sequence[int]) -> NDArray[np.float64]:
    """Return for each place between two pixels of a row how much it looks like an upright border.

    Args:
        luma: float32 (F, H, W).
        beside: See :class:`_Scale`.

    Returns:
        float64 (H, W - 1); column x lies between the pixels x and x + 1.
    """
    step = np.abs(np.diff(luma, axis=2)).mean(axis=0, dtype=np.float64)
    most, count = max(beside), step.shape[1]
    padded = np.pad(step, ((0, 0), (most, most)), mode="edge")
    starts = [most + sign * distance for distance in beside for sign in (-1, 1)]
    usual = np.mean([padded[:, start : start + count] for start in starts], axis=0)
    ratio = np.log((step + _LEVELS) / (usual + _LEVELS))
    return np.asarray(np.clip(ratio, _LOW, _HIGH), dtype=np.float64)


class _Borders:
    """The best upright line near every boundary of cells, for every span of rows of cells.

    Attributes:
        spans: int64 (S, 2), first row of cells of a span and the boundary after its last.
        best: float64 (S, columns + 1), mean evidence along the best line near each boundary, less
            half the mean of what is left of it beyond both ends.
        place: int64 (S, columns + 1), where that line is: pixels left of it.
    """

    def __init__(self, evidence: NDArray[np.float64], cells: Sequence[int]) -> None:
        """Args: evidence as by :func:`_line_evidence`, and the numbers of rows and columns."""
        rows, columns = cells
        height, width = evidence.shape[0], evidence.shape[1] + 1
        self.spans = np.array(
            [
                (first, last)
                for first in range(rows)
                for last in range(first + 1, rows + 1)
                if _SHORTEST <= (last - first) / rows <= _LONGEST
            ]
        )
        ends = np.linspace(0, height, rows + 1).round().astype(int)
        sums = np.concatenate([np.zeros((1, width - 1)), np.cumsum(evidence, axis=0)])[ends]
        first, last = self.spans.T
        before, after = np.maximum(first - _BEYOND, 0), np.minimum(last + _BEYOND, rows)

        def mean(start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.float64]:
            count = np.maximum(ends[stop] - ends[start], 1)[:, None]
            return np.asarray((sums[stop] - sums[start]) / count, dtype=np.float64)

        outside = np.maximum(mean(before, first), 0) + np.maximum(mean(last, after), 0)
        along = mean(first, last) - outside / 4
        # A line belongs to the boundaries on both sides of its cell: one of them is at most half
        # a cell away, and the span that fits best decides.
        edges = np.linspace(0, width, columns + 1).round().astype(int)
        self.best = np.empty((len(self.spans), columns + 1))
        self.place = np.empty((len(self.spans), columns + 1), dtype=np.int64)
        for boundary in range(columns + 1):
            start = max(edges[max(boundary - 1, 0)] - 1, 0)
            part = along[:, start : edges[min(boundary + 1, columns)] - 1]
            self.best[:, boundary] = part.max(axis=1)
            self.place[:, boundary] = part.argmax(axis=1) + start + 1
