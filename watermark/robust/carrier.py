"""The keyed carrier: which frequencies of the tile hold the pilot and the data, and their phases.

The carrier is a tile that repeats over the picture. It is written down as its Fourier lattice:
integer wave numbers (u, v) of a square tile, restricted to a ring. A keyed choice of the lattice
points is the pilot, which a detector finds by; all others carry one quadrature symbol each, two
coded bits. Every point has its own keyed phase, which is what makes a chance match computable:
against a picture that knows nothing of the key the phases are independent and uniform.

Lengths are in *carrier pixels*: a picture is thought of with a short side of 256 of them. The ring
ends at 0.2 cycles per carrier pixel, so a finer grid would hold nothing more.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.keyring import MarkKey

__all__ = ["BAND", "SHORT_SIDE", "TILE", "Carrier", "carrier_of"]

SHORT_SIDE = 256
"""Short side of the picture in carrier pixels."""
TILE = 128
"""Side of the repeating tile in carrier pixels."""
BAND = (0.04, 0.20)
"""Inner and outer radius of the ring, cycles per carrier pixel."""

_NUM_DATA = 936
_PILOT_ENERGY = 0.27
_TILT = 0.5
_RINGS = 8
_DOMAIN = b"vidigree robust mark 3 carrier "


@dataclass(frozen=True, kw_only=True, eq=False)
class Carrier:
    """One key's tile, as lattice points in the half plane that a real picture needs.

    Attributes:
        waves: int64 (K, 2), wave numbers (u along x, v along y) per tile side.
        phases: complex64 (K,), keyed unit phase of each point.
        amplitudes: float32 (K,), embedding amplitude of each point, mean square 1 over all K.
        pilots: int64 (P,), indices into ``waves`` of the pilot.
        data: int64 (D,), indices of the data points, in the order of the coded symbols.
    """

    waves: NDArray[np.int64]
    phases: NDArray[np.complex64]
    amplitudes: NDArray[np.float32]
    pilots: NDArray[np.int64]
    data: NDArray[np.int64]

    @functools.cached_property
    def radii(self) -> NDArray[np.float64]:
        """Radius of each lattice point, cycles per carrier pixel, float64 (K,)."""
        return np.hypot(self.waves[:, 0], self.waves[:, 1]) / TILE

    @property
    def coded_bits(self) -> int:
        """Number of coded bits that the data points hold."""
        return 2 * len(self.data)


@functools.lru_cache(maxsize=32)
def carrier_of(key: MarkKey) -> Carrier:
    """Return the carrier of a key; equal keys give equal carriers, on every machine for ever.

    The randomness is SHAKE-256 of the secret, not a generator of NumPy, whose streams may change
    between versions.
    """
    waves = _half_ring()
    count = len(waves)
    words = np.frombuffer(
        hashlib.shake_256(_DOMAIN + key.secret).digest(3 * 8 * count), dtype=">u8"
    ).reshape(3, count)
    phases = np.exp(2j * np.pi * (words[0] / 2.0**64)).astype(np.complex64)
    radius = np.hypot(waves[:, 0], waves[:, 1])
    pilots = _stratified(radius, words[1], count - _NUM_DATA)
    rest = np.setdiff1d(np.arange(count), pilots)
    data = rest[np.argsort(words[2][rest], kind="stable")]
    amplitudes = radius**-_TILT
    amplitudes[pilots] *= np.sqrt(_PILOT_ENERGY / np.sum(amplitudes[pilots] ** 2))
    amplitudes[data] *= np.sqrt((1 - _PILOT_ENERGY) / np.sum(amplitudes[data] ** 2))
    return Carrier(
        waves=waves,
        phases=phases,
        amplitudes=(amplitudes * np.sqrt(count)).astype(np.float32),
        pilots=pilots,
        data=data,
    )


def _half_ring() -> NDArray[np.int64]:
    """Return the lattice points of the ring in the half plane, int64 (K, 2), in a fixed order."""
    reach = int(np.floor(BAND[1] * TILE))
    u, v = np.meshgrid(np.arange(-reach, reach + 1), np.arange(reach + 1))
    radius = np.hypot(u, v) / TILE
    inside = (radius >= BAND[0]) & (radius <= BAND[1]) & ((v > 0) | (u > 0))
    return np.stack([u[inside], v[inside]], axis=1).astype(np.int64)


def _stratified(
    radius: NDArray[np.float64], words: NDArray[np.uint64], count: int
) -> NDArray[np.int64]:
    """Choose ``count`` points by their keyed words, the same share from every ring of radii."""
    order = np.argsort(radius, kind="stable")
    chosen = []
    for ring, part in enumerate(np.array_split(order, _RINGS)):
        share = count * (ring + 1) // _RINGS - count * ring // _RINGS
        chosen.append(part[np.argsort(words[part], kind="stable")[:share]])
    return np.sort(np.concatenate(chosen))
