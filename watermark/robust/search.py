"""The wide search: scale, rotation, mirroring and aspect of a picture nothing is known about.

The pilot sits at keyed frequencies. Scaling and turning a picture scale and turn its spectrum,
and cropping or shifting change phases only; so the sum of the power spectrum over where the pilot
would be, for every geometry of a grid, points at the right one without knowing any shift
(O'Ruanaidh and Pun, 1997, had the idea of a template in the magnitudes). Being blind to phases,
this step does not touch the randomness that the p-value rests on: the candidates it hands over
are tested by phase as if drawn at random.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from vidigree.watermark.robust.carrier import TILE, Carrier
from vidigree.watermark.robust.frontend import Picture
from vidigree.watermark.robust.geometry import Geometry

__all__ = ["Candidate", "candidates", "upright"]

_OCTAVE = (np.log(0.66), np.log(1.52))
_TURNS_PER_PICTURE = 2.4
_STEPS = (0.005, 0.012)
_UPRIGHT_STEP = 0.006
_WIDEST_ASPECT = 0.5
_POWER_LIMIT = 6.0


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A geometry worth testing.

    Attributes:
        geometry: The geometry; a turn by 180 degrees more is the same to this step.
        score: Standard deviations of the pilot's summed power over its expectation.
    """

    geometry: Geometry
    score: float


def candidates(picture: Picture, carrier: Carrier, octave: float, count: int) -> list[Candidate]:
    """Return the most promising geometries, best first.

    Args:
        picture: The residual at one working size.
        carrier: The key's carrier.
        octave: Scale that this working size is best at; scales of 0.66 to 1.52 times it are tried.
        count: How many to return at most.
    """
    table = _power_table(picture.residual)
    step = _spacing(picture)
    scales = octave * np.exp(np.arange(*_OCTAVE, step))
    found: list[tuple[float, Geometry]] = []
    for mirrored, rotation, aspect in _frames(step):
        scores = _scan(table, picture.step, carrier, scales, (mirrored, rotation, aspect))
        for index in np.argsort(-scores)[:2]:
            scale = float(scales[index])
            geometry = Geometry(scale=(scale, scale * aspect), rotation=rotation, mirrored=mirrored)
            found.append((float(scores[index]), geometry))
    found.sort(key=lambda item: -item[0])
    return [Candidate(geometry=geometry, score=score) for score, geometry in found[:count]]


def upright(picture: Picture, octave: float) -> list[Geometry]:
    """Return upright geometries of every scale about an octave, to be tested by phase one by one.

    Crops, letterboxes and small pictures in large ones are the commonest changes; along this one
    line a search by phase can be afforded, and it finds weaker marks than magnitudes do.

    Args:
        picture: The residual at one working size.
        octave: Scale that the working size is best at.
    """
    scales = octave * np.exp(np.arange(*_OCTAVE, max(_UPRIGHT_STEP, _spacing(picture))))
    return [Geometry(scale=(float(scale), float(scale))) for scale in scales]


def _spacing(picture: Picture) -> float:
    """Return how far geometries of a grid are apart, as a fraction of scale and in radians.

    Half a cycle over the picture at the carrier's highest frequency: no finer grid is needed.
    """
    return float(np.clip(_TURNS_PER_PICTURE / max(picture.residual.shape), *_STEPS))


def _frames(step: float) -> Iterator[tuple[bool, float, float]]:
    """Yield every mirroring with every rotation, then with every aspect of an upright picture."""
    for mirrored in (False, True):
        for rotation in np.arange(0.0, 180.0, float(np.rad2deg(step))):
            yield mirrored, float(rotation), 1.0
        for squeeze in np.arange(step, _WIDEST_ASPECT, 1.4 * step):
            yield mirrored, 0.0, float(np.exp(squeeze))
            yield mirrored, 0.0, float(np.exp(-squeeze))


def _power_table(residual: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the locally flattened power spectrum, square, with frequency 0 in the middle."""
    size = 512 if max(residual.shape) <= 256 else 1024 if max(residual.shape) <= 560 else 2048
    padded = np.zeros((size, size), np.float32)
    height, width = residual.shape
    taper = np.outer(_taper(height), _taper(width))
    padded[:height, :width] = residual * taper
    half = np.abs(scipy.fft.rfft2(padded)) ** 2
    full = np.empty((size, size), np.float32)
    full[:, size // 2 :] = scipy.fft.fftshift(half[:, : size // 2], axes=0)
    # The spectrum of a real picture: point (-f) equals point (f).
    full[:, : size // 2] = np.roll(np.roll(full[::-1, ::-1], 1, axis=0), 1, axis=1)[:, : size // 2]
    full[:, 0] = full[:, 1]
    level = cv2.blur(full, (31, 31)) + 1e-12
    return np.asarray(np.minimum(full / level, _POWER_LIMIT), np.float32)


def _scan(
    table: NDArray[np.float32],
    step: tuple[float, float],
    carrier: Carrier,
    scales: NDArray[np.float64],
    frame: tuple[bool, float, float],
) -> NDArray[np.float64]:
    """Return the score of every scale for one mirroring, rotation and aspect."""
    mirrored, rotation, aspect = frame
    size = table.shape[0]
    waves = carrier.waves[carrier.pilots] / TILE
    fx, fy = waves[:, 0], waves[:, 1] / aspect
    turn = np.deg2rad(rotation)
    gx = (fx * np.cos(turn) + fy * np.sin(turn)) * step[0] * size
    gy = (-fx * np.sin(turn) + fy * np.cos(turn)) * step[1] * size
    if mirrored:
        gx = -gx
    inverse = (1.0 / scales).astype(np.float32)[:, None]
    columns = np.rint(inverse * gx.astype(np.float32))
    rows = np.rint(inverse * gy.astype(np.float32))
    # Whole numbers below 2**24 are exact in float32; what falls outside is clipped to an edge.
    flat = (rows * size + columns + (size // 2) * (size + 1)).astype(np.int32)
    values = table.take(flat, mode="clip")
    return np.asarray((values.mean(axis=1) - 1.0) * np.sqrt(values.shape[1]))


def _taper(length: int) -> NDArray[np.float32]:
    """Return a flat window with cosine edges over an eighth of its length on each side."""
    edge = max(1, length // 8)
    window = np.ones(length, np.float32)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    window[:edge] = ramp
    window[-edge:] = ramp[::-1]
    return window
