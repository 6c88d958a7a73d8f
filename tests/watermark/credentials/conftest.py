"""Clips and identities for the credentials tests."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vidigree.media.writing import VideoWriter
from vidigree.watermark.clip import Origin
from vidigree.watermark.credentials import ManifestRequest, SigningIdentity, init_identity

SHARED = Path(
    os.environ.get(
        "VIDIGREE_SHARED_DATA", Path(__file__).resolve().parents[3].parent / "shared" / "data"
    )
)


@pytest.fixture
def shared_c2pa() -> Path:
    folder = SHARED / "c2pa"
    if not folder.is_dir():
        pytest.skip(f"the signed files of others are not at {folder}")
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test a data folder of its own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("VIDIGREE_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small unsigned clip; nobody may change it."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    random = np.random.default_rng(7)
    ramp = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8)
    with VideoWriter(path, width=64, height=48, fps=Fraction(8)) as writer:
        for shift in range(16):
            image = np.stack([np.roll(ramp, shift, 1), ramp, random.integers(0, 9, ramp.shape)], 2)
            writer.write(image.astype(np.uint8))
    return path


@pytest.fixture
def identity(home: Path) -> SigningIdentity:
    return init_identity()


@pytest.fixture
def request_for_clip() -> ManifestRequest:
    """Return what a text-to-video run claims."""
    origin = Origin(
        task="text-to-video",
        engine="nano",
        engine_version="1",
        model="someone/nano",
        synthetic=True,
        prompt_sha256="ab" * 32,
        seed=7,
    )
    return ManifestRequest(
        origin=origin, clip_id=0x0123456789ABCDEF, key_id="published-1", duration=Fraction(2)
    )
