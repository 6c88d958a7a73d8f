"""Masking: how much change each place of a picture hides."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["smooth_amplitude", "texture", "visibility_mask"]

_FLOOR = 2.0
_CEILING = 8.0
_EXPONENT = 0.3
_SMOOTH = 1.0
_TEXTURED = 2.0
_EXTRA = 30.0
_EXTRA_SMOOTH = 0.5
_MOST = 10.0
_FINEST = 0.8
_WINDOW = 2.0
_ERODED = 3
_PER_GRADIENT = 2.8


def visibility_mask(luma: NDArray[np.float32], opening: float = 0.0) -> NDArray[np.float32]:
    """Return the relative amplitude that a place can carry unseen.

    Follows contrast masking (Legge and Foley, 1980: threshold elevation grows as a power of the
    local contrast) with a floor, so that flat pictures carry a mark too, and a ceiling. The power
    is far below what vision alone would allow: energy in strong texture is lost on a detector that
    whitens, and VMAF, too, is higher at equal PSNR the flatter the mask.

    Args:
        luma: float32 (h, w) in [0, 255], at working size.
        opening: How much this frame is the first of a scene, from 1 falling to 0. Such a frame is
            marked more strongly, up to ten times the energy in all: much where it is textured,
            as encoders zero the rest, and little elsewhere. It is seen for a moment only, right
            after a cut.

    Returns:
        float32 (h, w), positive, relative.
    """
    busy = texture(luma)
    mask = (np.minimum(busy, _CEILING) + _FLOOR) ** _EXPONENT
    if opening > 0.01:
        share = np.clip((busy - _SMOOTH) / (_TEXTURED - _SMOOTH), 0.0, 1.0)
        extra = _EXTRA * share + _EXTRA_SMOOTH
        energy = mask * mask
        more = float(np.sum(energy * extra)) / float(np.sum(energy))
        # The limit before the fade, or a textured second frame would get nearly as much.
        mask *= np.sqrt(1.0 + opening * extra / max(1.0, more / (_MOST - 1.0)))
    return np.asarray(mask, np.float32)


def smooth_amplitude() -> float:
    """Return the mask where there is no texture at all."""
    return float(_FLOOR**_EXPONENT)


def texture(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the amplitude of what varies in every direction, as texture does and edges do not.

    The smaller eigenvalue of the structure tensor (Foerstner and Guelch, 1987), with two changes.
    Every gradient counts by its length, not its square: an edge is as strong as texture a hundred
    times its area, and where it bends, it varies in both directions. And the result is eroded, so
    that what lies beside texture, where the eye is as good as in the open, does not count.

    Args:
        luma: float32 (h, w) in [0, 255], at working size.

    Returns:
        float32 (h, w), grey levels: about a third of the root mean square of a texture with waves
        of eight pixels, near 0 in flat and shaded places and along edges.
    """
    fine = cv2.GaussianBlur(luma, (0, 0), _FINEST)
    along_x = cv2.Scharr(fine, cv2.CV_32F, 1, 0) / np.float32(32)
    along_y = cv2.Scharr(fine, cv2.CV_32F, 0, 1) / np.float32(32)
    # Not cv2.magnitude(), whose last bit depends on where in memory the result comes to lie.
    length = np.sqrt(along_x * along_x + along_y * along_y) + np.float32(1e-3)
    xx, xy, yy = (
        cv2.GaussianBlur(product / length, (0, 0), _WINDOW)
        for product in (along_x * along_x, along_x * along_y, along_y * along_y)
    )
    least = (xx + yy - np.sqrt((xx - yy) ** 2 + 4 * xy * xy)) / 2
    least = cv2.erode(np.maximum(least, 0.0), np.ones((_ERODED, _ERODED), np.uint8))
    return np.asarray(_PER_GRADIENT * cv2.GaussianBlur(least, (0, 0), 3.0), np.float32)
