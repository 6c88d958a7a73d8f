"""From a message to the tile's coefficients, and from a synchronised spectrum to soft values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.robust import ecc
from vidigree.watermark.robust.carrier import TILE, Carrier
from vidigree.watermark.robust.payload import PAYLOAD_BITS, payload_bits

__all__ = ["align", "channel_gain", "outputs_per_bit", "soft_values", "symbols_of"]


def outputs_per_bit(carrier: Carrier) -> int:
    """Return how many coded bits the carrier spends on each payload bit."""
    return carrier.coded_bits // PAYLOAD_BITS


def symbols_of(message: int, carrier: Carrier) -> NDArray[np.complex64]:
    """Return the unit symbol of every lattice point before its keyed phase.

    Pilots carry 1; a data point carries one coded bit on each axis.

    Returns:
        complex64 (K,), modulus 1.
    """
    return symbols_of_payload(payload_bits(message), carrier)


def symbols_of_payload(bits: NDArray[np.uint8], carrier: Carrier) -> NDArray[np.complex64]:
    """Return the unit symbols of payload bits; see :func:`symbols_of`."""
    signs = 1.0 - 2.0 * ecc.encode(bits, outputs_per_bit(carrier)).astype(np.float32)
    half = len(carrier.data)
    symbols = np.ones(len(carrier.waves), np.complex64)
    symbols[carrier.data] = (signs[:half] + 1j * signs[half:]) / np.sqrt(2.0)
    return symbols


def align(
    spectrum: NDArray[np.complex64], carrier: Carrier, shift: tuple[float, float]
) -> NDArray[np.complex64]:
    """Undo the tile's shift and the keyed phases, so that pilots lie on the positive real axis.

    Args:
        spectrum: complex64 (K,), whitened.
        carrier: The key's carrier.
        shift: Where the tile starts, carrier pixels along x and y.
    """
    turns = (carrier.waves[:, 0] * shift[0] + carrier.waves[:, 1] * shift[1]) / TILE
    return np.asarray(spectrum * np.conj(carrier.phases) * np.exp(2j * np.pi * turns), np.complex64)


def soft_values(
    aligned: NDArray[np.complex64], carrier: Carrier, gain: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the log likelihood ratios of the coded bits, float32 (coded bits,), positive for 0.

    Args:
        aligned: complex64 (K,), whitened and aligned.
        carrier: The key's carrier.
        gain: float64 (K,), what :func:`channel_gain` gives.
    """
    values = np.sqrt(2.0) * np.concatenate([aligned[carrier.data].real, aligned[carrier.data].imag])
    # A unit-variance complex coefficient has variance 1/2 on each axis.
    return np.asarray(2.0 * np.tile(gain[carrier.data], 2) * values, np.float32)


def channel_gain(aligned: NDArray[np.complex64], carrier: Carrier) -> NDArray[np.float64]:
    """Return the expected real part at each point, float64 (K,).

    Read off the pilots, as means over rings, shrunk and smoothed: where they are gone (high
    frequencies under strong compression), the data have gone with them.
    """
    radius = carrier.radii
    pilots = carrier.pilots[np.argsort(radius[carrier.pilots], kind="stable")]
    boost = carrier.amplitudes[pilots] * radius[pilots] ** 0.5
    boost /= (carrier.amplitudes[carrier.data] * radius[carrier.data] ** 0.5).mean()
    values = aligned[pilots].real / boost
    rings = np.array_split(np.arange(len(pilots)), 6)
    centres = np.array([radius[pilots[ring]].mean() for ring in rings])
    means = np.array([values[ring].mean() for ring in rings])
    overall = max(float(values.mean()), 0.02)
    shrunk = np.clip(0.7 * means + 0.3 * overall, 0.15 * overall, None)
    return np.interp(radius, centres, shrunk)
