"""Geometry: how a picture was turned, mirrored, scaled and filtered, and how to undo it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.robust.carrier import Carrier
from vidigree.watermark.robust.frontend import Picture
from vidigree.watermark.robust.spectrum import half_turned, lattice_spectra, whiten

__all__ = [
    "RIGHT_ANGLES",
    "UNSCALED",
    "Geometry",
    "kept_spectrum",
    "observed_spectrum",
    "scaled_spectra",
    "spectra_both_ways",
    "unscaled_spectra",
    "upright_picture",
]


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """What happened to a picture, in this order: filtered, scaled, turned, mirrored.

    Attributes:
        scale: Size of the carrier relative to an untouched picture, along its own x and y.
        rotation: Degrees counter-clockwise.
        mirrored: Whether left and right were exchanged.
        inverted_from: Radius from which on waves have the opposite sign, cycles per carrier pixel.
            Wide filters do that: a median, a mean over a box, a lens out of focus.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    rotation: float = 0.0
    mirrored: bool = False
    inverted_from: float = math.inf

    def nudged(self, x: float = 0.0, y: float = 0.0, turn: float = 0.0) -> Geometry:
        """Return a neighbour: scales changed by a fraction, rotation by degrees."""
        scale = (self.scale[0] * (1 + x), self.scale[1] * (1 + y))
        return replace(self, scale=scale, rotation=self.rotation + turn)


RIGHT_ANGLES = tuple(
    Geometry(rotation=90.0 * turns, mirrored=mirrored)
    for mirrored in (False, True)
    for turns in range(4)
)
"""The eight ways to lay a picture down without scaling it, the upright one first."""

FILTERED = (Geometry(inverted_from=0.12), Geometry(inverted_from=0.15))
"""Upright pictures after filters that turn fine waves about: these radii serve means over boxes and
discs whose first zero is from 0.1 to 0.17 cycles per carrier pixel, and medians of such sizes
(``benchmarks/mark_filters.py``)."""

NEGATIVE = Geometry(inverted_from=0.0)
"""The upright picture with its colours inverted, which inverts every wave."""

UNSCALED = (*RIGHT_ANGLES, *FILTERED, NEGATIVE)
"""What is tried before anything else, the upright picture first."""


def observed_spectrum(
    picture: Picture, carrier: Carrier, geometry: Geometry
) -> NDArray[np.complex64]:
    """Undo a geometry and return the whitened lattice spectrum, complex64 (K,)."""
    return scaled_spectra(upright_picture(picture, geometry), carrier, [geometry])[0]


def kept_spectrum(picture: Picture, carrier: Carrier, geometry: Geometry) -> NDArray[np.complex64]:
    """Return :func:`observed_spectrum`, made once: a part of a clip is asked for it by every shift.

    Only for parts of a clip: the picture keeps it as long as it lives.
    """
    known = picture.spectra
    if (carrier, geometry) not in known:
        known[carrier, geometry] = observed_spectrum(picture, carrier, geometry)
    return known[carrier, geometry]


def upright_picture(picture: Picture, geometry: Geometry) -> Picture:
    """Undo mirroring and rotation; the scale stays."""
    residual = picture.residual
    step = picture.step
    if geometry.mirrored:
        residual = residual[:, ::-1]
    quarters = round(geometry.rotation / 90.0)
    if quarters % 4:
        residual = np.rot90(residual, -quarters)
        step = step if quarters % 2 == 0 else (step[1], step[0])
    rest = geometry.rotation - 90.0 * quarters
    if abs(rest) > 1e-4:
        residual = _turned(residual, -rest)
    return Picture(residual=np.ascontiguousarray(residual), step=step)


def scaled_spectra(
    upright: Picture, carrier: Carrier, geometries: Sequence[Geometry]
) -> list[NDArray[np.complex64]]:
    """Return whitened lattice spectra, complex64 (K,), of what :func:`upright_picture` made.

    Of the geometries, only the scale and what a filter inverted are undone.
    """
    steps = [_scaled_step(upright, geometry) for geometry in geometries]
    spectra = lattice_spectra(upright.residual, carrier, steps)
    return [
        _unfiltered(whiten(spectrum, carrier), carrier, geometry)
        for geometry, spectrum in zip(geometries, spectra, strict=True)
    ]


def spectra_both_ways(
    upright: Picture, carrier: Carrier, geometries: Sequence[Geometry]
) -> tuple[list[NDArray[np.complex64]], list[NDArray[np.complex64]]]:
    """Return what :func:`scaled_spectra` does, and the same for a turn by 180 degrees more."""
    size = (upright.residual.shape[0], upright.residual.shape[1])
    there = scaled_spectra(upright, carrier, geometries)
    back = [
        half_turned(spectrum, carrier, size, _scaled_step(upright, geometry))
        for geometry, spectrum in zip(geometries, there, strict=True)
    ]
    return there, back


def unscaled_spectra(
    picture: Picture, carrier: Carrier, geometries: Sequence[Geometry]
) -> list[NDArray[np.complex64]]:
    """Return whitened lattice spectra, complex64 (K,), of a picture laid down or filtered.

    Of two geometries that differ by 180 degrees one spectrum is made of the other, and filters
    change signs, so that four looks do for all of UNSCALED.
    """
    laid: dict[Geometry, NDArray[np.complex64]] = {}
    spectra = []
    for geometry in geometries:
        plain = replace(geometry, inverted_from=math.inf)
        if plain not in laid:
            upright = upright_picture(picture, plain)
            [there], [back] = spectra_both_ways(upright, carrier, [plain])
            laid |= {plain: there, plain.nudged(turn=180.0): back}
        spectra.append(_unfiltered(laid[plain], carrier, geometry))
    return spectra


def _scaled_step(upright: Picture, geometry: Geometry) -> tuple[float, float]:
    """Return carrier pixels per pixel, along x and y, of a carrier that is scaled."""
    return upright.step[0] / geometry.scale[0], upright.step[1] / geometry.scale[1]


def _unfiltered(
    white: NDArray[np.complex64], carrier: Carrier, geometry: Geometry
) -> NDArray[np.complex64]:
    """Return a spectrum with the waves set right that a filter inverted."""
    return np.where(carrier.radii < geometry.inverted_from, white, -white)


def _turned(residual: NDArray[np.float32], degrees: float) -> NDArray[np.float32]:
    """Return a residual turned counter-clockwise on a canvas that holds all of it."""
    height, width = residual.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (int(height * sine + width * cosine) + 2, int(height * cosine + width * sine) + 2)
    matrix[0, 2] += (size[0] - width) / 2
    matrix[1, 2] += (size[1] - height) / 2
    turned = cv2.warpAffine(np.ascontiguousarray(residual), matrix, size, flags=cv2.INTER_CUBIC)
    return np.asarray(turned, np.float32)
