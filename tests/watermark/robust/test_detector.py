"""What a detector looks at: as much as a clip is worth, and no more."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.media.frame import Frame
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import RobustMark
from vidigree.watermark.robust.detector import Detector
from vidigree.watermark.robust.geometry import UNSCALED
from vidigree.watermark.robust.stretches import StretchReader


def test_the_last_moments_of_a_clip_are_not_searched_widely() -> None:
    detector = Detector([PUBLISHED_KEY], Fraction(2))
    random = np.random.default_rng(1)
    looked = []
    for index in range(22):  # one frame is a stretch, twenty are a block
        image = random.integers(0, 256, (64, 96, 3), dtype=np.uint8)
        detector.feed(Frame(image=image, time=Fraction(index, 2)))
        looked.append(detector.looked)
    assert looked[19] == 0
    assert looked[20] > 100
    detector.finish()
    assert detector.looked - looked[20] == len(UNSCALED)


def test_without_a_key_nothing_is_found() -> None:
    image = np.random.default_rng(1).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    reading = RobustMark().detect([image] * 2, keys=[], fps=Fraction(2))
    assert not reading.present
    assert reading.frames_used == 2


@pytest.mark.parametrize(
    ("size", "seen"),
    [((32, 512), (32, 512)), ((32, 16384), (32, 512)), ((3000, 40), (640, 40)), ((1, 40), (1, 16))],
)
def test_of_a_very_long_picture_one_end_is_looked_at(
    size: tuple[int, int], seen: tuple[int, int]
) -> None:
    reader = StretchReader(Fraction(1))
    image = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    stretch = reader.feed(Frame(image=image, time=Fraction(0)))
    assert stretch is not None
    assert stretch.source == seen
    scale = 256 / min(seen)
    assert stretch.means[0].shape == (seen[0] * scale, seen[1] * scale)


def test_a_very_long_picture_is_read(
    textured: Callable[..., list[NDArray[np.uint8]]],
) -> None:
    frames = textured(128, 3000, 2, 5)
    marked = list(RobustMark().embed(frames, 77, key=PUBLISHED_KEY, fps=Fraction(24)))
    for seen in (marked, [np.rot90(frame).copy() for frame in marked]):
        assert RobustMark().detect(seen, keys=[PUBLISHED_KEY], fps=Fraction(24)).message == 77
