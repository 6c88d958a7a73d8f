from collections.abc import Callable
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import RobustMark
from vidigree.watermark.robust.outline import corners_of, straightened
from vidigree.watermark.robust.stretches import LEVELS_PER_GREY, Stretch
from vidigree.watermark.robust.views import straight_views

Frames = list[NDArray[np.uint8]]
SIZE = (256, 384)
INWARD = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
FRAME = np.array([[0, 0], [384, 0], [384, 256], [0, 256]], np.float32)


def _askew(picture: NDArray[np.uint8], reach: NDArray[np.float64]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = (frame + INWARD * reach * [width, height]).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(frame, moved)
    return cv2.warpPerspective(picture, matrix, (width, height))


corner = st.tuples(st.floats(0.02, 0.25), st.floats(0.02, 0.25))


@given(st.tuples(corner, corner, corner, corner))
@settings(max_examples=25, deadline=None)
def test_the_corners_are_found_to_two_pixels(corners: tuple[tuple[float, float], ...]) -> None:
    reach = np.array(corners)
    seen = _askew(np.full(SIZE, 120, np.uint8), reach).astype(np.float32)
    found = corners_of([seen])
    assert found is not None
    assert np.abs(found - (FRAME + INWARD * reach * [384, 256])).max() < 2.5


def test_straightening_undoes_perspective(textured: Callable[..., Frames]) -> None:
    luma = cv2.cvtColor(textured(*SIZE, 1, seed=3)[0], cv2.COLOR_RGB2GRAY)
    seen = _askew(luma, np.array([[0.2, 0.05], [0.1, 0.2], [0.03, 0.1], [0.15, 0.2]]))
    corners = corners_of([seen.astype(np.float32)])
    assert corners is not None
    flat = straightened(seen.astype(np.float32), corners)
    inner = (slice(16, -16), slice(16, -16))
    assert np.corrcoef(flat[inner].ravel(), luma[inner].astype(float).ravel())[0, 1] > 0.97


def test_a_whole_picture_and_a_black_one_have_no_outline() -> None:
    assert corners_of([np.full(SIZE, 90.0, np.float32)]) is None
    assert corners_of([np.zeros(SIZE, np.float32)]) is None


def _held(luma: NDArray[np.float32]) -> Stretch:
    """Return a stretch of one still picture."""
    kept = np.rint(luma * LEVELS_PER_GREY).astype(np.int16)
    return Stretch(
        start=0.0, end=0.5, frames=1, means=(kept,), openings=(), thumbnails=(), source=SIZE
    )


def test_an_outline_is_looked_at_once_however_black_its_ground_is() -> None:
    reach = np.full((4, 2), 0.2)
    inner = _askew(np.full(SIZE, 120, np.uint8), reach).astype(np.float32)
    (view,) = straight_views([_held(inner)])
    assert view.corners is not None
    assert np.abs(view.corners - (FRAME + INWARD * reach * [384, 256])).max() < 2.5
    # A ground that a codec left grey has an outline of its own on what is really black.
    outer = _askew(np.full(SIZE, 7, np.uint8), np.full((4, 2), 0.05)).astype(np.float32)
    corners = [one.corners for one in straight_views([_held(np.maximum(inner, outer))])]
    assert len(corners) == 2
    for found, away in zip(corners, (reach, np.full((4, 2), 0.05)), strict=True):
        assert found is not None
        assert np.abs(found - (FRAME + INWARD * away * [384, 256])).max() < 2.5


def test_a_round_picture_has_no_four_corners() -> None:
    disc = np.zeros(SIZE, np.float32)
    cv2.circle(disc, (192, 128), 100, 150.0, -1)
    assert corners_of([disc]) is None


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_marked_clip_shown_askew_is_read(clip: Frames, mirrored: bool) -> None:
    marked = list(RobustMark().embed(clip, 99, key=PUBLISHED_KEY, fps=Fraction(24)))
    reach = np.array([[0.22, 0.1], [0.05, 0.2], [0.2, 0.03], [0.1, 0.18]])
    seen = [_askew(frame[:, ::-1] if mirrored else frame, reach) for frame in marked]
    reading = RobustMark().detect(seen, keys=[PUBLISHED_KEY], fps=Fraction(24))
    assert reading.message == 99
    assert reading.mirrored == mirrored
    assert (reading.scale, reading.rotation) == (None, None)
    assert [(part.start, part.end) for part in reading.segments] == [(0.0, 1.0)]
