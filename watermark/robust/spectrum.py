"""The lattice spectrum: what a picture's residual holds at the carrier's frequencies."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.robust.carrier import TILE, Carrier

__all__ = ["half_turned", "lattice_spectra", "lattice_spectrum", "synthesise", "whiten"]

_CLIP = 3.0
_RING_POINTS = 60


def lattice_spectrum(
    residual: NDArray[np.float32], carrier: Carrier, step: tuple[float, float]
) -> NDArray[np.complex64]:
    """Return what :func:`lattice_spectra` does for a single step, complex64 (K,)."""
    return np.asarray(lattice_spectra(residual, carrier, [step])[0])


def lattice_spectra(
    residual: NDArray[np.float32], carrier: Carrier, steps: Sequence[tuple[float, float]]
) -> NDArray[np.complex64]:
    """Return the Fourier coefficients of a residual at the carrier's lattice points.

    A direct transform at exactly these frequencies, separable and therefore two small matrix
    products; the tile need not be a whole number of pixels, so scale costs no resampling.

    Args:
        residual: float32 (H, W).
        carrier: The lattice.
        steps: Carrier pixels per residual pixel, along x and along y; several scales cost less
            at once than one by one.

    Returns:
        complex64 (n, K), phases relative to the corner of the first pixel, divided by the root of
        the number of pixels.
    """
    height, width = residual.shape
    across, down = np.array(steps, np.float64).T
    u, v = carrier.waves.T
    reach = int(np.abs(u).max()) + 1
    # Seen from the middle, cosines see only what is even and sines what is odd: half the work.
    even, odd = _folded(residual)
    cosines, sines = _half_waves(width, across, reach)
    shape = (len(across), reach, height)
    along = [
        (waves.reshape(-1, waves.shape[-1]) @ part.T).reshape(shape)
        for waves, part in ((cosines, even), (sines, odd))
    ]
    even, odd = _folded(np.concatenate(along, axis=1))
    cosines, sines = _half_waves(height, down, int(v.max()) + 1)
    of_cosines, of_sines = cosines @ even.transpose(0, 2, 1), sines @ odd.transpose(0, 2, 1)
    here, there = np.abs(u), np.abs(u) + reach
    sign = np.where(u < 0, np.float32(-1), np.float32(1))
    spectra = np.empty((len(across), len(u)), np.complex64)
    spectra.real = of_cosines[:, v, here] - sign * of_sines[:, v, there]
    spectra.imag = -sign * of_cosines[:, v, there] - of_sines[:, v, here]
    from_corner = np.outer(across, u * (width / 2 / TILE)) + np.outer(down, v * (height / 2 / TILE))
    return np.asarray(spectra * _turns(-from_corner) / np.float32(np.sqrt(height * width)))


def half_turned(
    spectrum: NDArray[np.complex64],
    carrier: Carrier,
    size: tuple[int, int],
    step: tuple[float, float],
) -> NDArray[np.complex64]:
    """Return the lattice spectrum of a picture that is turned by 180 degrees, without another look.

    Turned about, every wave runs the other way, and begins at what was the last corner.

    Args:
        spectrum: complex64 (K,), of the picture, whitened or not.
        carrier: The lattice.
        size: Height and width of the picture in pixels.
        step: Carrier pixels per pixel that the spectrum was taken at, along x and y.
    """
    corner = np.array([size[1] * step[0], size[0] * step[1]]) / TILE
    return np.conj(spectrum) * _turns(-(carrier.waves @ corner))


def synthesise(
    coefficients: NDArray[np.complex64],
    carrier: Carrier,
    size: tuple[int, int],
    step: tuple[float, float],
) -> NDArray[np.float32]:
    """Return the pattern with these lattice coefficients: the inverse of the transform above.

    Args:
        coefficients: complex64 (K,).
        carrier: The lattice.
        size: Height and width in pixels.
        step: Carrier pixels per pixel, along x and along y.

    Returns:
        float32 (H, W); its mean square is twice the sum of ``|coefficients|**2``.
    """
    height, width = size
    low, high = int(carrier.waves[:, 0].min()), int(carrier.waves[:, 0].max())
    top = int(carrier.waves[:, 1].max())
    grid = np.zeros((top + 1, high - low + 1), np.complex64)
    grid[carrier.waves[:, 1], carrier.waves[:, 0] - low] = coefficients
    columns = _waves(width, step[0], low, high)
    half = grid @ columns
    rows = _waves(height, step[1], 0, top)
    # Re(rows.T @ half) without the imaginary product.
    pattern = rows.real.T @ half.real - rows.imag.T @ half.imag
    return np.asarray(2.0 * pattern, np.float32)


def whiten(spectrum: NDArray[np.complex64], carrier: Carrier) -> NDArray[np.complex64]:
    """Divide a lattice spectrum by its own level at each radius, and limit its outliers.

    Uses magnitudes only, never the key's phases, so that a chance match keeps its known
    distribution.

    Returns:
        complex64 (K,) with mean square about 1 at every radius and modulus at most 3.
    """
    power = np.abs(spectrum) ** 2
    longer, shorter, centres = _rings(carrier)
    # The median resists the few huge coefficients of a periodic texture; ln 2 makes it a mean.
    medians = np.concatenate([_medians(power[rings]) for rings in (longer, shorter)])
    levels = medians / np.log(2.0)
    level = np.exp(np.interp(carrier.radii, centres, np.log(levels + 1e-20)))
    white = spectrum / np.sqrt(level)
    modulus = np.abs(white)
    limited = white * np.minimum(1.0, _CLIP / np.maximum(modulus, 1e-9))
    return np.asarray(limited, np.complex64)


def _medians(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median of every row, with less ado than ``numpy.median``."""
    low, high = (rows.shape[1] - 1) // 2, rows.shape[1] // 2
    parted = np.partition(rows, (low, high), axis=1)
    return np.asarray((parted[:, low] + parted[:, high]) / 2, np.float32)


@functools.lru_cache(maxsize=32)
def _rings(
    carrier: Carrier,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return the lattice points by rings of about _RING_POINTS, from the inner one outwards.

    Returns:
        Indices of the points of the rings that hold one more, intp (rings, points + 1); of the
        others, intp (rings, points); and the mean radius of every ring, float64.
    """
    order = np.argsort(carrier.radii, kind="stable")
    parts = np.array_split(order, max(1, len(order) // _RING_POINTS))
    centres = np.array([carrier.radii[part].mean() for part in parts])
    size = len(parts[-1])
    longer = [part for part in parts if len(part) > size]
    shorter = np.array(parts[len(longer) :])
    return np.array(longer, np.intp).reshape(-1, size + 1), shorter, centres


def _folded(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fold the last axis about its middle: the sum and the difference of both halves."""
    half = (rows.shape[-1] + 1) // 2
    # The far half is turned round once: what is read backwards is read more slowly.
    near, far = rows[..., :half], rows[..., ::-1][..., :half].copy()
    even = near + far
    odd = np.subtract(near, far, out=far)
    if rows.shape[-1] % 2:
        even[..., -1] /= 2
    return even, odd


def _half_waves(
    length: int, steps: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return cosine and sine of the wave numbers below ``count`` in the first half of a line.

    Returns:
        Both float32 (steps, count, half of the pixels), phases relative to the line's middle.
    """
    position = np.outer(steps / TILE, np.arange((length + 1) // 2) - (length - 1) / 2)
    waves = _turns(position[:, None] * np.arange(count)[:, None])
    return np.ascontiguousarray(waves.real), np.ascontiguousarray(waves.imag)


def _waves(length: int, step: float, low: int, high: int) -> NDArray[np.complex64]:
    """Return exp(2 pi i k x / TILE) for k from low to high at pixel centres, complex64 (k, x)."""
    position = (np.arange(length) + 0.5) * (step / TILE)
    turns = np.outer(np.arange(low, high + 1), position)
    return _turns(turns)


def _turns(turns: NDArray[np.float64]) -> NDArray[np.complex64]:
    """Return exp(2 pi i turns)."""
    # Whole turns are taken off in double precision; what is left, single precision can hold.
    angle = ((turns - np.rint(turns)) * (2 * np.pi)).astype(np.float32)
    waves = np.empty(angle.shape, np.complex64)
    waves.real, waves.imag = np.cos(angle), np.sin(angle)
    return waves
