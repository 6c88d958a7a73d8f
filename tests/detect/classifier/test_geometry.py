from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidigree.detect.classifier.geometry import (
    VIEW_SIZE,
    Box,
    bounded,
    centre_box,
    content_box,
    view,
)


def _noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("level", [0, 16, 255])
def test_bars_of_one_colour_are_trimmed(level: int) -> None:
    image = np.full((240, 320, 3), level, np.uint8)
    image[30:210, 40:280] = _noise(180, 240)
    assert content_box([image, image]) == Box(30, 210, 40, 280)


def test_a_dark_scene_is_not_cut_to_nothing() -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    image[200:220, 150:170] = _noise(20, 20)
    box = content_box([image])
    assert box.bottom - box.top >= 140


def test_bar_that_moves_is_not_a_bar() -> None:
    first, second = _noise(100, 100), _noise(100, 100, 1)
    first[:20] = 0
    assert content_box([first, second]) == Box(0, 100, 0, 100)


@pytest.mark.parametrize("lines", [0, 1, 7, 8, 9, 16, 31])
def test_bars_of_any_width_are_trimmed_to_the_line(lines: int) -> None:
    wide, high = _noise(120, 320), _noise(320, 120)
    wide[: lines + 1] = 40
    wide[120 - lines :] = 16
    high[:, :lines] = 200
    assert content_box([wide, wide]) == Box(lines + 1, 120 - lines, 0, 320)
    assert content_box([high, high]) == Box(0, 320, lines, 120)


def test_a_blank_clip_has_no_bars() -> None:
    assert content_box([np.full((60, 90, 3), 128, np.uint8)] * 2) == Box(0, 60, 0, 90)


@pytest.mark.parametrize("kind", ["resized", "native"])
def test_corner_logo_changes_no_view(kind: str) -> None:
    image = _noise(480, 640)
    marked = image.copy()
    marked[10:44, 10:60] = 255
    marked[440:470, 580:630] = 255
    box = centre_box(Box(0, 480, 0, 640))
    assert (view(image, box, kind) == view(marked, box, kind)).all()


@pytest.mark.parametrize("shape", [(64, 64), (120, 500), (500, 120), (257, 999), (1080, 1920)])
@pytest.mark.parametrize("kind", ["resized", "native"])
def test_every_view_has_one_size(shape: tuple[int, int], kind: str) -> None:
    image = _noise(*shape)
    assert view(image, Box(0, shape[0], 0, shape[1]), kind).shape == (VIEW_SIZE, VIEW_SIZE, 3)


def test_native_view_keeps_pixels_as_they_are() -> None:
    image = _noise(300, 400)
    seen = view(image, Box(0, 300, 0, 400), "native")
    assert (seen == image[22:278, 72:328]).all()


@pytest.mark.parametrize(
    "shape", [(864, 1536), (1080, 608), (257, 999), (512, 1024), (768, 768), (301, 467)]
)
def test_a_view_is_the_middle_of_the_whole_picture_shrunk(shape: tuple[int, int]) -> None:
    image = _noise(*shape)
    height, width = (round(side * VIEW_SIZE / min(shape)) for side in shape)
    whole = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    top, left = (height - VIEW_SIZE) // 2, (width - VIEW_SIZE) // 2
    seen = view(image, Box(0, shape[0], 0, shape[1]), "resized")
    assert (seen == whole[top : top + VIEW_SIZE, left : left + VIEW_SIZE]).all()


def test_pictures_above_the_bound_are_reduced() -> None:
    assert bounded(_noise(2160, 3840)).shape == (1080, 1920, 3)
    assert bounded(_noise(1080, 1920)).shape == (1080, 1920, 3)
