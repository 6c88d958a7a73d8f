"""Frames convert when asked; luma is what the codec kept, at full range and upright."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from vidigree.media.frame import DecodedFrame, Frame, _stretched
from vidigree.media.orientation import Orientation


def decoded(pixels: str, orientation: Orientation | None = None) -> DecodedFrame:
    image = np.zeros((48, 80, 3), np.uint8)
    image[:24] = 60
    image[24:, :40] = 190
    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixels)
    return DecodedFrame(
        frame, orientation=orientation or Orientation(), time=Fraction(0), name="clip"
    )


@pytest.mark.parametrize("pixels", ["yuv420p", "yuvj420p", "yuv444p", "nv12", "gray", "gbrp"])
def test_luma_agrees_with_the_picture(pixels: str) -> None:
    frame = decoded(pixels)
    assert frame.luma.shape == (48, 80)
    assert np.abs(frame.luma.astype(int) - frame.image.mean(axis=2)).max() <= 2


def test_luma_of_limited_range_is_stretched_to_the_nearest_level() -> None:
    # Wide lines are computed many pixels at a time, what is left of them one by one.
    for width in (1, 16, 67):
        levels = np.repeat(np.arange(256, dtype=np.uint8)[:, None], width, axis=1)
        expected = np.clip(np.rint((levels.astype(float) - 16) * 255 / 219), 0, 255)
        assert (_stretched(levels) == expected).all()


def test_luma_is_upright() -> None:
    frame = decoded("yuv420p", Orientation(rotation=90))
    assert frame.luma.shape == (80, 48)
    assert np.abs(frame.luma.astype(int) - frame.image.mean(axis=2)).max() <= 2


def test_luma_of_a_picture_is_the_sum_of_bt601() -> None:
    image = np.full((2, 2, 3), (255, 0, 0), np.uint8)
    assert np.all(Frame(image=image, time=Fraction(0)).luma == 76)


def test_a_picture_is_converted_once() -> None:
    frame = decoded("yuv420p")
    assert frame.image is frame.image
    assert frame.luma is frame.luma
