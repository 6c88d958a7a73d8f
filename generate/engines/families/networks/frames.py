"""Between frames as streams hold them and frames as networks take them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["from_unit", "to_unit"]


def to_unit(frames: NDArray[Any]) -> torch.Tensor:
    """Return frames (..., H, W, 3) in [0, 255] as float32 (..., 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(frames, -1, -3))).float() / 127.5 - 1


def from_unit(frames: torch.Tensor) -> NDArray[np.uint8]:
    """Return frames (..., 3, H, W) in [-1, 1] as uint8 (..., H, W, 3), rounded."""
    levels = ((frames.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return np.ascontiguousarray(np.moveaxis(levels.numpy(), -3, -1))
