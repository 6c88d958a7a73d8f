"""Synchronisation: where the tile starts, once the geometry is known."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from vidigree.watermark.robust.carrier import TILE, Carrier

__all__ = ["SHIFTS", "Lock", "find_shift", "find_shifts"]

_GRID = 2 * TILE
# Half carrier pixels: how far a shift may move when it is found anew, and how wide a peak is.
_NEARBY = 2
_PEAK = 7
SHIFTS = _GRID * _GRID
"""Number of shifts that :func:`find_shift` looks at."""


@dataclass(frozen=True, kw_only=True)
class Lock:
    """The best shift under one geometry.

    Attributes:
        shift: Where the tile starts, carrier pixels along x and y.
        score: Normalised pilot correlation there, standard deviations.
    """

    shift: tuple[float, float]
    score: float


def find_shift(
    spectrum: NDArray[np.complex64],
    carrier: Carrier,
    near: tuple[float, float] | None = None,
) -> Lock:
    """Correlate with the pilot at every shift of half a carrier pixel.

    Args:
        spectrum: complex64 (K,), whitened lattice spectrum.
        carrier: The key's carrier.
        near: A shift that the result may differ from by one carrier pixel; ``None`` for any.
    """
    surface = _surface(spectrum, carrier)
    if near is not None:
        column, row = (round(place * _GRID / TILE) for place in near)
        apart = _GRID // 2 - abs(np.arange(_GRID) - _GRID // 2)
        far = (np.roll(apart, row) > _NEARBY)[:, None] | (np.roll(apart, column) > _NEARBY)
        surface[far] = -np.inf
    return _lock(surface, int(np.argmax(surface)))


def find_shifts(spectrum: NDArray[np.complex64], carrier: Carrier, count: int) -> list[Lock]:
    """Return the best shifts, best first, none a neighbour of another.

    Args:
        spectrum: complex64 (K,), whitened lattice spectrum.
        carrier: The key's carrier.
        count: How many.
    """
    surface = _surface(spectrum, carrier)
    # The tile repeats: what lies beyond one edge is what lies inside the opposite one.
    wide = np.pad(surface, _PEAK // 2, mode="wrap")
    highest = cv2.dilate(wide, np.ones((_PEAK, _PEAK), np.uint8))
    inside = slice(_PEAK // 2, -(_PEAK // 2))
    peaks = np.flatnonzero(surface == highest[inside, inside])
    best = peaks[np.argsort(-surface.ravel()[peaks], kind="stable")][:count]
    return [_lock(surface, int(place)) for place in best]


def _surface(spectrum: NDArray[np.complex64], carrier: Carrier) -> NDArray[np.float32]:
    """Return the score of every shift, standard deviations, (rows, columns) of half pixels."""
    chosen = spectrum[carrier.pilots] * np.conj(carrier.phases[carrier.pilots])
    waves = carrier.waves[carrier.pilots]
    grid = np.zeros((int(waves[:, 1].max()) + 1, _GRID), np.complex64)
    grid[waves[:, 1], waves[:, 0] % _GRID] = chosen
    partial = scipy.fft.ifft(grid, axis=1, norm="forward")
    # Of the sum along y only the real part is wanted, and few rows are filled: a matrix product.
    surface = _columns(len(grid)) @ np.concatenate([partial.real, partial.imag])
    spread = float(np.sqrt(np.sum(np.abs(chosen) ** 2) / 2.0)) + 1e-12
    return np.asarray(surface / np.float32(spread), np.float32)


@functools.lru_cache(maxsize=4)
def _columns(rows: int) -> NDArray[np.float32]:
    """Return the waves along y of so many rows: cosines, then sines taken off, (_GRID, 2 rows)."""
    angle = 2 * np.pi / _GRID * np.outer(np.arange(_GRID), np.arange(rows))
    return np.concatenate([np.cos(angle), -np.sin(angle)], axis=1).astype(np.float32)


def _lock(surface: NDArray[np.float32], place: int) -> Lock:
    row, column = divmod(place, _GRID)
    return Lock(
        shift=(column * TILE / _GRID, row * TILE / _GRID), score=float(surface[row, column])
    )
