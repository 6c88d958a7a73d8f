"""Half-second stretches of a clip, each reduced to a few small pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.robust.carrier import SHORT_SIDE
from vidigree.watermark.robust.frontend import Picture, residual_of, working_luma, working_step
from vidigree.watermark.robust.learned import learned_residual

__all__ = ["Stretch", "StretchReader", "fine_picture", "learned_picture", "merged"]

_SECONDS = 0.5
_LOOKED_AT = 15.0
_THUMBNAIL = 512
_THUMBNAILS = 2
_LUMAS = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretch:
    """What is kept of half a second.

    Attributes:
        start: Seconds from the first frame.
        end: Seconds from the first frame, exclusive.
        frames: How many frames were looked at.
        normal: Sum of their residuals at the working size.
        coarse: The same at half the working size.
        lumas: A few lumas at the working size, uint8, for the learned front end.
        thumbnails: A few lumas at twice the working size, uint8, for the wide search; empty for
            small sources.
        source: Height and width of the frames.
    """

    start: float
    end: float
    frames: int
    normal: Picture
    coarse: Picture
    lumas: tuple[NDArray[np.uint8], ...]
    thumbnails: tuple[NDArray[np.uint8], ...]
    source: tuple[int, int]


class StretchReader:
    """Turns frames into stretches; holds one stretch's sums at a time.

    At most about 15 frames of each second are looked at, evenly spaced.

    Args:
        fps: Frames per second.
    """

    def __init__(self, fps: Fraction) -> None:
        self._fps = float(fps)
        self._stride = max(1, round(self._fps / _LOOKED_AT))
        self._length = max(1, round(self._fps * _SECONDS))
        self._seen = 0
        self._start = 0
        self._used = 0
        self._normal: NDArray[np.float32] | None = None
        self._coarse: NDArray[np.float32] | None = None
        self._lumas: list[NDArray[np.uint8]] = []
        self._thumbnails: list[NDArray[np.uint8]] = []
        self._source = (0, 0)

    def feed(self, frame: NDArray[np.uint8]) -> Stretch | None:
        """Take the next frame; return a stretch when one is full."""
        index, self._seen = self._seen, self._seen + 1
        if index % self._stride == 0:
            self._look(frame)
        return self.finish() if self._seen - self._start >= self._length else None

    def finish(self) -> Stretch | None:
        """Return what has been gathered since the last stretch, if anything."""
        if self._normal is None or self._coarse is None:
            return None
        stretch = Stretch(
            start=self._start / self._fps,
            end=self._seen / self._fps,
            frames=self._used,
            normal=_picture(self._normal, self._source),
            coarse=_picture(self._coarse, self._source),
            lumas=tuple(self._lumas),
            thumbnails=tuple(self._thumbnails),
            source=self._source,
        )
        self._normal = self._coarse = None
        self._lumas, self._thumbnails = [], []
        self._used, self._start = 0, self._seen
        return stretch

    def _look(self, frame: NDArray[np.uint8]) -> None:
        self._source = (frame.shape[0], frame.shape[1])
        luma = working_luma(frame, SHORT_SIDE)
        half = (max(1, luma.shape[1] // 2), max(1, luma.shape[0] // 2))
        normal = residual_of(luma)
        coarse = residual_of(np.asarray(cv2.resize(luma, half, interpolation=cv2.INTER_AREA)))
        if self._normal is None or self._coarse is None:
            self._normal, self._coarse = normal, coarse
        else:
            self._normal += normal
            self._coarse += coarse
        if len(self._lumas) < _LUMAS:
            self._lumas.append(_bytes(luma))
        if len(self._thumbnails) < _THUMBNAILS and min(self._source) > SHORT_SIDE * 5 // 4:
            fine = working_luma(frame, min(_THUMBNAIL, *self._source))
            self._thumbnails.append(_bytes(fine))
        self._used += 1


def merged(stretches: Sequence[Stretch], *, coarse: bool = False) -> Picture:
    """Return the sum of the residuals of several stretches of one clip."""
    pictures = [stretch.coarse if coarse else stretch.normal for stretch in stretches]
    total = np.asarray(np.sum([picture.residual for picture in pictures], axis=0), np.float32)
    return Picture(residual=total, step=pictures[0].step)


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
    picks = np.unique(np.linspace(0, len(chosen) - 1, most).round().astype(int))
    residuals = [residual_of(chosen[pick][0].astype(np.float32)) for pick in picks]
    total = np.asarray(np.sum(residuals, axis=0), np.float32)
    return _picture(total, chosen[0][1])


def learned_picture(stretches: Sequence[Stretch], most: int) -> Picture | None:
    """Return the sum of the learned front end's estimates, or ``None`` where it is missing.

    Args:
        stretches: Where to take lumas from.
        most: How many to use at most, evenly spaced.
    """
    chosen = [luma for stretch in stretches for luma in stretch.lumas]
    picks = np.unique(np.linspace(0, len(chosen) - 1, most).round().astype(int))
    total: NDArray[np.float32] | None = None
    for pick in picks:
        estimate = learned_residual(chosen[pick].astype(np.float32))
        if estimate is None:
            return None
        total = estimate if total is None else total + estimate
    return None if total is None else _picture(total, stretches[0].source)


def _bytes(luma: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(luma), 0, 255), np.uint8)


def _picture(residual: NDArray[np.float32], source: tuple[int, int]) -> Picture:
    height, width = residual.shape
    return Picture(residual=residual, step=working_step(source, (height, width)))
