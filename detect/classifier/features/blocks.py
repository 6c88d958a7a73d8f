"""Energies and shapes of small block transforms, in space and in space and time."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView

__all__ = ["BlockTransform"]

_OFFSET = (3, 5)
"""Blocks are cut off the codec's own grid, whose quantisation would drown everything."""

_SPACE = 8
_CUBE = 4


class BlockTransform:
    """Statistics of 8 x 8 DCT blocks, and of 4 x 4 x 4 blocks in time, row and column.

    Per coefficient the log energy relative to all of them, and the log ratio of mean square to
    squared mean magnitude: 0.45 for a Gaussian, more for the heavy tails of natural video.
    Coefficients are pooled over the exchange of rows and columns.
    """

    name: ClassVar[str] = "blocks"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return ``statistic-coefficient`` names."""
        flat = [f"{u}{v}" for u in range(_SPACE) for v in range(u + 1) if u + v]
        cube = [f"t{t}-{u}{v}" for t in range(1, _CUBE) for u in range(_CUBE) for v in range(u + 1)]
        return tuple(
            f"{statistic}-{index}"
            for indices in (flat, cube)
            for statistic in ("energy", "tail")
            for index in indices
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 35 + 35 spatial and 30 + 30 spatio-temporal features."""
        if not view.steady:
            return np.full(len(self.names()), np.nan, np.float32)
        stride = max(1, len(view.luma) // 6)
        flat = scipy.fft.dctn(_blocks(view.luma[::stride], _SPACE), axes=(-2, -1), norm="ortho")
        flat = flat.reshape(-1, _SPACE, _SPACE)
        length = len(view.luma) // _CUBE * _CUBE
        cube = _blocks(view.luma[:length], _CUBE)
        cube = cube.reshape(-1, _CUBE, *cube.shape[1:])
        cube = scipy.fft.dctn(cube, axes=(1, -2, -1), norm="ortho")
        cube = np.moveaxis(cube, 1, -3).reshape(-1, _CUBE, _CUBE, _CUBE)
        rows, columns = np.tril_indices(_SPACE)
        parts = list(_statistics(flat, rows[1:], columns[1:]))
        rows, columns = np.tril_indices(_CUBE)
        slices = [_statistics(cube[:, t], rows, columns) for t in range(1, _CUBE)]
        parts += [np.concatenate([part[index] for part in slices]) for index in (0, 1)]
        parts[2] = parts[2] - parts[2].mean()
        return np.concatenate(parts).astype(np.float32)


def _blocks(frames: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Cut frames (F, H, W) into blocks (F, rows, columns, side, side) at the offset."""
    top, left = _OFFSET
    rows = (frames.shape[1] - top) // side
    columns = (frames.shape[2] - left) // side
    part = frames[:, top : top + rows * side, left : left + columns * side]
    return part.reshape(len(frames), rows, side, columns, side).swapaxes(2, 3)


def _statistics(
    coefficients: NDArray[np.float32], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    square = (coefficients.astype(np.float64) ** 2).mean(axis=0)
    magnitude = np.abs(coefficients).astype(np.float64).mean(axis=0)
    square = (square + square.T)[rows, columns] / 2
    magnitude = (magnitude + magnitude.T)[rows, columns] / 2
    energy = np.log(square + 1e-3)
    tail = np.log((square + 1e-3) / (magnitude**2 + 1e-3))
    return energy - energy.mean(), tail
