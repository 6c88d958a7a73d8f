"""A texture pyramid: picks the level whose texels are as large as the pixel's footprint."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.vectors import FloatArray

__all__ = ["MipMap"]


class MipMap:
    """A periodic texture with all its halvings (Williams 1983), stored in one flat array.

    Args:
        texture: float32 (S, S, C), S a power of two; it repeats in both directions.
    """

    def __init__(self, texture: FloatArray) -> None:
        self.size = texture.shape[0]
        if self.size & (self.size - 1) or texture.shape[1] != self.size:
            raise ValueError(f"a texture is square with a power of two, not {texture.shape}")
        levels = [texture]
        while levels[-1].shape[0] > 1:
            last = levels[-1]
            half = last.shape[0] // 2
            levels.append(last.reshape(half, 2, half, 2, -1).mean(axis=(1, 3), dtype=np.float32))
        sides = np.array([level.shape[0] for level in levels])
        self._starts = np.concatenate([[0], np.cumsum(sides**2)])[:-1].astype(np.int32)
        self._flat = np.concatenate([level.reshape(-1, texture.shape[2]) for level in levels])
        self._last = len(levels) - 1

    def sample(self, u: FloatArray, v: FloatArray, footprint: FloatArray) -> FloatArray:
        """Return filtered texels.

        Args:
            u: Texture coordinate (N,), 1 is one period.
            v: The other coordinate (N,).
            footprint: Side (N,) of the pixel's footprint in periods, above 0.

        Returns:
            float32 (C, N).
        """
        level = np.log2(np.maximum(footprint * self.size, 1e-6)).astype(np.float32)
        level = np.clip(level, 0, self._last)
        coarse = np.floor(level).astype(np.int32)
        blend = level - coarse
        fine = self._bilinear(u, v, coarse)
        rough = self._bilinear(u, v, np.minimum(coarse + 1, self._last))
        mixed: FloatArray = fine + blend * (rough - fine)
        return mixed

    def _bilinear(self, u: FloatArray, v: FloatArray, level: NDArray[np.int32]) -> FloatArray:
        side = np.int32(self.size) >> level
        mask = side - np.int32(1)
        x = (u - np.floor(u)) * side - np.float32(0.5)
        y = (v - np.floor(v)) * side - np.float32(0.5)
        x0, y0 = np.floor(x), np.floor(y)
        fx, fy = (x - x0).astype(np.float32), (y - y0).astype(np.float32)
        left = x0.astype(np.int32) & mask
        right = (left + 1) & mask
        start = self._starts[level]
        up = start + (y0.astype(np.int32) & mask) * side
        down = start + ((y0.astype(np.int32) + 1) & mask) * side
        take = self._flat.take
        top = take(up + left, axis=0) * (1 - fx)[:, None] + take(up + right, axis=0) * fx[:, None]
        low = (
            take(down + left, axis=0) * (1 - fx)[:, None] + take(down + right, axis=0) * fx[:, None]
        )
        texels: FloatArray = (top + (low - top) * fy[:, None]).T
        return texels
