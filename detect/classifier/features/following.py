"""Corners followed through a window, what several feature groups look at.

Corners of Shi and Tomasi, "Good features to track" (1994), followed by the pyramidal method of
Lucas and Kanade, forth and back between neighbouring frames as in Kalal et al., "Forward-backward
error" (2010).
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView

__all__ = [
    "Followed",
    "Search",
    "byte_frames",
    "follow",
    "followed_corners",
    "squares_around",
]

_QUALITY = 0.005
"""Weakest corner, of the strongest."""

_FEWEST_CORNERS = 12
_FEWEST_FOLLOWED = 5
_RETURN = 1.0
"""A corner is lost when following it back ends further off than this, in pixels."""

_MARGIN = 2
"""Or when it comes nearer to the edge of the picture, in pixels."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """How corners are looked for and followed.

    Attributes:
        corners: Most corners.
        distance: Between corners, at least, in pixels.
        window: Side of what is matched, in pixels.
        levels: Of the pyramid, above the picture.
    """

    corners: int
    distance: int
    window: int
    levels: int


@dataclass(frozen=True, kw_only=True)
class Followed:
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


_FULL_SIZE = Search(corners=300, distance=5, window=15, levels=3)

_FOLLOWED = "followed-corners"


def byte_frames(view: DecodedView) -> NDArray[np.uint8]:
    """Return the luma of a view in whole levels, uint8 (F, H, W)."""
    return np.clip(view.luma, 0, 255).astype(np.uint8)


def followed_corners(view: DecodedView) -> Followed | None:
    """Return what came of the corners of a view's first frame at full size; see :func:`follow`.

    Several groups look at them, so they are followed once for a view.
    """
    if _FOLLOWED not in view.shared:
        view.shared[_FOLLOWED] = follow(byte_frames(view), _FULL_SIZE)
    return cast("Followed | None", view.shared[_FOLLOWED])


def follow(frames: NDArray[np.uint8], search: Search) -> Followed | None:
    """Follow the corners of the first frame; ``None`` if it has fewer than twelve.

    Args:
        frames: uint8 (f, H, W), at least two.
        search: How they are looked for and followed.
    """
    corners: Any = cv2.goodFeaturesToTrack(frames[0], search.corners, _QUALITY, search.distance)
    if corners is None or len(corners) < _FEWEST_CORNERS:
        return None
    options: dict[str, Any] = {
        "winSize": (search.window, search.window),
        "maxLevel": search.levels,
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
        there, forth, difference = cv2.calcOpticalFlowPyrLK(now, later, here, None, **options)
        again, back, _ = cv2.calcOpticalFlowPyrLK(later, now, there, None, **options)
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
    return Followed(
        places=places,
        returns=returns,
        differences=differences,
        lasting=lasting,
        followed=followed,
    )


def squares_around(
    plane: NDArray[np.float32], places: NDArray[np.float32], radius: int
) -> NDArray[np.float32]:
    """Return the square around each place, interpolated linearly, edges reflected.

    Args:
        plane: float32 (H, W).
        places: float32 (n, 2), x and y in pixels.
        radius: From the middle of a square to its middle rows and columns at the edge, in pixels.

    Returns:
        float32 (n, (2 radius + 1) ** 2).
    """
    down, right = _offsets(radius)
    across, along = places[:, :1] + right, places[:, 1:] + down
    return np.asarray(
        cv2.remap(
            plane,
            across.astype(np.float32, copy=False),
            along.astype(np.float32, copy=False),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        ),
        dtype=np.float32,
    )


@functools.lru_cache(maxsize=8)
def _offsets(radius: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how far the pixels of a square lie below and right of its middle, row by row."""
    side = np.arange(-radius, radius + 1, dtype=np.float32)
    down, right = np.meshgrid(side, side, indexing="ij")
    return down.ravel(), right.ravel()
