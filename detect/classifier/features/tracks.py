"""Corners followed through a window: how well they are found again, and what becomes of them.

Corners of Shi and Tomasi, "Good features to track" (1994), followed by the pyramidal method of
Lucas and Kanade, forth and back between neighbouring frames as in Kalal et al., "Forward-backward
error" (2010). What a camera saw is found again and keeps its looks; what a generator made melts,
boils or slides in ways that need not show in any one pair of frames.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView

__all__ = ["Tracks"]

_QUALITY = 0.005
"""Weakest corner, of the strongest."""

_FEWEST_CORNERS = 12
_FEWEST_FOLLOWED = 5
_RETURN = 1.0
"""A corner is lost when following it back ends further off than this, in pixels."""

_MARGIN = 2
"""Or when it comes nearer to the edge of the picture, in pixels."""

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


@dataclass(frozen=True, kw_only=True)
class _Size:
    """At which size corners are followed.

    Attributes:
        name: Prefix of the features.
        shrink: Factor on the sides, as a divisor.
        corners: Most corners.
        distance: Between corners, at least, in pixels.
        window: Side of what is matched, in pixels.
        levels: Of the pyramid, above the picture.
    """

    name: str
    shrink: int
    corners: int
    distance: int
    window: int
    levels: int


_SIZES = (
    _Size(name="full", shrink=1, corners=300, distance=5, window=15, levels=3),
    _Size(name="half", shrink=2, corners=200, distance=4, window=11, levels=2),
)


class Tracks:
    """How corners are found again, at two sizes; how their looks and places change, at the first.

    Left out, since held-out origins were told no better with them: the fit of tracks to one rigid
    scene, their jerk, the path of the camera, a fixed grid instead of corners, tracks from the last
    frame back, the native view.
    """

    name: ClassVar[str] = "tracks"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return the names of the statistics."""
        return (
            *(f"{size.name}-{statistic}" for size in _SIZES for statistic in _FINDING),
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
        frames = np.clip(view.luma, 0, 255).astype(np.uint8)
        full, half = (_follow(_shrunk(frames, size.shrink), size) for size in _SIZES)
        if full is None or half is None:
            return nothing
        parts = (_finding(full), _finding(half), _looks(frames, full), _motion(full))
        return np.concatenate(parts).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class _Followed:
    """What came of n corners in f frames.

    What is said of a corner in a step that it was not followed in means nothing.

    Attributes:
        places: float32 (f, n, 2), x and y in pixels.
        returns: float64 (f - 1, n), how far off following back ended, in pixels.
        differences: float32 (f - 1, n), mean absolute difference of what was matched, in levels.
        lasting: bool (f - 1, n), not lost up to then.
        followed: bool (f - 1, n), which corners count at a time and are followed in the next step:
            lasting ones, or the last few that lasted.
    """

    places: NDArray[np.float32]
    returns: NDArray[np.float64]
    differences: NDArray[np.float32]
    lasting: NDArray[np.bool_]
    followed: NDArray[np.bool_]


def _shrunk(frames: NDArray[np.uint8], divisor: int) -> NDArray[np.uint8]:
    if divisor == 1:
        return frames
    sides = (frames.shape[2] // divisor, frames.shape[1] // divisor)
    return np.stack([cv2.resize(frame, sides, interpolation=cv2.INTER_AREA) for frame in frames])


def _follow(frames: NDArray[np.uint8], size: _Size) -> _Followed | None:
    """Follow the corners of the first frame; ``None`` if it has hardly any."""
    corners: Any = cv2.goodFeaturesToTrack(frames[0], size.corners, _QUALITY, size.distance)
    if corners is None or len(corners) < _FEWEST_CORNERS:
        return None
    search: dict[str, Any] = {
        "winSize": (size.window, size.window),
        "maxLevel": size.levels,
        "criteria": (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.03),
    }
    first = corners.reshape(-1, 2).astype(np.float32)
    steps, count = len(frames) - 1, len(first)
    places = np.repeat(first[None], steps + 1, axis=0)
    returns = np.zeros((steps, count))
    differences = np.zeros((steps, count), np.float32)
    lasting, followed = np.zeros((2, steps, count), bool)
    inside = np.array([frames.shape[2], frames.shape[1]]) - 1 - _MARGIN
    counted = lasts = np.ones(count, bool)
    for step, (now, later) in enumerate(itertools.pairwise(frames)):
        here = places[step, counted]
        there, forth, difference = cv2.calcOpticalFlowPyrLK(now, later, here, None, **search)
        again, back, _ = cv2.calcOpticalFlowPyrLK(later, now, there, None, **search)
        off = np.linalg.norm(again.astype(np.float64) - here, axis=1)
        within = ((there > _MARGIN) & (there < inside)).all(axis=1)
        found = (forth.ravel() == 1) & (back.ravel() == 1) & within & (off < _RETURN)
        returns[step, counted] = off
        # OpenCV leaves what it did not find as the memory was.
        difference = np.where(forth.ravel() == 1, difference.ravel(), 255).clip(0, 255)
        differences[step, counted] = difference
        places[step + 1, counted] = there
        lasting[step, counted] = found & lasts[counted]
        lasts = lasting[step]
        # Whatever is lost is of no interest any more, and following it costs as much.
        counted = lasts if lasts.sum() >= _FEWEST_FOLLOWED else counted
        followed[step] = counted
    return _Followed(
        places=places,
        returns=returns,
        differences=differences,
        lasting=lasting,
        followed=followed,
    )


def _finding(tracks: _Followed) -> list[float]:
    # The corners that a step begins with, those lost in it included.
    begun = np.concatenate([np.ones_like(tracks.lasting[:1]), tracks.followed[:-1]])
    steps = range(len(begun))
    middle = np.log([np.median(tracks.returns[step][begun[step]]) + 0.002 for step in steps])
    tail = np.log([np.percentile(tracks.returns[step][begun[step]], 90) + 0.002 for step in steps])
    unlike = np.log([np.median(tracks.differences[step][begun[step]]) + 0.1 for step in steps])
    return [
        *tracks.lasting.mean(axis=1)[_times(len(begun))].tolist(),
        middle.mean(),
        middle.std(),
        tail.mean(),
        tail.std(),
        unlike.mean(),
        unlike.std(),
        middle.max() - float(np.median(middle)),
        middle[0],
        np.abs(np.diff(middle)).mean(),
    ]


def _times(steps: int) -> list[int]:
    """Return the steps after a quarter, a half and the whole of a window."""
    frames = steps + 1
    return [max(0, frames // 4 - 1), frames // 2 - 1, steps - 1]


def _looks(frames: NDArray[np.uint8], tracks: _Followed) -> list[float]:
    squares = [_squares(frame, places) for frame, places in zip(frames, tracks.places, strict=True)]
    since, steps = [], []
    for step, followed in enumerate(tracks.followed):
        now = squares[step + 1][followed]
        since.append(float(np.median(_correlations(squares[0][followed], now))))
        steps.append(float(np.median(_correlations(squares[step][followed], now))))
    last = tracks.followed[-1]
    ends = _correlations(squares[0][last], squares[-1][last])
    stretched = _stretched(np.array([*since, np.median(steps), *np.percentile(ends, [10, 90])]))
    return [
        *stretched[_times(len(steps))].tolist(),
        stretched[-3],
        float(np.std(steps)),
        float(ends.std()),
        *stretched[-2:].tolist(),
    ]


def _squares(frame: NDArray[np.uint8], places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the square around each place, float32 (n, pixels), between pixels by halves."""
    side = np.arange(-_RADIUS, _RADIUS + 1, dtype=np.float32)
    down, right = np.meshgrid(side, side, indexing="ij")
    across, along = places[:, :1] + right.ravel(), places[:, 1:] + down.ravel()
    return np.asarray(
        cv2.remap(
            frame.astype(np.float32),
            across.astype(np.float32),
            along.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        ),
        dtype=np.float32,
    )


def _correlations(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the correlation of each row with its like, float64 (n,), 0 where one is flat."""
    first = left.astype(np.float64) - left.mean(axis=1, keepdims=True)
    second = right.astype(np.float64) - right.mean(axis=1, keepdims=True)
    norms = (first**2).sum(axis=1) * (second**2).sum(axis=1)
    return np.asarray((first * second).sum(axis=1) / np.sqrt(norms + 1e-3), dtype=np.float64)


def _stretched(correlations: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.arctanh(np.clip(correlations, -0.999, 0.999)), dtype=np.float64)


def _motion(tracks: _Followed) -> list[float]:
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
