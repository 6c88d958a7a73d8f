"""What the ledger's tests share: databases of both kinds, entries, an installation that stamps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from fixtures import killed_stamp
from fixtures.postgres import ledger_url, new_ledger_url, postgres_server
from numpy.typing import NDArray

from vidigree.watermark import StampSettings
from vidigree.watermark.credentials import init_identity
from vidigree.watermark.fingerprint import fingerprint_frames
from vidigree.watermark.ledger import LedgerEntry

__all__ = ["ledger_url", "new_ledger_url", "postgres_server"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a data folder with an identity."""
    monkeypatch.setenv("VIDIGREE_HOME", str(tmp_path / "home"))
    init_identity(tmp_path / "home" / "identity")
    return tmp_path / "home"


@pytest.fixture
def settings(home: Path) -> StampSettings:
    """Return settings of stamps into a ledger of their own."""
    return killed_stamp.settings(home, f"sqlite:///{home}/ledger.sqlite3")


@pytest.fixture(scope="session")
def scene() -> Callable[[int], list[NDArray[np.uint8]]]:
    """Make a clip of its own for each seed: uint8 (180, 320, 3), 40 frames for 20 per second."""

    def make(seed: int) -> list[NDArray[np.uint8]]:
        coarse = np.random.default_rng(seed).integers(0, 255, (9, 16, 3), dtype=np.uint8)
        picture = cv2.resize(coarse, (320, 180), interpolation=cv2.INTER_CUBIC)
        return [np.roll(picture, 3 * shift, 1) for shift in range(40)]

    return make


@pytest.fixture(scope="session")
def make_entry(scene: Callable[[int], list[NDArray[np.uint8]]]) -> Callable[..., LedgerEntry]:
    """Make an entry with a clip id and, by ``seed``, a content."""

    def make(number: int, *, seed: int = 0) -> LedgerEntry:
        return LedgerEntry(
            clip_id=number,
            key_id="published-1",
            method="robust",
            manifest_store=f"store {number}".encode(),
            fingerprint=fingerprint_frames(scene(seed), 20).to_bytes(),
            created_at=datetime(2026, 11, 20, 12, 0, number % 60, tzinfo=UTC),
            engine="render",
            model="",
            request_hash="ab" * 32,
            duration=2.0,
            file="clip.mp4",
        )

    return make
