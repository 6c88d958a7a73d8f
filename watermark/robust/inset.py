"""Pictures in pictures: find the rectangle that a clip is shown in, by its four borders.

A border stands still while both pictures move, runs straight along rows and columns, and is a step
in nearly every row or column that it crosses. Inside it lies the whole marked picture, so that its
borders give scale and place at once, and what surrounds it is noise no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

__all__ = ["insets_of"]

_STEP = 2.0
_RIDGE = 1.5
_CANDIDATES = 10
_LEAST_SIDE = 0.25
_MOST_AREA = 0.97
_LEAST_SHARE = 0.5
_AT_FRAME = 0.7


def insets_of(lumas: Sequence[NDArray[np.float32]]) -> list[tuple[slice, slice]]:
    """Return the rows and columns of pictures that may be shown inside a larger one.

    Args:
        lumas: float32 (h, w) in [0, 255], of one size.

    Returns:
        At most two rectangles whose weakest border is a step over most of its length: the one
        whose weakest border is strongest, and the largest, for a picture may have strong lines of
        its own. A picture in a corner has its frame's borders, of which nothing is seen: they count
        less than a clear step, and not for the largest.
    """
    height, width = lumas[0].shape
    across = _steps(lumas)  # (h, w - 1): between columns, along rows
    down = _steps([luma.T for luma in lumas])  # (w, h - 1): between rows, along columns
    columns, rows = (
        np.array(_pairs(steps, size)) for steps, size in ((across, width), (down, height))
    )
    # Every pair of columns with every pair of rows: (column pairs, row pairs).
    left, right = columns.T[:, :, None]
    top, bottom = rows.T[:, None]
    share = np.min(
        [
            *(_stepped(across, places, rows) for places in columns.T),
            *(_stepped(down, places, columns).T for places in rows.T),
        ],
        axis=0,
    )
    area = (right - left) * (bottom - top)
    found = (area <= _MOST_AREA * height * width) & (share >= _LEAST_SHARE)
    if not found.any():
        return []
    free = (left > 0) & (top > 0) & (right < width) & (bottom < height)
    best = [int(np.where(found, of, -1).argmax()) for of in (share, area * free)]
    return [
        (slice(*rows[place % len(rows)].tolist()), slice(*columns[place // len(rows)].tolist()))
        for place in dict.fromkeys(best)
    ]


def _stepped(
    steps: NDArray[np.bool_], places: NDArray[np.int64], spans: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the share of each span of lines in which each place is a step, (places, spans).

    Args:
        steps: bool (lines, n - 1), as by :func:`_steps`.
        places: int64 (places,), borders from 0 to n; those at the frame count as it does.
        spans: int64 (spans, 2), first line of each span and the one after its last.
    """
    end = steps.shape[1] + 1
    sums = np.concatenate([np.zeros((1, end - 1), np.int64), np.cumsum(steps, axis=0)])
    first, last = spans.T
    seen = sums[:, np.clip(places, 1, end - 1) - 1]
    inside = ((places > 0) & (places < end))[:, None]
    return np.where(inside, (seen[last] - seen[first]).T / (last - first), _AT_FRAME)


def _steps(lumas: Sequence[NDArray[np.float32]]) -> NDArray[np.bool_]:
    """Return where a lasting step stands out between neighbours along a row, (rows, n - 1)."""
    jump = np.mean([np.abs(np.diff(luma, axis=1)) for luma in lumas], axis=0)
    padded = np.pad(jump, ((0, 0), (3, 3)), mode="edge")
    count = jump.shape[1]
    around = sum(padded[:, 3 + shift : 3 + shift + count] for shift in (-3, -2, 2, 3)) / 4
    return np.asarray((jump > _STEP) & (jump > _RIDGE * around))


def _pairs(steps: NDArray[np.bool_], size: int) -> list[tuple[int, int]]:
    """Return likely pairs of borders, as places from 0 to size."""
    gain = steps.astype(np.float32) - np.float32(_LEAST_SHARE)
    # The best sum of a run, for every place at once (Kadane's algorithm).
    run = np.zeros(gain.shape[1], np.float32)
    best = run
    for row in gain:
        run = np.maximum(run + row, 0)
        best = np.maximum(best, run)
    order = np.argsort(-best, kind="stable")[:_CANDIDATES]
    places = sorted({0, size, *(int(index) + 1 for index in order)})
    return [(a, b) for a, b in combinations(places, 2) if b - a >= _LEAST_SIDE * size]
