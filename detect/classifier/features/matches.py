"""Key points found again after a while: how many, how alike, and how turned and scaled.

Key points and descriptors of Lowe, "Distinctive image features from scale-invariant keypoints"
(2004), matched by his ratio of the two nearest. Unlike corners that are followed from frame to
frame (``tracks``), a match over a second or two has to be found anew, so it forgives motion and not
a change of what is there; and what is rigid turns and grows as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView
from vidigree.detect.classifier.features.following import byte_frames

__all__ = ["Matches"]

_MOST = 300
_WEAKEST = 0.02
"""Contrast of a key point, as OpenCV counts it."""

_FEWEST = 10
_RATIO = 0.8
"""A match is good where the nearest is nearer than this much of the second."""

_FEWEST_GOOD = 8
_TIMES = ("step", "quarter", "half", "end")
_STATISTICS = ("good", "mutual", "ratio", "distance", "scale-spread", "turn-spread")


class Matches:
    """Key points of the first frame in the next one, and after a quarter, a half and all of it.

    ``good`` and ``mutual`` are the shares of them that are matched both ways, the first only where
    the ratio allows it; ``ratio`` is the median of the distance to the nearest descriptor over that
    to the second, ``distance`` the log of the median distance plus 1. The spreads are logs of the
    mean absolute deviation of log diameters plus 0.01, and of the median one of angles in degrees
    plus 0.3: of the good matches, or of all mutual ones where fewer than eight are good. With fewer
    than eight frames a quarter is the next frame.

    Left out, since held-out origins were told no better with them: how many key points of what
    size and strength a frame has, and how many good matches fit one similarity.
    """

    name: ClassVar[str] = "matches"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return the statistics of each pair of frames."""
        return tuple(f"{time}-{statistic}" for time in _TIMES for statistic in _STATISTICS)

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 24 features: shares, ratios and logs.

        All NaN, too, where one of the frames has fewer than ten key points.
        """
        nothing = np.full(len(self.names()), np.nan, np.float32)
        if not view.steady:
            return nothing
        frames, finder = byte_frames(view), cv2.SIFT.create(_MOST, contrastThreshold=_WEAKEST)
        first, *others = (_points(frames[time], finder) for time in (0, *_times(len(frames))))
        if min(len(points.size) for points in (first, *others)) < _FEWEST:
            return nothing
        return np.concatenate([_pair(first, points) for points in others]).astype(np.float32)


def _times(frames: int) -> tuple[int, int, int, int]:
    return 1, frames // 4, frames // 2, frames - 1


@dataclass(frozen=True)
class _Points:
    """Key points of a frame.

    Attributes:
        descriptors: float32 (n, 128).
        size: float64 (n,), diameters in pixels.
        angle: float64 (n,), in degrees.
    """

    descriptors: NDArray[np.float32]
    size: NDArray[np.float64]
    angle: NDArray[np.float64]


def _points(frame: NDArray[np.uint8], finder: cv2.SIFT) -> _Points:
    points, descriptors = cast("Any", finder).detectAndCompute(frame, None)
    return _Points(
        np.zeros((0, 128), np.float32) if descriptors is None else descriptors,
        np.array([point.size for point in points], dtype=np.float64),
        np.array([point.angle for point in points], dtype=np.float64),
    )


def _pair(first: _Points, second: _Points) -> list[float]:
    squares = [(points.descriptors**2).sum(axis=1) for points in (first, second)]
    products = first.descriptors @ second.descriptors.T
    distances = np.sqrt(np.maximum(squares[0][:, None] + squares[1] - 2 * products, 0))
    nearest = distances.argmin(axis=1)
    two = np.partition(distances, 1, axis=1)[:, :2]
    ratio = two[:, 0] / (two[:, 1] + 1e-6)
    mutual = distances.argmin(axis=0)[nearest] == np.arange(len(nearest))
    good = mutual & (ratio < _RATIO)
    # The nearest pair of all is mutual, so there is always one.
    judged = good if good.sum() >= _FEWEST_GOOD else mutual
    growth = np.log(second.size[nearest] / first.size)[judged]
    turn = ((second.angle[nearest] - first.angle + 180) % 360 - 180)[judged]
    return [
        float(good.mean()),
        float(mutual.mean()),
        float(np.median(ratio)),
        float(np.log(np.median(two[:, 0]) + 1)),
        float(np.log(np.abs(growth - np.median(growth)).mean() + 0.01)),
        float(np.log(np.median(np.abs(turn - np.median(turn))) + 0.3)),
    ]
