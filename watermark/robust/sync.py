"""Synchronisation: where the tile starts, once the geometry is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from vidigree.watermark.robust.carrier import TILE, Carrier

__all__ = ["SHIFTS", "Lock", "find_shift"]

_GRID = 2 * TILE
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


def find_shift(spectrum: NDArray[np.complex64], carrier: Carrier) -> Lock:
    """Correlate with the pilot at every shift of half a carrier pixel, by one FFT.

    Args:
        spectrum: complex64 (K,), whitened lattice spectrum.
        carrier: The key's carrier.
    """
    chosen = spectrum[carrier.pilots] * np.conj(carrier.phases[carrier.pilots])
    waves = carrier.waves[carrier.pilots]
    grid = np.zeros((int(waves[:, 1].max()) + 1, _GRID), np.complex64)
    grid[waves[:, 1], waves[:, 0] % _GRID] = chosen
    # Only the real part is wanted, and few rows are filled: along y, a real transform of the half
    # spectrum does, which counts its first row once and the others twice.
    partial = scipy.fft.ifft(grid, axis=1, norm="forward")
    partial[1:] /= 2
    surface = scipy.fft.irfft(partial, n=_GRID, axis=0, norm="forward")
    place = np.unravel_index(int(np.argmax(surface)), surface.shape)
    spread = float(np.sqrt(np.sum(np.abs(chosen) ** 2) / 2.0)) + 1e-12
    return Lock(
        shift=(float(place[1]) * TILE / _GRID, float(place[0]) * TILE / _GRID),
        score=float(surface[place]) / spread,
    )
