"""Time: frames at a fixed rate by nearest frame, never interpolated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vidigree.media.frame import Frame

__all__ = ["SAMPLE_RATE", "SampledFrame", "nearest_frames"]

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


def nearest_frames(
    frames: Iterable[Frame], rate: Fraction | int = SAMPLE_RATE
) -> Iterator[SampledFrame]:
    """Yield for every tick the source frame whose time is nearest; the earlier one on a tie.

    Interpolation would leave traces of its own, so a clip slower than the clock repeats frames.
    Ticks later than the last frame are not made up.

    Args:
        frames: Frames in display order with increasing times.
        rate: Ticks per second.
    """
    step = 1 / Fraction(rate)
    before: Frame | None = None
    start = Fraction(0)
    tick = 0
    shown: Fraction | None = None
    for frame in frames:
        if before is None:
            start = frame.time
        while (time := start + tick * step) <= frame.time:
            nearest = frame
            if before is not None and time - before.time <= frame.time - time:
                nearest = before
            yield SampledFrame(nearest.image, tick, repeated=nearest.time == shown)
            shown = nearest.time
            tick += 1
        before = frame
