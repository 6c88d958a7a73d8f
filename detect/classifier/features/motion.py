"""Motion vectors of the fixed re-encode: how plausibly blocks move, and what they cost.

The idea of judging the codec's own vectors after a re-encode of one's own is that of VidAudit's
TemporalSpec (arXiv 2606.31004); the statistics here are others.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView

__all__ = ["MotionVectors"]

_GRID = 16


class MotionVectors:
    """Magnitude, roughness, acceleration and bit cost of block motion."""

    name: ClassVar[str] = "motion"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return the names of the statistics."""
        return (
            "magnitude-mean",
            "magnitude-spread",
            "magnitude-p90",
            "still",
            "intra",
            "roughness",
            "roughness-share",
            "acceleration",
            "acceleration-share",
            "autocorrelation",
            "global-share",
            "small-blocks",
            "subpixel",
            "inter-cost",
            "inter-cost-spread",
            "inter-cost-trend",
            "inter-cost-jump",
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 17 features, most of them logs."""
        if not view.steady:
            return np.full(len(self.names()), np.nan, np.float32)
        side = view.luma.shape[1]
        fields = np.stack([_field(vectors, side) for vectors in view.motion[1:]])
        known = ~np.isnan(fields[..., 0])
        filled = np.nan_to_num(fields)
        magnitude = np.hypot(filled[..., 0], filled[..., 1])
        rough = np.abs(np.diff(filled, axis=1)).mean() + np.abs(np.diff(filled, axis=2)).mean()
        jumps = np.abs(np.diff(filled, axis=0)).mean()
        mean = magnitude.mean()
        overall = np.linalg.norm(filled.mean(axis=(1, 2)), axis=1).mean()
        every = np.concatenate(view.motion[1:]) if len(view.motion) > 1 else np.zeros((0, 6))
        costs = np.log(view.sizes[1:].astype(float))
        values = [
            np.log(mean + 0.05),
            np.log(magnitude.std() + 0.05),
            np.log(np.quantile(magnitude, 0.9) + 0.05),
            (magnitude < 0.25).mean(),
            1 - known.mean(),
            np.log(rough + 0.05),
            np.log((rough + 0.05) / (mean + 0.05)),
            np.log(jumps + 0.05),
            np.log((jumps + 0.05) / (mean + 0.05)),
            _autocorrelation(filled),
            overall / (mean + 0.05),
            (every[:, 0] * every[:, 1] < 256).mean() if len(every) else 0.0,
            (np.mod(every[:, 4:], 4) != 0).mean() if len(every) else 0.0,
            costs.mean() - np.log(view.sizes[0]),
            costs.std(),
            np.polyfit(np.arange(len(costs)), costs, 1)[0],
            np.abs(np.diff(costs)).mean(),
        ]
        return np.array(values, dtype=np.float32)


def _field(vectors: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Spread vectors over a grid (_GRID, _GRID, 2) in pixels; NaN where the codec sent none."""
    cell = side // _GRID
    total = np.zeros((_GRID, _GRID, 2), np.float32)
    weight = np.zeros((_GRID, _GRID, 1), np.float32)
    if len(vectors):
        column = np.clip(vectors[:, 2] // cell, 0, _GRID - 1).astype(int)
        row = np.clip(vectors[:, 3] // cell, 0, _GRID - 1).astype(int)
        area = (vectors[:, 0] * vectors[:, 1])[:, None]
        np.add.at(total, (row, column), vectors[:, 4:] / 4 * area)
        np.add.at(weight, (row, column), area)
    with np.errstate(invalid="ignore"):
        return np.where(weight > 0, total / weight, np.nan).astype(np.float32)


def _autocorrelation(fields: NDArray[np.float32]) -> float:
    """Return how much each block's motion resembles its motion one frame before, in [-1, 1]."""
    left, right = fields[:-1], fields[1:]
    norm = np.sqrt((left**2).sum() * (right**2).sum())
    return float((left * right).sum() / norm) if norm > 0 else 0.0
