"""Corners followed through a window: how well they are found again, and what becomes of them.

What a camera saw is found again and keeps its looks; what a generator made melts, boils or slides
in ways that need not show in any one pair of frames. See ``following`` for the method.
"""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView
from vidigree.detect.classifier.features.following import (
    Followed,
    Search,
    byte_frames,
    follow,
    followed_corners,
    squares_around,
)

__all__ = ["Tracks"]

_RADIUS = 4
"""Of the square around a corner whose looks are compared, in pixels."""

_FINDING = (
    "kept-quarter",
    "kept-half",
    "kept-end",
    "return",
    "return-spread",
    "return-tail",
    "return-tail-spread",
    "difference",
    "difference-spread",
    "return-peak",
    "return-first",
    "return-jitter",
)
_LOOKS = (
    "looks-quarter",
    "looks-half",
    "looks-end",
    "looks-step",
    "looks-step-spread",
    "looks-spread",
    "looks-low",
    "looks-high",
)
_MOTION = ("zoom", "zoom-size", "shake", "speed-spread")

_AT_HALF_SIZE = Search(corners=200, distance=4, window=11, levels=2)


class Tracks:
    """How corners are found again, at two sizes; how their looks and places change, at the first.

    Left out, since held-out origins were told no better with them: the fit of tracks to one rigid
    scene or to their neighbours, their jerk, the path of the camera, a fixed grid instead of
    corners, tracks from the last frame back, chains followed forth and back over several frames,
    the native view.
    """

    name: ClassVar[str] = "tracks"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return the names of the statistics."""
        return (
            *(f"{size}-{statistic}" for size in ("full", "half") for statistic in _FINDING),
            *_LOOKS,
            *_MOTION,
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 36 features: shares, logs of pixels and levels, and transformed correlations.

        All NaN, too, where a picture has fewer than twelve corners.
        """
        nothing = np.full(len(self.names()), np.nan, np.float32)
        if not view.steady:
            return nothing
        frames = byte_frames(view)
        full, half = followed_corners(view), follow(_halved(frames), _AT_HALF_SIZE)
        if full is None or half is None:
            return nothing
        parts = (_finding(full), _finding(half), _looks(frames, full), _motion(full))
        return np.concatenate(parts).astype(np.float32)


def _halved(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    sides = (frames.shape[2] // 2, frames.shape[1] // 2)
    return np.stack([cv2.resize(frame, sides, interpolation=cv2.INTER_AREA) for frame in frames])


def _finding(tracks: Followed) -> list[float]:
    # The corners that a step begins with, those lost in it included.
    begun = np.concatenate([np.ones_like(tracks.lasting[:1]), tracks.followed[:-1]])
    steps = range(len(begun))
    middle = np.log([_median(tracks.returns[step][begun[step]]) + 0.002 for step in steps])
    tail = np.log([np.percentile(tracks.returns[step][begun[step]], 90) + 0.002 for step in steps])
    unlike = np.log([_median(tracks.differences[step][begun[step]]) + 0.1 for step in steps])
    return [
        *tracks.lasting.mean(axis=1)[_times(len(begun))].tolist(),
        middle.mean(),
        middle.std(),
        tail.mean(),
        tail.std(),
        unlike.mean(),
        unlike.std(),
        middle.max() - float(_median(middle)),
        middle[0],
        np.abs(np.diff(middle)).mean(),
    ]


def _median(values: NDArray[Any] | list[float]) -> Any:
    """Return what ``numpy.median`` does of one row, with less ado: it is asked for many a time."""
    row = np.asarray(values)
    low, high = (len(row) - 1) // 2, len(row) // 2
    parted = np.partition(row, (low, high, -1))
    # What is no number comes last.
    return parted[-1] if np.isnan(parted[-1]) else (parted[low] + parted[high]) / 2


def _times(steps: int) -> list[int]:
    """Return the steps after a quarter, a half and the whole of a window."""
    frames = steps + 1
    return [max(0, frames // 4 - 1), frames // 2 - 1, steps - 1]


def _looks(frames: NDArray[np.uint8], tracks: Followed) -> list[float]:
    squares = [
        squares_around(frame.astype(np.float32), places, _RADIUS)
        for frame, places in zip(frames, tracks.places, strict=True)
    ]
    since, steps = [], []
    for step, followed in enumerate(tracks.followed):
        now = squares[step + 1][followed]
        since.append(float(_median(_correlations(squares[0][followed], now))))
        steps.append(float(_median(_correlations(squares[step][followed], now))))
    last = tracks.followed[-1]
    ends = _correlations(squares[0][last], squares[-1][last])
    stretched = _stretched(np.array([*since, _median(steps), *np.percentile(ends, [10, 90])]))
    return [
        *stretched[_times(len(steps))].tolist(),
        stretched[-3],
        float(np.std(steps)),
        float(ends.std()),
        *stretched[-2:].tolist(),
    ]


def _correlations(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the correlation of each row with its like, float64 (n,), 0 where one is flat."""
    first = left.astype(np.float64) - left.mean(axis=1, keepdims=True)
    second = right.astype(np.float64) - right.mean(axis=1, keepdims=True)
    norms = (first**2).sum(axis=1) * (second**2).sum(axis=1)
    return np.asarray((first * second).sum(axis=1) / np.sqrt(norms + 1e-3), dtype=np.float64)


def _stretched(correlations: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.arctanh(np.clip(correlations, -0.999, 0.999)), dtype=np.float64)


def _motion(tracks: Followed) -> list[float]:
    """Return zoom a frame and its size in per cent, the shake and the spread of speeds."""
    kept = np.ascontiguousarray(tracks.places[:, tracks.followed[-1]])  # as OpenCV needs points
    centre = np.full(2, 128.0)
    moves, zooms = [], []
    for now, later in itertools.pairwise(kept):
        turn, _ = cv2.estimateAffinePartial2D(now, later, ransacReprojThreshold=1.0)
        if turn is None:
            turn = np.eye(2, 3)
        moves.append(turn[:, :2] @ centre + turn[:, 2] - centre)
        zooms.append(100 * np.log(np.hypot(turn[0, 0], turn[1, 0]) + 1e-9))
    jumps = np.diff(np.array(moves), n=2, axis=0)
    speeds = np.linalg.norm(np.diff(kept, axis=0), axis=2).mean(axis=0)
    return [
        float(np.mean(zooms)),
        float(np.log(np.abs(zooms).mean() + 0.005)),
        float(np.log(np.abs(jumps).mean(axis=0).sum() + 0.005)) if len(jumps) else 0.0,
        float(speeds.std() / (speeds.mean() + 0.05)),
    ]
