"""Half-second stretches of a clip, each reduced to a few small pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.media.frame import Frame
from vidigree.watermark.robust.carrier import SHORT_SIDE
from vidigree.watermark.robust.combining import gls_weights
from vidigree.watermark.robust.frontend import (
    Picture,
    at_working_size,
    residual_of,
    working_luma,
    working_size,
    working_step,
)
from vidigree.watermark.robust.learned import learned_residual
from vidigree.watermark.robust.scenes import SceneStarts, thumbnail_of
from vidigree.watermark.shrinking import halved

__all__ = [
    "COARSE",
    "LEVELS_PER_GREY",
    "Parts",
    "Stretch",
    "StretchReader",
    "as_luma",
    "fine_picture",
    "half_second",
    "learned_parts",
    "mixed_parts",
    "parts_of",
    "summed",
    "weighted_lumas",
]

Parts = list[tuple[float, Picture]]
"""Residuals of one clip and one size, with the weight each has in their sum."""

COARSE = 2.3
"""How much smaller than the working size the coarse one is; crops to a third are found there."""

_SECONDS = 0.5
_LOOKED_AT = 15.0
_THUMBNAIL = 512
_LARGEST_THUMBNAIL = 640
_THUMBNAILS = 2
_OPENING_WEIGHT = 2.5
# In one stretch; a picture that flickers has a scene in every frame, each as dear as a stretch.
_OPENINGS = 3
# Of the correlations that are seen between residuals: more than of those between spectra, since no
# pilot has said yet what each holds.
_SHRINKAGE = 0.5
# How far what a part holds may be from its weight, as a share of it. The first frame of a clip
# that was cut from a longer one is no opening, and would be nearly all of the sum.
_SPREAD = 0.25
# What a plain residual holds of the carrier beside the network's estimate of the same picture.
_LINEAR_WORTH = 0.4
# Short sides of a picture that are looked at along its long one. To be turned, it is laid on a
# square as long as itself, and one a hundred times as long as wide would fill the memory.
_LONGEST = 16
LEVELS_PER_GREY = np.float32(64.0)
"""Levels that a grey level is kept in: small lumas are means of many pixels and frames."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretch:
    """What is kept of half a second; residuals are made when they are asked for.

    Attributes:
        start: Seconds from the first frame, by the frames' own times.
        end: Likewise, exclusive: how long its last frame lasts is not known yet, and told by the
            frame rate.
        frames: How many frames were looked at.
        means: The mean luma of each scene's frames, at the working size; int16, 64 levels for each
            grey level. Nearly always one.
        openings: Lumas of frames that begin a scene, in the same form; the first three of them.
        thumbnails: A few lumas at about twice the working size, uint8, for the wide search; empty
            for small sources.
        source: Height and width of the frames.
    """

    start: float
    end: float
    frames: int
    means: tuple[NDArray[np.int16], ...]
    openings: tuple[NDArray[np.int16], ...]
    thumbnails: tuple[NDArray[np.uint8], ...]
    source: tuple[int, int]

    @cached_property
    def parts(self) -> Parts:
        """Residuals at the working size and their usual weights, openings apart.

        The mean luma is taken before the residual: averaging lowers what moves in the picture
        before the residual's nonlinearity sees it, and the mark keeps still.
        """
        return self._parts(self.means, self.openings)

    @cached_property
    def learned_parts(self) -> Parts:
        """The learned front end's estimates, like :attr:`parts`; empty where it is missing."""
        return self._learned(self.means, self.openings)

    @cached_property
    def coarse_parts(self) -> Parts:
        """Residuals at the coarse size."""
        return self._parts(_shrunk(self.means), _shrunk(self.openings))

    @cached_property
    def learned_coarse_parts(self) -> Parts:
        """The learned front end's estimates at the coarse size; empty where it is missing."""
        return self._learned(_shrunk(self.means), _shrunk(self.openings))

    def _parts(
        self, means: Iterable[NDArray[np.int16]], openings: Iterable[NDArray[np.int16]]
    ) -> Parts:
        return [
            (weight, _picture(residual_of(as_luma(kept)), self.source))
            for weight, kept in _weighted(means, openings)
        ]

    def _learned(
        self, means: Iterable[NDArray[np.int16]], openings: Iterable[NDArray[np.int16]]
    ) -> Parts:
        return [
            (weight, _picture(estimate, self.source))
            for weight, kept in _weighted(means, openings)
            if (estimate := learned_residual(as_luma(kept))) is not None
        ]


class StretchReader:
    """Turns frames into stretches; holds one stretch's lumas at a time.

    At most about 15 frames of each second are looked at, evenly spaced; of the others not even the
    luma is asked for. Of a picture more than 16 times as long as wide, the first 16 are looked at.

    Args:
        fps: Frames per second.
    """

    def __init__(self, fps: Fraction) -> None:
        self._frame = 1 / Fraction(fps)
        self._stride = max(1, round(float(fps) / _LOOKED_AT))
        self._length = half_second(fps)
        self._seen = 0
        # Of the frame that a stretch begins with, and of those whose times count.
        self._start = 0
        self._origin = self._began = self._last = Fraction(0)
        self._scenes = SceneStarts()
        self._runs: list[_Run] = []
        self._openings: list[NDArray[np.int16]] = []
        self._thumbnails: list[NDArray[np.uint8]] = []
        self._source = (0, 0)

    def feed(self, frame: Frame) -> Stretch | None:
        """Take the next frame; return a stretch that is full, or that a new size of frames ends."""
        ended = None
        if self._seen % self._stride == 0:
            longest = _LONGEST * min(frame.luma.shape)
            seen = frame.luma[:longest, :longest]
            if self._runs and seen.shape != self._source:
                ended = self.finish()
            self._look(seen)
        if not self._seen:
            self._origin = frame.time
        self._last = frame.time - self._origin
        if self._seen == self._start:
            self._began = self._last
        self._seen += 1
        full = ended is None and self._seen - self._start >= self._length
        return self.finish() if full else ended

    def finish(self) -> Stretch | None:
        """Return what has been gathered since the last stretch, if anything."""
        if not self._runs:
            return None
        stretch = Stretch(
            start=float(self._began),
            end=float(self._last + self._frame),
            frames=sum(run.frames for run in self._runs),
            means=tuple(_kept(run.mean()) for run in self._runs),
            openings=tuple(self._openings),
            thumbnails=tuple(self._thumbnails),
            source=self._source,
        )
        self._runs, self._openings, self._thumbnails = [], [], []
        self._start = self._seen
        return stretch

    def _look(self, picture: NDArray[np.uint8]) -> None:
        self._source = (picture.shape[0], picture.shape[1])
        half = halved(picture, 2 * SHORT_SIDE)
        luma = half.astype(np.float32)
        if min(half.shape) < SHORT_SIDE:
            luma = at_working_size(luma, SHORT_SIDE)
        seen = thumbnail_of(luma, working_size(self._source, SHORT_SIDE))
        begins = self._scenes.feed(seen) and len(self._openings) < _OPENINGS
        if begins:
            self._openings.append(_kept(at_working_size(luma, SHORT_SIDE)))
        if begins or not self._runs:
            self._runs.append(_Run(luma))
        else:
            self._runs[-1].add(luma)
        if len(self._thumbnails) < _THUMBNAILS and min(self._source) > SHORT_SIDE * 5 // 4:
            fine = halved(half, _THUMBNAIL)
            if min(fine.shape) > _LARGEST_THUMBNAIL:
                shrunk = working_luma(fine, _THUMBNAIL)
                fine = np.asarray(np.clip(np.rint(shrunk), 0, 255), np.uint8)
            self._thumbnails.append(np.array(fine))


class _Run:
    """Successive frames of a scene, added up; only their mean is brought to the working size.

    Args:
        luma: float32 (h, w), what is left of the first frame; it is added to.
    """

    def __init__(self, luma: NDArray[np.float32]) -> None:
        self._total = luma
        self.frames = 1

    def add(self, luma: NDArray[np.float32]) -> None:
        self._total += luma
        self.frames += 1

    def mean(self) -> NDArray[np.float32]:
        return at_working_size(self._total / np.float32(self.frames), SHORT_SIDE)


def half_second(fps: Fraction) -> int:
    """Return how many frames a stretch has."""
    return max(1, round(float(fps) * _SECONDS))


def parts_of(stretches: Iterable[Stretch], *, coarse: bool = False) -> Parts:
    """Return the residuals of all stretches, openings apart, each with its usual weight."""
    return [
        part
        for stretch in stretches
        for part in (stretch.coarse_parts if coarse else stretch.parts)
    ]


def summed(parts: Parts) -> Picture:
    """Return the sum of residuals of one size, by weight and so that what they share cancels.

    Nothing is known of the mark here but the usual weights, and where it is strong it is most of
    what residuals share. So no part counts against the others: they would take the mark away.
    """
    step = parts[0][1].step
    pictures = np.array([picture.residual for _, picture in parts])
    flat = pictures.reshape(len(parts), -1)
    # Estimates of the network shrink where it sees little, so their level says what they hold.
    levels = np.linalg.norm(flat, axis=1)
    usual = np.array([weight for weight, _ in parts])
    weights = gls_weights(flat, usual * levels, shrinkage=_SHRINKAGE, spread=_SPREAD * usual)
    weights = np.maximum(weights, 0.0).astype(np.float32)
    return Picture(residual=np.tensordot(weights, pictures, 1), step=step)


def weighted_lumas(stretches: Iterable[Stretch]) -> list[tuple[float, NDArray[np.float32]]]:
    """Return the lumas of all stretches, openings apart, each with its usual weight.

    Args:
        stretches: Where to take them from.

    Returns:
        Weight and float32 (h, w) in [0, 255], at the working size, stretch by stretch.
    """
    return [
        (weight, as_luma(kept))
        for stretch in stretches
        for weight, kept in _weighted(stretch.means, stretch.openings)
    ]


def fine_picture(stretches: Iterable[Stretch], most: int) -> Picture | None:
    """Return the residual of the thumbnails, for carriers smaller than they should be.

    Args:
        stretches: Where to take thumbnails from.
        most: How many to use at most, evenly spaced.
    """
    chosen = [
        (thumbnail, stretch.source) for stretch in stretches for thumbnail in stretch.thumbnails
    ]
    if not chosen:
        return None
    picks = _evenly(len(chosen), most)
    residuals = [residual_of(chosen[pick][0].astype(np.float32)) for pick in picks]
    return _picture(np.asarray(np.sum(residuals, axis=0), np.float32), chosen[0][1])


def learned_parts(stretches: Sequence[Stretch], most: int) -> Parts:
    """Return the learned front end's estimates like :func:`parts_of`; empty where it is missing.

    Args:
        stretches: Where to take lumas from.
        most: How many stretches to use at most, evenly spaced, the first one among them.
    """
    return [
        part for pick in _evenly(len(stretches), most) for part in stretches[pick].learned_parts
    ]


def mixed_parts(stretches: Sequence[Stretch], most: int, *, coarse: bool = False) -> Parts:
    """Return the learned front end's estimates of a few stretches, and residuals of the others.

    The network is dear; where nothing is known yet, a few of its estimates and the plain residuals
    of what it has not seen hold more together than either.

    Args:
        stretches: Where to take lumas from.
        most: How many stretches the network sees at most, evenly spaced.
        coarse: At the coarse size.
    """
    picks = set(_evenly(len(stretches), most))
    learned = [
        part
        for pick in picks
        for part in (
            stretches[pick].learned_coarse_parts if coarse else stretches[pick].learned_parts
        )
    ]
    if not learned:
        return parts_of(stretches, coarse=coarse)
    rest = parts_of(
        (one for index, one in enumerate(stretches) if index not in picks), coarse=coarse
    )
    level = float(np.mean([picture.residual.std() for _, picture in learned]))
    return learned + [
        (
            _LINEAR_WORTH * weight,
            Picture(residual=picture.residual * np.float32(level), step=picture.step),
        )
        for weight, picture in rest
    ]


def _evenly(count: int, most: int) -> list[int]:
    """Return at most so many of the indices below ``count``, evenly spaced, 0 among them."""
    return [int(pick) for pick in np.unique(np.linspace(0, count - 1, most).round().astype(int))]


def _weighted(
    means: Iterable[NDArray[np.int16]], openings: Iterable[NDArray[np.int16]]
) -> list[tuple[float, NDArray[np.int16]]]:
    """Return lumas with their usual weights."""
    return [(1.0, mean) for mean in means] + [(_OPENING_WEIGHT, one) for one in openings]


def _shrunk(lumas: Iterable[NDArray[np.int16]]) -> list[NDArray[np.int16]]:
    """Return lumas at the coarse size."""
    result = []
    for luma in lumas:
        size = (max(1, round(luma.shape[1] / COARSE)), max(1, round(luma.shape[0] / COARSE)))
        result.append(np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.int16))
    return result


def _kept(luma: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.asarray(np.rint(luma * LEVELS_PER_GREY), np.int16)


def as_luma(kept: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return a kept luma as float32 in [0, 255]."""
    return np.asarray(kept, np.float32) / LEVELS_PER_GREY


def _picture(residual: NDArray[np.float32], source: tuple[int, int]) -> Picture:
    height, width = residual.shape
    return Picture(residual=residual, step=working_step(source, (height, width)))
