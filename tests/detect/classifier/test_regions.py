"""Rectangles are found by borders that stay in place, sharp or blended; pictures have none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.detect.classifier.regions import LEAST_BORDER, Region, overlap, pasted_rectangle

_SIDE = 360
_BOX = (90, 270, 60, 240)


def _soft_shapes(seed: int) -> list[NDArray[np.uint8]]:
    """Eight frames of shapes without a sharp edge, drifting six pixels a frame."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 1, (_SIDE + 50, _SIDE + 50)).astype(np.float32)
    canvas = cv2.GaussianBlur(noise, (0, 0), 20)
    canvas = np.clip(128 + 45 * canvas / canvas.std(), 0, 255)
    grain = rng.normal(0, 1.5, (8, _SIDE, _SIDE))
    moved = [canvas[6 * i : 6 * i + _SIDE, 6 * i : 6 * i + _SIDE] for i in range(8)]
    return [
        np.repeat((part + noise)[..., None], 3, axis=2).clip(0, 255).astype(np.uint8)
        for part, noise in zip(moved, grain, strict=True)
    ]


def _pasted(blend: int) -> list[NDArray[np.uint8]]:
    top, bottom, left, right = _BOX
    share = np.zeros((_SIDE, _SIDE), np.float32)
    share[top:bottom, left:right] = 1
    if blend:
        share = cv2.blur(share, (blend, blend))
    return [
        (share[..., None] * put + (1 - share[..., None]) * under).astype(np.uint8)
        for put, under in zip(_soft_shapes(2), _soft_shapes(1), strict=True)
    ]


def _found(images: list[NDArray[np.uint8]]) -> Region:
    region = pasted_rectangle(images)
    assert region is not None
    return region


@pytest.mark.parametrize(("blend", "least"), [(0, 0.98), (8, 0.8)])
def test_a_pasted_rectangle_is_found(blend: int, least: float) -> None:
    found = _found(_pasted(blend))
    assert found.evidence > LEAST_BORDER
    assert overlap(found.box, [edge / _SIDE for edge in _BOX]) > least


def test_bars_around_the_picture_move_the_box_not_the_answer() -> None:
    framed = [np.pad(image, ((40, 40), (0, 0), (0, 0))) for image in _pasted(0)]
    top, bottom, left, right = _BOX
    height = _SIDE + 80
    truth = ((top + 40) / height, (bottom + 40) / height, left / _SIDE, right / _SIDE)
    assert overlap(_found(framed).box, truth) > 0.98


def test_a_picture_as_it_was_taken_has_no_rectangle() -> None:
    assert _found(_soft_shapes(1)).evidence < LEAST_BORDER


def test_lines_across_the_whole_picture_are_no_borders_of_a_part() -> None:
    """A grid of bars stands still before the scene: its lines go on beyond every rectangle."""
    images = _soft_shapes(1)
    for image in images:
        image[[90, 270], :] = 0
        image[:, [60, 240]] = 0
    part = [image.copy() for image in images]
    for image, before in zip(part, _soft_shapes(1), strict=True):
        image[:87], image[274:], image[:, :57], image[:, 244:] = (
            before[:87],
            before[274:],
            before[:, :57],
            before[:, 244:],
        )
    assert _found(images).evidence < _found(part).evidence - 0.2


def test_a_tiny_picture_is_not_judged() -> None:
    assert pasted_rectangle([image[:48, :48] for image in _soft_shapes(1)]) is None


def test_overlap_is_of_areas() -> None:
    assert overlap((0, 0.5, 0, 0.5), (0, 0.5, 0, 0.5)) == 1
    assert overlap((0, 0.5, 0, 0.5), (0.25, 0.75, 0, 0.5)) == pytest.approx(1 / 3)
    assert overlap((0, 0.5, 0, 0.5), (0.5, 1, 0.5, 1)) == 0
