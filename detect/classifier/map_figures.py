"""How well the heat map tells a pasted region from the rest of the frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.heat_map import CELLS, cells_of_tiles
from vidigree.detect.classifier.metrics import area_under_curve
from vidigree.detect.classifier.spliced_clips import SplicedClip

__all__ = ["cells_area"]


def cells_area(
    pasted: Sequence[SplicedClip], score: Callable[[int, NDArray[np.float32]], NDArray[np.float64]]
) -> float:
    """Return the area under the curve of cells inside against cells outside, mean over clips.

    Args:
        pasted: Clips with a pasted region; those without a full map are left out.
        score: Fold and rows of features to log-likelihood ratios.
    """
    areas = []
    for clip in pasted:
        if len(clip.rows) != (CELLS - 1) ** 2:
            continue
        llr = score(clip.splice.fold, clip.rows)
        cells = np.array(cells_of_tiles(llr.reshape(CELLS - 1, CELLS - 1)))
        inside = _share_inside(clip.truth).ravel() >= 0.5
        areas.append(area_under_curve(cells.ravel(), inside))
    return float(np.mean(areas)) if areas else float("nan")


def _share_inside(truth: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the share of each cell that lies in the region; the map covers the whole frame."""
    edges = np.linspace(0, 1, CELLS + 1)
    top, bottom, left, right = truth
    rows = np.clip(np.minimum(edges[1:], bottom) - np.maximum(edges[:-1], top), 0, None) * CELLS
    columns = np.clip(np.minimum(edges[1:], right) - np.maximum(edges[:-1], left), 0, None) * CELLS
    return np.asarray(np.outer(rows, columns), dtype=np.float64)
