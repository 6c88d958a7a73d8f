"""What neighbouring frames save an encoder: noise, even and uneven motion."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from fixtures.feature_rows import Look, looks_of
from numpy.typing import NDArray

from vidigree.detect.classifier.features.redundancy import Redundancy


@pytest.fixture(scope="module")
def look() -> Look:
    return looks_of(Redundancy())


def picture(seed: int) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).normal(size=(256, 256)).astype(np.float32)
    return (128 + 300 * cv2.GaussianBlur(noise, (0, 0), 3)).clip(0, 255).astype(np.float32)


def test_the_median_of_three_takes_noise_away(look: Look) -> None:
    noise = np.random.default_rng(0).normal(0, 8, (16, 256, 256))
    noisy, still = look(picture(0) + noise), look(np.stack([picture(0)] * 16))
    assert noisy["median-inter"] < -0.2 < still["median-inter"]
    assert noisy["precise-inter"] > still["precise-inter"]


def test_halfway_frames_cost_what_motion_leaves_unsaid(look: Look) -> None:
    fading = look(np.stack([picture(0) * (1 - i / 15) + picture(1) * i / 15 for i in range(16)]))
    cutting = look(np.stack([picture(i // 2) for i in range(16)]))
    assert fading["halfway-made"] < cutting["halfway-made"] - 0.15
