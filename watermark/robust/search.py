"""The wide search: scale, rotation, mirroring and aspect of a picture nothing is known about.

The pilot sits at keyed frequencies. Scaling and turning a picture scale and turn its spectrum,
and cropping or shifting change phases only; so the sum of the power spectrum over where the pilot
would be, for every geometry of a grid, points at the right one without knowing any shift
(O'Ruanaidh and Pun, 1997, had the idea of a template in the magnitudes). Being blind to phases,
this step does not touch the randomness that the p-value rests on: the candidates it hands over
are tested by phase as if drawn at random.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
_LARGEST_TABLE = 2048
# What fits into a processor's cache.
_FRAMES_AT_ONCE = 8


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
    frames = list(_frames(step))
    scores = np.concatenate(
        [
            _scan(table, picture.step, carrier, scales, frames[start : start + _FRAMES_AT_ONCE])
            for start in range(0, len(frames), _FRAMES_AT_ONCE)
        ]
    )
    # Two of each frame, lest a single peak's neighbours are all that is handed over.
    scores[scores < np.partition(scores, -2, axis=1)[:, -2:-1]] = -np.inf
    best = np.argpartition(-scores, min(count, scores.size) - 1, axis=None)[:count]
    found = []
    for place in best[np.argsort(-scores.flat[best], kind="stable")]:
        frame, index = divmod(int(place), len(scales))
        mirrored, rotation, aspect = frames[frame]
        scale = float(scales[index])
        geometry = Geometry(scale=(scale, scale * aspect), rotation=rotation, mirrored=mirrored)
        found.append(Candidate(geometry=geometry, score=float(scores[frame, index])))
    return found


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
    """Return the locally flattened power spectrum, square, with frequency 0 in the middle.

    Of a very long picture one end does for its magnitudes.
    """
    residual = residual[:_LARGEST_TABLE, :_LARGEST_TABLE]
    length = max(residual.shape)
    size = _LARGEST_TABLE if length > 560 else 1024 if length > 256 else 512
    height, width = residual.shape
    middle = size // 2
    # Row by row, then column by column: beyond the picture, rows of zeros stay what they are.
    along = scipy.fft.rfft(residual * np.outer(_taper(height), _taper(width)), size, axis=1)
    waves = scipy.fft.fft(along[:, :middle], size, axis=0, overwrite_x=True)
    half = waves.real**2 + waves.imag**2
    full = np.empty((size, size), np.float32)
    full[:middle, middle:], full[middle:, middle:] = half[middle:], half[:middle]
    # The spectrum of a real picture: point (-f) equals point (f).
    opposite = full[:, :middle:-1]
    full[0, 1:middle], full[1:, 1:middle] = opposite[0], opposite[:0:-1]
    full[:, 0] = full[:, 1]
    level = cv2.blur(full, (31, 31))
    level += np.float32(1e-12)
    full /= level
    return np.minimum(full, np.float32(_POWER_LIMIT), out=full)


def _scan(
    table: NDArray[np.float32],
    step: tuple[float, float],
    carrier: Carrier,
    scales: NDArray[np.float64],
    frames: Sequence[tuple[bool, float, float]],
) -> NDArray[np.float32]:
    """Return the score of every scale for some mirrorings, rotations and aspects.

    Returns:
        float32 (frames, scales), standard deviations.
    """
    middle = table.shape[0] // 2
    waves = carrier.waves[carrier.pilots] * (table.shape[0] / TILE)
    mirrored, rotations, aspects = (
        np.array(values)[:, None] for values in zip(*frames, strict=True)
    )
    turns = np.deg2rad(rotations)
    fx, fy = waves[:, 0], waves[:, 1] / aspects
    gx = np.where(mirrored, -step[0], step[0]) * (fx * np.cos(turns) + fy * np.sin(turns))
    gy = step[1] * (fy * np.cos(turns) - fx * np.sin(turns))
    inverse = (1.0 / scales).astype(np.float32)[:, None]
    columns = inverse * gx.astype(np.float32)[:, None] + np.float32(middle)
    rows = inverse * gy.astype(np.float32)[:, None] + np.float32(middle)
    count = len(waves)
    # Beyond the table there is nothing to be seen: the level of no pilot.
    values = cv2.remap(
        table,
        columns.reshape(-1, count),
        rows.reshape(-1, count),
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(1.0,),
    )
    means = values @ np.full(count, 1.0 / count, np.float32)
    return np.asarray((means - 1.0) * np.sqrt(count), np.float32).reshape(len(frames), len(scales))


def _taper(length: int) -> NDArray[np.float32]:
    """Return a flat window with cosine edges over an eighth of its length on each side."""
    edge = max(1, length // 8)
    window = np.ones(length, np.float32)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    window[:edge] = ramp
    window[-edge:] = ramp[::-1]
    return window
