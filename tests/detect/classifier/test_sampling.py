from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.detect.classifier.sampling import SAMPLE_RATE, SamplingClock, nearest_frames
from vidigree.media.frame import Frame


def _frames(times: list[Fraction]) -> list[Frame]:
    return [
        Frame(image=np.full((2, 2, 3), index, np.uint8), time=time)
        for index, time in enumerate(times)
    ]


@pytest.mark.parametrize("fps", [8, 12, 24, 25, 30, 60])
def test_every_tick_gets_the_nearest_frame(fps: int) -> None:
    times = [Fraction(index, fps) for index in range(fps * 2)]
    for sample in nearest_frames(_frames(times)):
        tick = Fraction(sample.tick, SAMPLE_RATE)
        chosen = times[int(sample.image[0, 0, 0])]
        assert abs(chosen - tick) == min(abs(time - tick) for time in times)


@pytest.mark.parametrize("fps", [8, 24, 25, 30])
def test_two_seconds_are_sixteen_ticks_at_any_rate(fps: int) -> None:
    times = [Fraction(index, fps) for index in range(fps * 2)]
    assert len(list(nearest_frames(_frames(times)))) == 16


def test_slow_clip_repeats_frames_and_says_so() -> None:
    times = [Fraction(index, 4) for index in range(8)]
    samples = list(nearest_frames(_frames(times)))
    assert [sample.repeated for sample in samples].count(True) == len(samples) // 2
    assert all(
        (left.image == right.image).all() == right.repeated
        for left, right in itertools.pairwise(samples)
    )


def test_clock_starts_at_the_first_frame_not_at_zero() -> None:
    late = [Fraction(7, 3) + Fraction(index, 8) for index in range(8)]
    assert [int(s.image[0, 0, 0]) for s in nearest_frames(_frames(late))] == list(range(8))


def test_what_is_not_wanted_is_never_converted() -> None:
    class Counted(Frame):
        converted = 0

        def _convert(self) -> NDArray[np.uint8]:
            Counted.converted += 1
            return np.zeros((2, 2, 3), np.uint8)

    clock = SamplingClock(wanted=lambda tick: tick % 4 == 0)
    frames = [Counted(image=None, time=Fraction(index, 24)) for index in range(48)]
    ticks = [sample.tick for frame in frames for sample in clock.feed(frame)]
    assert ticks == [0, 4, 8, 12]
    assert Counted.converted == 4
