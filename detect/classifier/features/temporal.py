"""Differences over time: flicker, frozen texture, and residuals that stick to the frame."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView

__all__ = ["TemporalDifferences"]

_BANDS = 5
_FREQUENCIES = 4
_SEGMENT = 8


class TemporalDifferences:
    """Band energies of first and second differences, residual correlation, temporal spectrum."""

    name: ClassVar[str] = "temporal"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return names by statistic and spatial band, 0 the finest."""
        bands = range(_BANDS)
        return (
            *(f"first-{band}" for band in bands),
            *(f"second-{band}" for band in bands),
            *(f"correlation-{band}" for band in bands),
            *(f"skip-correlation-{band}" for band in bands),
            *(f"unsteadiness-{band}" for band in bands),
            *(f"tail-{band}" for band in bands),
            *(f"spectrum-{band}-{k}" for band in bands for k in range(1, _FREQUENCIES + 1)),
            "chroma-first",
            "chroma-second",
            "level-jitter",
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 53 features, logs of ratios and correlations."""
        if not view.steady:
            return np.full(len(self.names()), np.nan, np.float32)
        bands = _bands(view.luma)
        parts = np.stack([_band_statistics(band) for band in bands], axis=1)
        spectra = np.concatenate([_spectrum(band) for band in bands])
        means = view.luma.mean(axis=(1, 2))
        chroma = view.chroma - view.chroma.mean(axis=(2, 3), keepdims=True)
        first = np.diff(chroma, axis=1)
        energy = _energy(first**2)
        rest = [
            _log_ratio(energy, _energy(chroma**2)),
            _log_ratio(_energy(np.diff(first, axis=1) ** 2), energy),
            np.log(np.abs(np.diff(means, n=2)).mean() + 1e-2),
        ]
        return np.concatenate([parts.ravel(), spectra, rest]).astype(np.float32)


def _bands(luma: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Split frames (F, H, W) into a Laplacian pyramid, the finest band first."""
    bands = []
    current = luma
    for _ in range(_BANDS):
        smaller = np.stack([cv2.pyrDown(frame) for frame in current])
        size = current.shape[2], current.shape[1]
        larger = np.stack([cv2.pyrUp(frame, dstsize=size) for frame in smaller])
        bands.append(current - larger)
        current = smaller
    return bands


def _band_statistics(band: NDArray[np.float32]) -> NDArray[np.float64]:
    first = np.diff(band, axis=0)
    second = np.diff(first, axis=0)
    square, first_square = band**2, first**2
    energies = first_square.mean(axis=(1, 2)) + 1e-2
    energy = _energy(first_square)
    return np.array(
        [
            _log_ratio(energy, _energy(square)),
            _log_ratio(_energy(second**2), energy),
            _correlation(band, square, 1),
            _correlation(band, square, 2),
            np.log(energies).std(),
            np.log(energy) - 2 * np.log(np.abs(first).mean() + 1e-1),
        ]
    )


def _energy(square: NDArray[np.float32]) -> np.float32:
    energy: np.float32 = square.mean() + 1e-2
    return energy


def _log_ratio(upper: np.float32, lower: np.float32) -> float:
    return float(np.log(upper / lower))


def _correlation(band: NDArray[np.float32], square: NDArray[np.float32], distance: int) -> float:
    """Return how a band, whose square is at hand, correlates with itself so many frames later."""
    norm = np.sqrt(square[:-distance].mean() * square[distance:].mean())
    return float((band[:-distance] * band[distance:]).mean() / (norm + 1e-2))


def _spectrum(band: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return log shares of temporal frequencies, mean over segments; short clips are padded.

    The padding repeats the clip backwards, which adds no jump.
    """
    if len(band) < _SEGMENT:
        band = np.concatenate([band, band[::-1]])[:_SEGMENT]
    if len(band) < _SEGMENT:
        band = np.pad(band, ((0, _SEGMENT - len(band)), (0, 0), (0, 0)), mode="reflect")
    window = np.hanning(_SEGMENT + 2)[1:-1].astype(np.float32)[:, None, None]
    powers = []
    for start in range(0, len(band) - _SEGMENT + 1, _SEGMENT):
        part = band[start : start + _SEGMENT]
        part = (part - part.mean(axis=0)) * window
        powers.append((np.abs(np.fft.rfft(part, axis=0)) ** 2).mean(axis=(1, 2)))
    power = np.mean(powers, axis=0)[1 : _FREQUENCIES + 1] + 1e-2
    return np.asarray(np.log(power / power.sum()), dtype=np.float64)
