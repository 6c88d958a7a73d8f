"""Surrogate upsamplers: traces of synthesis put into real pictures, and nothing else changed.

An aligned pair is a real clip and the same clip through one of these. The low band is the real
one's in both, as in WaveRep (arXiv 2506.16802), so content, light and motion are equal; length,
rate, size and encode are by construction.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["UPSAMPLERS", "resynthesised"]

UPSAMPLERS = ("nearest", "linear", "cubic", "transposed")

_METHODS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
}
_FACTOR = 2
_LOW_BAND = 2.5
"""Standard deviation, in pixels, of the blur that splits what is kept from what is made anew."""

_TAPS = np.array([1, 3, 3, 1], np.float32) / 4
"""Taps of the transposed convolution, stride 2; they sum to the stride."""


def resynthesised(image: NDArray[np.uint8], upsampler: str) -> NDArray[np.uint8]:
    """Make a picture's fine detail anew from half its size; its low band stays.

    Args:
        image: uint8 RGB (H, W, 3), both sides even.
        upsampler: One of UPSAMPLERS: what an autoencoder's decoder would end in.
    """
    height, width = image.shape[:2]
    real = image.astype(np.float32)
    small = cv2.resize(real, (width // _FACTOR, height // _FACTOR), interpolation=cv2.INTER_AREA)
    if upsampler == "transposed":
        spread = np.zeros_like(real)
        spread[::_FACTOR, ::_FACTOR] = small
        made = cv2.sepFilter2D(spread, -1, _TAPS, _TAPS, anchor=(2, 2))
    else:
        made = cv2.resize(small, (width, height), interpolation=_METHODS[upsampler])
    low = cv2.GaussianBlur(real - made, (0, 0), _LOW_BAND)
    return np.asarray(np.clip(np.rint(made + low), 0, 255), dtype=np.uint8)
