"""Masking: how much change each place of a picture hides."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["visibility_mask"]

_FLOOR = 2.0
_CEILING = 8.0
_EXPONENT = 0.3
_TEXTURED = 2.0
_EXTRA_FLAT = -0.8
_EXTRA_TEXTURED = 6.0


def visibility_mask(luma: NDArray[np.float32], opening: float = 0.0) -> NDArray[np.float32]:
    """Return the relative amplitude that a place can carry unseen.

    Follows contrast masking (Legge and Foley, 1980: threshold elevation grows as a power of the
    local contrast) with a floor, so that flat pictures carry a mark too, and a ceiling. The power
    is far below what vision alone would allow: energy in strong texture is lost on a detector that
    whitens, and VMAF, too, is higher at equal PSNR the flatter the mask.

    Args:
        luma: float32 (h, w) in [0, 255], at working size.
        opening: How much this frame is the first of a scene, from 1 falling to 0. Such a frame is
            marked more strongly, in texture far more than in flat places, where it would show.

    Returns:
        float32 (h, w), positive, relative.
    """
    high = luma - cv2.GaussianBlur(luma, (0, 0), 3.0)
    power = cv2.GaussianBlur(high * high, (0, 0), 3.5)
    activity = np.sqrt(power)
    # Eroding keeps the mask from spilling over an edge into a flat place.
    activity = cv2.erode(activity, np.ones((5, 5), np.uint8))
    activity = cv2.GaussianBlur(activity, (0, 0), 3.0)
    mask = (np.clip(activity, 0.0, _CEILING) + _FLOOR) ** _EXPONENT
    if opening > 0.01:
        # The half-norm tells texture, which is everywhere in its window, from an edge, which fills
        # little of it and would let the extra energy show in the flat places at its sides.
        dense = cv2.GaussianBlur(np.sqrt(np.abs(high)), (0, 0), 3.5) ** 2
        texture = np.clip(dense / _TEXTURED, 0.0, 1.0)
        mask *= np.sqrt(1.0 + opening * (_EXTRA_FLAT + (_EXTRA_TEXTURED - _EXTRA_FLAT) * texture))
    return np.asarray(mask, np.float32)
