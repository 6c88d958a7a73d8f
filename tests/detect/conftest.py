"""Clips, identities and data folders for the auditor's tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from fixtures.issued import CLIP_ID, record

from vidigree.media import VideoWriter
from vidigree.watermark.clip import Origin
from vidigree.watermark.credentials import ManifestRequest, init_identity, sign_file
from vidigree.watermark.fingerprint import fingerprint_video

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


@pytest.fixture
def signed(clip: Path, tmp_path: Path) -> tuple[Path, bytes]:
    """Return a signed copy of the clip, and its manifest store."""
    path = tmp_path / "signed.mp4"
    origin = Origin(task="text-to-video", engine="test", synthetic=True)
    request = ManifestRequest(
        origin=origin, clip_id=CLIP_ID, key_id="published-1", duration=Fraction(2)
    )
    return path, sign_file(clip, path, request=request, identity=init_identity())


@pytest.fixture
def issued(clip: Path, signed: tuple[Path, bytes]) -> Path:
    """Record the signed clip in the ledger of the data folder."""
    record(signed[1], fingerprint_video(clip).to_bytes(), engine="test")
    return signed[0]
