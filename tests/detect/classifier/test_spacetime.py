"""Patterns in space and time: what stays, what moves on and what boils differ in them."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from fixtures.textures import moving_texture

from vidigree.detect.classifier.canonical import canonical_windows
from vidigree.detect.classifier.coding import DecodedView
from vidigree.detect.classifier.features.patterns import PATTERN_CLASSES, pattern_frequencies
from vidigree.detect.classifier.features.spacetime import SpaceTimePatterns


@pytest.fixture(scope="module")
def view() -> DecodedView:
    return next(canonical_windows(moving_texture())).decode("resized")


def _with(view: DecodedView, luma: np.ndarray) -> np.ndarray:
    return SpaceTimePatterns().extract(dataclasses.replace(view, luma=luma.astype(np.float32)))


def _texture(seed: int, width: int = 512) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(256, width)).astype(np.float32)
    return 128 + 400 * cv2.GaussianBlur(noise, (0, 0), 5)


def test_a_pattern_its_negative_and_its_reverse_are_one_class() -> None:
    levels = [np.random.default_rng(i).integers(0, 3, 500).astype(np.uint8) for i in range(4)]
    found = pattern_frequencies(levels)
    assert found.shape == (PATTERN_CLASSES,) == (25,)
    assert found.sum() == pytest.approx(1)
    np.testing.assert_allclose(found, pattern_frequencies(levels[::-1]))
    np.testing.assert_allclose(found, pattern_frequencies([2 - level for level in levels]))


def test_still_moving_and_boiling_texture_are_told_apart(view: DecodedView) -> None:
    wide = _texture(0)
    still = _with(view, np.stack([wide[:, :256]] * 16))
    pan = _with(view, np.stack([wide[:, 4 * i : 4 * i + 256] for i in range(16)]))
    boil = _with(view, np.stack([_texture(i, 256) for i in range(16)]))
    for one, other in ((still, pan), (pan, boil), (still, boil)):
        assert np.abs(one - other).max() > 0.1


def test_direction_of_a_pan_does_not_matter_nor_does_the_level(view: DecodedView) -> None:
    wide = _texture(1)
    right = np.stack([wide[:, 4 * i : 4 * i + 256] for i in range(16)])
    np.testing.assert_allclose(_with(view, right), _with(view, right[::-1, ::-1, ::-1]), atol=0.03)
    np.testing.assert_allclose(_with(view, right), _with(view, right + 9), atol=0.03)
