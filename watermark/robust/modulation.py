"""From a message to the tile's coefficients, and from a synchronised spectrum to soft values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.robust import ecc
from vidigree.watermark.robust.carrier import TILE, Carrier
from vidigree.watermark.robust.payload import PAYLOAD_BITS, payload_bits

__all__ = [
    "align",
    "channel_gain",
    "outputs_per_bit",
    "soft_values",
    "symbols_of",
    "symbols_of_payload",
]

# Radii at which the gain has fallen to 1 / e, cycles per carrier pixel.
_REACHES = np.array([0.06, 0.08, 0.10, 0.13, 0.17, 0.25, 1.0])
_LEAST_GAIN = 0.02


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
    """Return the expected real part at each point, float64 (K,), positive.

    Codecs and scaling take the fine waves first: the gain is thought of as falling with the radius
    along a Gaussian. Which one is the mean of a few, each counting by the likelihood of the pilots
    under it, so that few pilots give a smooth answer.
    """
    radius = carrier.radii
    pilots = carrier.pilots
    boost = carrier.amplitudes[pilots] * radius[pilots] ** 0.5
    boost = boost / (carrier.amplitudes[carrier.data] * radius[carrier.data] ** 0.5).mean()
    values = aligned[pilots].real / boost
    shapes = np.exp(-((radius / _REACHES[:, None]) ** 2))
    at_pilots = shapes[:, pilots]
    energy = np.sum(at_pilots**2, axis=1)
    levels = np.maximum(at_pilots @ values / energy, _LEAST_GAIN)
    # A whitened point has variance 1/2 on each axis.
    spread = 0.5 / float(np.mean(boost)) ** 2
    likelihood = (levels * (at_pilots @ values) - levels**2 * energy / 2) / spread
    shares = np.exp(likelihood - likelihood.max())
    gain = (shares * levels) @ shapes / shares.sum()
    return np.asarray(np.maximum(gain, _LEAST_GAIN * float(gain.max())), np.float64)
