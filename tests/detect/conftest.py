"""Clips, identities and data folders for the auditor's tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from vidigree.media import VideoWriter

SHARED = Path(
    os.environ.get(
        "VIDIGREE_SHARED_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data"
    )
)


@pytest.fixture
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"the shared clips are not at {SHARED}")
    return SHARED


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test a data folder of its own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("VIDIGREE_HOME", str(folder))
    return folder


def write_clip(path: Path, *, seed: int = 1, width: int = 160, height: int = 128) -> Path:
    """Write a moving texture that no other seed resembles: 24 frames, 12 a second."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (8, 12, 3)).astype(np.uint8)
    texture = cv2.resize(coarse, (width * 2, height), interpolation=cv2.INTER_CUBIC)
    with VideoWriter(path, width=width, height=height, fps=Fraction(12)) as writer:
        for frame in range(24):
            writer.write(np.ascontiguousarray(np.roll(texture, -2 * frame, axis=1)[:, :width]))
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clip without marks or credentials; nobody may change it."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture(scope="session")
def make_clip() -> Callable[..., Path]:
    return write_clip
