"""Pictures to start from: read, or refused in one line."""

from __future__ import annotations

import warnings
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from vidigree.generate.engine import RequestWarning
from vidigree.generate.engines.families.sources import read_clip, read_still
from vidigree.media import VideoWriter
from vidigree.media.errors import MediaError


def test_the_middle_square_is_taken(tmp_path: Path) -> None:
    wide = np.zeros((64, 192, 3), np.uint8)
    wide[:, 64:128, 2] = 255  # BGR
    cv2.imwrite(str(tmp_path / "wide.png"), wide)
    with pytest.warns(RequestWarning, match=r"^Only the middle square of wide\.png was used: "):
        still = read_still(tmp_path / "wide.png")
    assert np.array_equal(still[32, 32], [255, 0, 0])
    assert still.shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("width", "height", "frames", "told"),
    [
        (64, 64, 24, []),
        (64, 64, 25, ["The first 2.0 s of in.mp4 were used: the model makes no more."]),
        (96, 64, 24, ["Only the middle square of in.mp4 was used: the model's frames are square."]),
    ],
)
def test_what_is_left_of_a_clip_is_told(
    width: int, height: int, frames: int, told: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "in.mp4"
    with VideoWriter(path, width=width, height=height, fps=Fraction(12)) as video:
        for number in range(frames):
            video.write(np.full((height, width, 3), 4 * number, np.uint8))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clip = read_clip(path)
    assert [str(warning.message) for warning in caught] == told
    assert clip.shape == (24, 64, 64, 3)
    assert clip[:, 32, 32, 0] == pytest.approx(4.0 * np.arange(24), abs=3)


def test_a_damaged_picture_is_refused_and_no_library_says_anything(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = tmp_path / "whole.png"
    cv2.imwrite(str(whole), np.random.default_rng(0).integers(255, size=(300, 300, 3), dtype="u1"))
    grey = np.zeros((9, 9), np.uint8)
    short = cv2.imencode(".png", grey)[1].tobytes().replace(b"IDAT", b"iDAT")
    for name, data in (
        ("short", short),
        ("cut", whole.read_bytes()[:5000]),
        ("empty", b""),
        ("noise", b"x" * 99),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(MediaError, match="cannot be read as a picture"):
            read_still(tmp_path / name)
    assert capfd.readouterr().err == ""
