"""Pictures to start from: read, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidigree.generate.engines.families.sources import read_still
from vidigree.media.errors import MediaError


def test_the_middle_square_is_taken(tmp_path: Path) -> None:
    wide = np.zeros((64, 192, 3), np.uint8)
    wide[:, 64:128, 2] = 255  # BGR
    cv2.imwrite(str(tmp_path / "wide.png"), wide)
    assert np.array_equal(read_still(tmp_path / "wide.png")[32, 32], [255, 0, 0])
    assert read_still(tmp_path / "wide.png").shape == (64, 64, 3)


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
