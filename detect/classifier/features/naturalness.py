"""Natural scene statistics: shapes of locally normalised luminance and of its differences.

After Mittal, Moorthy and Bovik, "No-reference image quality assessment in the spatial domain"
(2012), sections II-III, by moments instead of fitted generalised Gaussians, and applied to frame
differences as well (as in their VIIDEO, 2016).
"""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView

__all__ = ["Naturalness"]

_SIGNALS = ("frame", "half-frame", "difference", "half-difference")
_DIRECTIONS = {"right": (0, 1), "down": (1, 0), "diagonal": (1, 1), "antidiagonal": (1, -1)}
_PRODUCTS = ("mean", "spread", "skew", "tail")


class Naturalness:
    """Moments of normalised pixels and of products of neighbours, at two sizes."""

    name: ClassVar[str] = "naturalness"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return ``signal-statistic`` names."""
        inner = ("spread", "skew", "tail", "deviation", "deviation-spread")
        pairs = [f"{direction}-{part}" for direction in _DIRECTIONS for part in _PRODUCTS]
        return tuple(f"{signal}-{part}" for signal in _SIGNALS for part in (*inner, *pairs))

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 84 features: 21 for each of frames and differences at full and half size."""
        if not view.steady:
            return np.full(len(self.names()), np.nan, np.float32)
        stride = max(1, (len(view.luma) - 1) // 4)
        frames = view.luma[:-1][::stride]
        differences = np.diff(view.luma, axis=0)[::stride]
        parts = []
        for signal in (frames, differences):
            for half in (False, True):
                rows = [
                    _statistics(cv2.resize(s, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
                    if half
                    else _statistics(s)
                    for s in signal
                ]
                parts.append(np.mean(rows, axis=0))
        return np.concatenate(parts).astype(np.float32)


def _statistics(image: NDArray[np.float32]) -> NDArray[np.float64]:
    mean = cv2.GaussianBlur(image, (7, 7), 7 / 6)
    deviation = np.sqrt(np.maximum(cv2.GaussianBlur(image**2, (7, 7), 7 / 6) - mean**2, 0))
    normal = (image - mean) / (deviation + 1.0)
    values = [
        np.log(normal.std() + 1e-2),
        _skew(normal),
        _tail(normal),
        np.log(deviation.mean() + 0.1),
        np.log((deviation.std() + 0.1) / (deviation.mean() + 0.1)),
    ]
    height, width = normal.shape
    for down, right in _DIRECTIONS.values():
        shifted = normal[down:, max(right, 0) : width + min(right, 0)]
        base = normal[: height - down, max(-right, 0) : width - max(right, 0)]
        product = base * shifted
        values += [product.mean(), np.log(product.std() + 1e-2), _skew(product), _tail(product)]
    return np.array(values)


def _skew(values: NDArray[np.float32]) -> float:
    """Return the balance of positive and negative magnitudes, in [-1, 1]."""
    up, down = np.maximum(values, 0).mean(), np.maximum(-values, 0).mean()
    return float((up - down) / (up + down + 1e-3))


def _tail(values: NDArray[np.float32]) -> float:
    """Return the log ratio of mean square to squared mean magnitude."""
    return float(np.log(((values**2).mean() + 1e-3) / (np.abs(values).mean() ** 2 + 1e-3)))
