"""Power spectra: how energy falls with frequency, in which directions, and where it peaks.

Upsampling layers leave periodic peaks and a bent fall-off (Durall, Keuper and Keuper, "Watch your
up-convolution", 2020; Corvi et al., "Intriguing properties of synthetic images", 2023). Here on
video frames after a lossy re-encode, so bands are wide and stop short of the highest frequencies.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView

__all__ = ["Spectrum"]

_RADIAL = 28
_CHROMA = 12
_ANGLES = 8
_PEAKS = (16, 32, 48, 64, 96)


class Spectrum:
    """Radial, angular and peak statistics of the mean power spectrum of luma and chroma."""

    name: ClassVar[str] = "spectrum"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return band names."""
        return (
            *(f"radial-{index}" for index in range(_RADIAL)),
            *(f"angular-{index}" for index in range(_ANGLES)),
            *(f"peak-{place}" for place in _PEAKS),
            *(f"peak-diagonal-{place}" for place in _PEAKS),
            *(f"cb-{index}" for index in range(_CHROMA)),
            *(f"cr-{index}" for index in range(_CHROMA)),
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return natural logs of relative powers (70 features)."""
        power = _power(view.luma[::2])
        radial = _radial(power, _RADIAL)
        chroma = [_radial(_power(plane[::2]), _CHROMA) for plane in view.chroma]
        return np.concatenate(
            [
                radial - radial.mean(),
                _angular(power),
                _peaks(power),
                *(bands - radial[2:6].mean() for bands in chroma),
            ]
        ).astype(np.float32)


def _power(planes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean power spectrum (H, W), zero frequency at the centre, Hann window."""
    height, width = planes.shape[1:]
    window = np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)
    centred = (planes - planes.mean(axis=(1, 2), keepdims=True)) * window
    spectrum = np.abs(np.fft.fft2(centred)) ** 2
    mean: NDArray[np.float64] = np.fft.fftshift(spectrum.mean(axis=0)) / (height * width)
    return mean


def _polar(side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return radius in cycles per pixel and angle in [0, pi) of every frequency."""
    axis = np.fft.fftshift(np.fft.fftfreq(side))
    radius = np.hypot(axis[:, None], axis[None, :])
    angle = np.mod(np.arctan2(axis[:, None], axis[None, :]), np.pi)
    return radius, angle


def _radial(power: NDArray[np.float64], bands: int) -> NDArray[np.float64]:
    radius, _ = _polar(len(power))
    index = np.floor(radius / 0.5 * bands).astype(int)
    inside = (index < bands) & (radius > 0.004)
    total = np.bincount(index[inside], weights=power[inside], minlength=bands)
    count = np.bincount(index[inside], minlength=bands)
    return np.log(total / np.maximum(count, 1) + 1e-3)


def _angular(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log power by direction in the middle band, less its mean."""
    radius, angle = _polar(len(power))
    inside = (radius > 0.12) & (radius < 0.35)
    index = np.minimum((angle / np.pi * _ANGLES).astype(int), _ANGLES - 1)
    total = np.bincount(index[inside], weights=power[inside], minlength=_ANGLES)
    count = np.bincount(index[inside], minlength=_ANGLES)
    logs = np.log(total / count + 1e-3)
    return np.asarray(logs - logs.mean(), dtype=np.float64)


def _peaks(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far the frequencies of common strides stand out from their neighbourhood."""
    centre = len(power) // 2
    values = []
    for diagonal in (False, True):
        for place in _PEAKS:
            spots = [(place, place), (place, -place)] if diagonal else [(place, 0), (0, place)]
            values.append(np.mean([_contrast(power, centre + y, centre + x) for y, x in spots]))
    return np.array(values)


def _contrast(power: NDArray[np.float64], row: int, column: int) -> float:
    near = power[row - 1 : row + 2, column - 1 : column + 2].max()
    around = np.median(power[row - 7 : row + 8, column - 7 : column + 8])
    return float(np.log((near + 1e-3) / (around + 1e-3)))
