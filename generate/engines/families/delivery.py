"""Brings frames from 64 x 64 to the size that was asked for."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.families.native import SIDE

__all__ = ["deliver"]


def deliver(frame: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return a frame enlarged (Lanczos) until it covers the size, and cut to it in the middle.

    Nothing is added by enlarging: there is no more detail than in 64 x 64 pixels.

    Args:
        frame: uint8 (64, 64, 3).
        width: Pixels.
        height: Pixels.
    """
    side = max(width, height)
    way = cv2.INTER_LANCZOS4 if side >= SIDE else cv2.INTER_AREA
    large = cv2.resize(frame, (side, side), interpolation=way)
    top, left = (side - height) // 2, (side - width) // 2
    return np.ascontiguousarray(large[top : top + height, left : left + width], np.uint8)
