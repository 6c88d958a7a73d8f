"""Frames reach the size that was asked for without losing their proportions."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidigree.generate.engines.families.delivery import deliver


def disc() -> np.ndarray:
    frame = np.zeros((64, 64, 3), np.uint8)
    cv2.circle(frame, (32, 32), 14, (255, 255, 255), -1)
    return frame


@pytest.mark.parametrize("size", [(256, 256), (64, 64), (320, 180), (90, 200), (33, 17), (16, 16)])
def test_size_is_what_was_asked(size: tuple[int, int]) -> None:
    frame = deliver(disc(), *size)
    assert frame.shape == (size[1], size[0], 3)
    assert frame.dtype == np.uint8
    assert frame.flags.c_contiguous


def test_a_disc_stays_a_disc() -> None:
    bright = deliver(disc(), 320, 180)[..., 0] > 127
    rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
    assert len(rows) == pytest.approx(len(columns), abs=1)
    assert len(columns) == pytest.approx(29 * 5, abs=3)


def test_native_size_is_left_alone() -> None:
    assert np.array_equal(deliver(disc(), 64, 64), disc())
