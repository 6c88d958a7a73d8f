"""Frames convert when asked; luma is what the codec kept, at full range and upright."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from vidigree.media import UnsupportedMediaError
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


@pytest.mark.parametrize(
    "pixels",
    [
        *("gray", "nv12", "nv16", "nv21", "nv24", "yuva420p", "yuva422p", "yuva444p"),
        *("yuv410p", "yuv411p", "yuv420p", "yuv422p", "yuv440p", "yuv444p"),
        *("yuvj411p", "yuvj420p", "yuvj422p", "yuvj440p", "yuvj444p"),
    ],
)
def test_luma_is_the_plane_that_the_codec_kept(pixels: str) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (48, 80, 3), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(noise, format="rgb24").reformat(format=pixels)
    rows = np.frombuffer(frame.planes[0], np.uint8).reshape(48, -1)[:, :80]
    full = pixels == "gray" or pixels.startswith("yuvj")
    found = DecodedFrame(frame, orientation=Orientation(), time=Fraction(0), name="clip").luma
    assert (found == (rows if full else _stretched(rows))).all()


def test_a_picture_that_cannot_be_converted_is_refused_by_name() -> None:
    def fail(**_: str) -> None:
        raise ValueError

    kind: Any = SimpleNamespace(format=SimpleNamespace(name="odd"), to_ndarray=fail)
    frame = DecodedFrame(kind, orientation=Orientation(), time=Fraction(0), name="clip.mkv")
    with pytest.raises(UnsupportedMediaError, match=r"clip\.mkv: pixel format odd cannot"):
        _ = frame.image


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
