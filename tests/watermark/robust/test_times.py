"""When a mark is there, of clips whose frames lie at uneven distances: by their own times."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.media.frame import Frame
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import RobustMark
from vidigree.watermark.robust.stretches import StretchReader

Frames = list[NDArray[np.uint8]]
BLANK = np.zeros((32, 32, 3), np.uint8)


def _marked(frames: Frames, message: int) -> Frames:
    return list(RobustMark().embed(frames, message, key=PUBLISHED_KEY, fps=Fraction(10)))


def test_segments_follow_the_times_of_the_frames(textured: Callable[..., Frames]) -> None:
    """A second of 25 frames and four seconds of 25 more: ten a second on the average."""
    frames = _marked(textured(256, 384, 25, 1), 5) + _marked(textured(256, 384, 25, 2), 6)
    times = [Fraction(n, 25) if n < 25 else 1 + Fraction(4 * (n - 25), 25) for n in range(50)]
    detector = RobustMark().detector(keys=[PUBLISHED_KEY], fps=Fraction(10))
    for image, time in zip(frames, times, strict=True):
        detector.feed(Frame(image=image, time=time + 3))
    found = {reading.message: reading.segments for reading in detector.finish()}
    assert {message: [(one.start, one.end) for one in part] for message, part in found.items()} == {
        5: [(0.0, 1.0)],
        6: [(1.0, pytest.approx(1 + 4 * 24 / 25 + 0.1))],
    }


def test_a_film_of_uneven_frames_has_one_segment(textured: Callable[..., Frames]) -> None:
    """However long the last frame of a block is shown, the next block goes on where it ends."""
    frames = _marked(textured(256, 384, 6, 3), 7)
    times = [Fraction(n + n // 4 * 5) for n in range(44)]
    detector = RobustMark().detector(keys=[PUBLISHED_KEY], fps=Fraction(2))
    for n, time in enumerate(times):
        detector.feed(Frame(image=frames[n % 6], time=time))
    (reading,) = detector.finish()
    assert reading.message == 7
    assert [(one.start, one.end) for one in reading.segments] == [(0.0, float(times[-1]) + 0.5)]
    assert reading.frames_used == 44


def test_a_stretch_has_the_times_of_its_frames() -> None:
    reader = StretchReader(Fraction(24))
    times = [Fraction(n, 24) if n < 12 else Fraction(n, 6) for n in range(30)]
    fed = [reader.feed(Frame(image=BLANK, time=time)) for time in times]
    stretches = [one for one in [*fed, reader.finish()] if one is not None]
    assert [(one.start, one.end) for one in stretches] == [
        pytest.approx((0.0, 0.5)),
        pytest.approx((2.0, 23 / 6 + 1 / 24)),
        pytest.approx((4.0, 29 / 6 + 1 / 24)),
    ]
