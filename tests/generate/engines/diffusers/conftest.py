"""Inputs for image- and video-to-video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vidigree.media import VideoWriter


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    image = pytest.importorskip("PIL.Image")
    path = tmp_path_factory.mktemp("inputs") / "in.png"
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    image.fromarray(pixels).save(path)
    return path


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inputs") / "in.mp4"
    rng = np.random.default_rng(1)
    with VideoWriter(path, width=32, height=32, fps=Fraction(8)) as video:
        for _ in range(11):
            video.write(rng.integers(0, 256, (32, 32, 3), np.uint8))
    return path
