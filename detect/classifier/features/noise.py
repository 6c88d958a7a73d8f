"""The noise floor: what is left in the flattest places, by brightness and over time."""

from __future__ import annotations

import itertools
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView

__all__ = ["NoiseLevel"]

_BLOCK = 8
_QUANTILES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
_BINS = (0, 48, 80, 112, 144, 176, 256)


class NoiseLevel:
    """Quantiles of local residual energy, by brightness, in space and over time."""

    name: ClassVar[str] = "noise"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return names of quantiles and brightness bins."""
        return (
            *(f"space-{quantile:g}" for quantile in _QUANTILES),
            *(f"time-{quantile:g}" for quantile in _QUANTILES),
            *(f"ratio-{quantile:g}" for quantile in _QUANTILES),
            *(f"level-{low}" for low in _BINS[:-1]),
            "space-time-correlation",
            "sharpest",
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 29 features: logs of standard deviations in levels of 0-255."""
        if not view.steady:
            return np.full(len(self.names()), np.nan, np.float32)
        stride = max(1, (len(view.luma) - 1) // 6)
        frames = view.luma[:-1][::stride]
        smooth = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.0) for frame in frames])
        space = _deviation(frames - smooth)
        time = _deviation(np.diff(view.luma, axis=0)[::stride])
        level = _block_mean(frames)
        logs_space, logs_time = np.log(space + 0.05), np.log(time + 0.05)
        floor = float(np.median(logs_space))
        levels = [
            _floor(logs_space[(level >= low) & (level < high)], floor) - floor
            for low, high in itertools.pairwise(_BINS)
        ]
        spread = logs_space.std() * logs_time.std()
        covariance = ((logs_space - logs_space.mean()) * (logs_time - logs_time.mean())).mean()
        return np.concatenate(
            [
                np.quantile(logs_space, _QUANTILES),
                np.quantile(logs_time, _QUANTILES),
                np.quantile(logs_time - logs_space, _QUANTILES),
                levels,
                [covariance / (spread + 1e-2), np.log(np.abs(frames - smooth).max() + 1)],
            ]
        ).astype(np.float32)


def _block_mean(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    count, height, width = frames.shape
    blocks = frames.reshape(count, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
    return np.asarray(blocks.mean(axis=(2, 4)), dtype=np.float32)


def _deviation(residual: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.sqrt(_block_mean(residual**2))


def _floor(values: NDArray[np.float32], fallback: float) -> float:
    """Return the lower decile, or the fallback where there are too few blocks for one."""
    return float(np.quantile(values, 0.1)) if values.size >= 20 else fallback
