"""The visible label is high enough, readable, where it belongs, and only there."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from vidigree.media.errors import UsageError
from vidigree.watermark.profiles.label import fitting_label
from vidigree.watermark.profiles.lettering import draw_text

SIZES = [(640, 360), (360, 640), (1920, 1080), (128, 96), (512, 512)]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("text", ["AI GENERATED", "AI MODIFIED", "AI生成"])
def test_letters_have_a_twentieth_of_the_shorter_side(text: str, width: int, height: int) -> None:
    label = fitting_label((text,), width=width, height=height, seconds=None)
    white = label.burn(np.zeros((height, width, 3), np.uint8))[..., 0] > 96
    rows = np.flatnonzero(white.any(axis=1))
    drawn = rows[-1] - rows[0] + 1
    assert drawn >= 0.05 * min(width, height) - 1
    assert 20 * label.letters >= min(width, height)


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_letters_stand_out_from_any_picture(shade: int) -> None:
    label = fitting_label(("AI GENERATED",), width=640, height=360, seconds=None)
    box = label.ink.shape
    burnt = label.burn(np.full((360, 640, 3), shade, np.uint8))[: box[0], : box[1], 0]
    letters, ground = burnt[label.ink > 0.99], burnt[label.ink == 0]
    assert letters.min() - float(ground.max()) > 120


def test_only_the_box_is_changed_and_the_frame_given_is_not() -> None:
    label = fitting_label(("AI",), width=320, height=240, seconds=None)
    frame = np.random.default_rng(1).integers(0, 256, (240, 320, 3)).astype(np.uint8)
    frame.setflags(write=False)
    burnt = label.burn(frame)
    height, width = label.ink.shape
    np.testing.assert_array_equal(burnt[height:], frame[height:])
    np.testing.assert_array_equal(burnt[:, width:], frame[:, width:])
    assert not np.array_equal(burnt[:height, :width], frame[:height, :width])


def test_small_picture_takes_the_text_that_fits() -> None:
    texts = ("AI GENERATED", "AI")
    assert fitting_label(texts, width=640, height=480, seconds=None).text == "AI GENERATED"
    assert fitting_label(texts, width=64, height=64, seconds=None).text == "AI"
    with pytest.raises(UsageError, match="does not fit into 16 x 16"):
        fitting_label(texts, width=16, height=16, seconds=None)


def test_a_long_text_that_does_not_fit_is_not_repeated_whole() -> None:
    with pytest.raises(UsageError, match="does not fit into 640 x 480") as caught:
        fitting_label(("A" * 5000,), width=640, height=480, seconds=None)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("text", ["AI \u202e", "日本", "é", "\n"])
def test_character_that_cannot_be_drawn_is_named(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be drawn"):
        draw_text(text, 20)


def test_every_ascii_character_can_be_drawn() -> None:
    for code in range(32, 127):
        drawn = draw_text(chr(code), 20)
        assert drawn.shape[0] == 20
        assert 0 <= drawn.min() <= drawn.max() <= 1


def test_letters_differ() -> None:
    drawn = [draw_text(text, 24) for text in ("A", "I", "生", "成")]
    for one, other in pairwise(drawn):
        assert one.shape != other.shape or not np.allclose(one, other)
        assert 0.1 < one.mean() < 0.99


@pytest.mark.parametrize("timed", [True, False])
def test_label_ends_when_it_shall(timed: bool) -> None:
    label = fitting_label(("AI",), width=64, height=64, seconds=Fraction(2))
    black = np.zeros((64, 64, 3), np.uint8)
    frames = [(black, Fraction(i, 10) if timed else None) for i in range(30)]
    shown = [bool(image.any()) for image, _ in label.on(iter(frames), Fraction(10))]
    assert shown == [True] * 20 + [False] * 10
