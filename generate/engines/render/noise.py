"""Periodic value noise: the grain of every texture."""

from __future__ import annotations

import cv2
import numpy as np

from vidigree.generate.engines.render.vectors import FloatArray

__all__ = ["periodic_noise"]


def periodic_noise(
    size: int,
    cells: tuple[int, int],
    rng: np.random.Generator,
    *,
    octaves: int = 4,
    persistence: float = 0.5,
) -> FloatArray:
    """Return fractal value noise (Perlin 1985) that repeats without a seam.

    Args:
        size: Side of the picture in pixels.
        cells: Number of lattice cells down and across in the coarsest octave.
        rng: Source of the lattice values.
        octaves: Number of layers, each twice as fine as the one before.
        persistence: Amplitude of a layer relative to the one before.

    Returns:
        float32 (size, size) in [0, 1], mean about 0.5.
    """
    total = np.zeros((size, size), np.float32)
    weight, sum_of_weights = 1.0, 0.0
    rows, columns = cells
    for _ in range(octaves):
        if max(rows, columns) > size:
            break
        lattice = rng.random((rows, columns), dtype=np.float32)
        total += np.float32(weight) * _stretch(lattice, size)
        sum_of_weights += weight
        weight *= persistence
        rows, columns = 2 * rows, 2 * columns
    return total / np.float32(sum_of_weights)


def _stretch(lattice: FloatArray, size: int) -> FloatArray:
    """Interpolate a periodic lattice to (size, size) with a smooth kernel."""
    border = 2
    wrapped = np.pad(lattice, border, mode="wrap")
    rows, columns = lattice.shape
    row = (np.arange(size, dtype=np.float32) + 0.5) * (rows / size) - 0.5 + border
    column = (np.arange(size, dtype=np.float32) + 0.5) * (columns / size) - 0.5 + border
    grid_x, grid_y = np.meshgrid(column, row)
    picture: FloatArray = cv2.remap(wrapped, grid_x, grid_y, cv2.INTER_CUBIC)
    return picture
