"""Time: frames at a fixed rate by nearest frame, never interpolated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vidigree.media.frame import Frame

__all__ = ["SAMPLE_RATE", "SampledFrame", "SamplingClock", "nearest_frames"]

SAMPLE_RATE = 8
"""Samples per second. Slower clips repeat frames, and say so."""


@dataclass(frozen=True)
class SampledFrame:
    """A source frame that stands for one tick of the sampling clock.

    Attributes:
        image: uint8 RGB of shape (height, width, 3).
        tick: Index of the tick, from 0; its time is ``tick / rate`` after the first frame.
        repeated: Whether the same source frame already stood for the tick before.
    """

    image: NDArray[np.uint8]
    tick: int
    repeated: bool


class SamplingClock:
    """Chooses for every tick the source frame whose time is nearest; the earlier one on a tie.

    Interpolation would leave traces of its own, so a clip slower than the clock repeats frames.
    Ticks later than the last frame are not made up.

    Args:
        rate: Ticks per second.
        wanted: Says of a tick whether its picture is wanted; the others are not even converted.
            ``None`` for all of them.
    """

    def __init__(
        self, rate: Fraction | int = SAMPLE_RATE, *, wanted: Callable[[int], bool] | None = None
    ) -> None:
        self._step = 1 / Fraction(rate)
        self._wanted = wanted
        self._before: Frame | None = None
        self._start = Fraction(0)
        self._tick = 0
        self._shown: Fraction | None = None

    def feed(self, frame: Frame) -> Iterator[SampledFrame]:
        """Take the next frame, in display order; yield the samples that are certain with it."""
        before = self._before
        if before is None:
            self._start = frame.time
        while (time := self._start + self._tick * self._step) <= frame.time:
            nearest = frame
            if before is not None and time - before.time <= frame.time - time:
                nearest = before
            if self._wanted is None or self._wanted(self._tick):
                yield SampledFrame(nearest.image, self._tick, repeated=nearest.time == self._shown)
            self._shown = nearest.time
            self._tick += 1
        self._before = frame


def nearest_frames(
    frames: Iterable[Frame], rate: Fraction | int = SAMPLE_RATE
) -> Iterator[SampledFrame]:
    """Yield the samples of a clip; see :class:`SamplingClock`.

    Args:
        frames: Frames in display order with increasing times.
        rate: Ticks per second.
    """
    clock = SamplingClock(rate)
    for frame in frames:
        yield from clock.feed(frame)
