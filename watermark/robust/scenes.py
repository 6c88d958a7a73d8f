"""Where scenes begin: what encoders start afresh, and what the mark leans on.

An encoder codes the first frame of a scene on its own and spends more on it than on any other,
since all that follow are predicted from it. After strong compression that one frame often holds
more of the mark than all the others together, so it is marked more strongly and read by itself.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["SceneStarts", "opening_share", "thumbnail_of"]

_SMALL = 24
# Columns of a unit matrix that are shrunk at once, so that memory does not grow with its square.
_COLUMNS = 512
_SAME_SCENE = 0.6
_FADE = 0.5


class SceneStarts:
    """Tells for one frame after another whether a scene begins with it; the first one does."""

    def __init__(self) -> None:
        self._last: NDArray[np.float32] | None = None

    def feed(self, luma: NDArray[np.float32]) -> bool:
        """Take the next frame.

        A scene begins where a thumbnail correlates with the last one by less than 0.6: blind to
        brightness and contrast, hardly moved by motion.

        Args:
            luma: float32 (h, w) of any size, a thumbnail among them.
        """
        small = cv2.resize(luma, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
        small = np.asarray(small - small.mean(), np.float32)
        last, self._last = self._last, small
        if last is None:
            return True
        # A grey level of noise keeps two flat frames from counting as strangers.
        spread = np.sqrt((np.sum(small**2) + small.size) * (np.sum(last**2) + last.size))
        return float(np.sum(small * last) + small.size) < _SAME_SCENE * float(spread)


def thumbnail_of(picture: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return what is left of a picture that is shrunk to a size, and then to a thumbnail.

    Both are sums with fixed weights, so two small matrix products do for both, and nobody needs the
    picture between them.

    Args:
        picture: float32 (H, W).
        size: Height and width of the picture between them, at most H and W.

    Returns:
        float32 (24, 24).
    """
    down, across = (
        _shrinking(length, between) for length, between in zip(picture.shape, size, strict=True)
    )
    return np.asarray(down @ picture @ across.T)


@functools.lru_cache(maxsize=8)
def _shrinking(length: int, between: int) -> NDArray[np.float32]:
    """Return the weights with which a line is shrunk twice, float32 (24, length)."""
    parts = []
    for start in range(0, length, _COLUMNS):
        part = np.eye(length, min(_COLUMNS, length - start), -start, np.float32)
        for side in (between, _SMALL):
            part = np.asarray(
                cv2.resize(part, (part.shape[1], side), interpolation=cv2.INTER_AREA), np.float32
            )
        parts.append(part)
    return np.concatenate(parts, axis=1)


def opening_share(since: int) -> float:
    """Return how much a frame is the first of its scene: 1, falling off within three frames.

    Args:
        since: How many frames ago the frame's scene began.
    """
    return float(np.exp(-since / _FADE))
