"""The cheap first step of making a luma small."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["halved"]


def halved(luma: NDArray[np.uint8], short_side: int) -> NDArray[np.uint8]:
    """Halve a luma as often as it divides evenly and its short side does not go below a limit.

    Averaging four pixels into one is far cheaper than any other ratio.

    Args:
        luma: uint8 (H, W).
        short_side: The limit in pixels.
    """
    while min(luma.shape) >= 2 * short_side and not (luma.shape[0] % 2 or luma.shape[1] % 2):
        half = (luma.shape[1] // 2, luma.shape[0] // 2)
        luma = np.asarray(cv2.resize(luma, half, interpolation=cv2.INTER_AREA), np.uint8)
    return luma
