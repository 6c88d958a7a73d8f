"""From radiance to bytes: exposure, tone curve, sRGB."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.vectors import FloatArray

__all__ = ["develop", "tone"]

_LEVELS = 4096


def tone(radiance: FloatArray) -> FloatArray:
    """Map linear radiance (0 and up) to display-linear [0, 1] (Narkowicz 2015 fit of ACES)."""
    x = np.maximum(radiance * np.float32(0.43), 0)
    curve: FloatArray = (x * (np.float32(2.51) * x + np.float32(0.03))) / (
        x * (np.float32(2.43) * x + np.float32(0.59)) + np.float32(0.14)
    )
    return np.clip(curve, 0, 1)


def _srgb_table() -> NDArray[np.uint8]:
    linear = np.linspace(0, 1, _LEVELS) ** 2  # denser where the eye is
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(255 * encoded).astype(np.uint8)


def develop(linear: FloatArray, width: int, height: int) -> NDArray[np.uint8]:
    """Return the frame (height, width, 3), uint8 sRGB, of display-linear pixels (3, N)."""
    index = np.round(np.sqrt(linear) * np.float32(_LEVELS - 1)).astype(np.uint16)
    frame = _srgb_table()[index]
    return np.ascontiguousarray(frame.T.reshape(height, width, 3))
