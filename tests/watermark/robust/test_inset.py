from collections.abc import Callable
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vidigree.media.frame import Frame
from vidigree.watermark.bench.distortions import picture_in_picture
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import RobustMark
from vidigree.watermark.robust.detector import Detector
from vidigree.watermark.robust.inset import insets_of
from vidigree.watermark.robust.stretches import Stretch
from vidigree.watermark.robust.views import View

Frames = list[NDArray[np.uint8]]
SIZE = (256, 384)


def _clouds(seed: int, count: int = 3) -> list[NDArray[np.float32]]:
    """Smooth pictures that differ from frame to frame."""
    rng = np.random.default_rng(seed)
    noise = [cv2.GaussianBlur(rng.normal(size=SIZE), (0, 0), 6) for _ in range(count)]
    return [np.asarray(128 + 40 * one / one.std(), np.float32) for one in noise]


# A border within a few pixels of the frame's edge may be taken for that edge.
@given(st.integers(4, 120), st.integers(4, 180), st.integers(90, 122), st.integers(120, 200))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_borders_are_found_to_the_pixel(top: int, left: int, height: int, width: int) -> None:
    inside = (slice(top, top + height), slice(left, left + width))
    pictures = _clouds(1)
    for picture, other in zip(pictures, _clouds(2), strict=True):
        picture[inside] = other[inside]
    assert inside in insets_of(pictures)


def test_a_picture_without_borders_holds_none() -> None:
    assert insets_of(_clouds(3)) == []
    assert insets_of([np.full(SIZE, 80.0, np.float32)]) == []


def test_strong_lines_inside_do_not_hide_the_borders() -> None:
    inside = (slice(40, 180), slice(60, 260))
    pictures = _clouds(4)
    for picture, other in zip(pictures, _clouds(5), strict=True):
        other[:, 150:] += 60
        picture[inside] = other[inside]
    assert inside in insets_of(pictures)


@pytest.mark.parametrize("size", [(256, 384), (360, 640)])
def test_a_marked_picture_in_a_picture_is_read(
    textured: Callable[..., Frames], size: tuple[int, int]
) -> None:
    fps = Fraction(24)
    marked = list(RobustMark().embed(textured(*size, 24, seed=8), 77, key=PUBLISHED_KEY, fps=fps))
    seen = picture_in_picture(marked, 0.5, np.random.default_rng(1))
    reading = RobustMark().detect(seen, keys=[PUBLISHED_KEY], fps=fps)
    assert reading.message == 77
    assert [(part.start, part.end) for part in reading.segments] == [(0.0, 1.0)]
    # In the whole picture the carrier is of half its size; a mark that seems to sit where it was
    # embedded, in a picture that is not the one that was issued, is said to be a copied one.
    assert reading.scale is None


def test_a_film_in_a_picture_is_searched_once_and_then_known(
    textured: Callable[..., Frames],
) -> None:
    fps = Fraction(2)
    marked = list(RobustMark().embed(textured(*SIZE, 12, seed=10), 77, key=PUBLISHED_KEY, fps=fps))
    seen = picture_in_picture(marked, 0.5, np.random.default_rng(1))
    reader = Detector([PUBLISHED_KEY], fps)
    marks, looked = [], []
    for index in range(120):
        image = seen[index % 12] if index < 100 else marked[index % 12][:, :300]
        marks += reader.feed(Frame(image=image, time=Fraction(index, 2)))
        looked.append(reader.looked)
    marks += reader.finish()
    assert [mark.finding.message for mark in marks] == [77] * 6
    assert [[(one.start, one.end) for one in mark.segments] for mark in marks[:5]] == [
        [(10.0 * block, 10.0 * block + 10.0)] for block in range(5)
    ]
    assert looked[99] == looked[20] > 0
    # A picture of another size is not cut by these borders.
    assert marks[0].finding.view is not None
    assert marks[5].finding.view is None
    assert reader.looked > looked[99]


def test_a_view_says_nothing_of_frames_of_another_size() -> None:
    view = View(source=(360, 640), inset=(slice(20, 200), slice(20, 300)))
    one, other = (
        Stretch(
            start=0.0,
            end=0.5,
            frames=1,
            means=(np.zeros(size, np.int16),),
            openings=(),
            thumbnails=(),
            source=size,
        )
        for size in ((360, 640), (360, 480))
    )
    assert len(view.parts([one, other])) == len(view.parts([one])) > 0
    assert view.parts([other]) == []
