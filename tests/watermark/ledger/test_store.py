"""The ledger finds what was issued, and doubles and loses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from vidigree.media.errors import LedgerError, UsageError
from vidigree.watermark.fingerprint import fingerprint_frames
from vidigree.watermark.ledger import Ledger, LedgerEntry
from vidigree.watermark.ledger.commands import ledger as ledger_command


def _scene(seed: int) -> list[NDArray[np.uint8]]:
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 16, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (320, 180), interpolation=cv2.INTER_CUBIC)
    return [np.roll(picture, 3 * shift, 1) for shift in range(40)]


def _entry(number: int, *, seed: int = 0) -> LedgerEntry:
    return LedgerEntry(
        clip_id=number,
        key_id="published-1",
        method="robust",
        manifest_store=f"store {number}".encode(),
        fingerprint=fingerprint_frames(_scene(seed), 20).to_bytes(),
        created_at=datetime(2026, 11, 20, 12, 0, number % 60, tzinfo=UTC),
        engine="render",
        model="",
        request_hash="ab" * 32,
        duration=2.0,
        file="clip.mp4",
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite3") as opened:
        yield opened


@pytest.mark.parametrize("clip_id", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_entry_comes_back_as_it_was(store: Ledger, clip_id: int) -> None:
    entry = _entry(clip_id)
    store.record(entry)
    assert store.find_clip(clip_id) == entry


def test_unknown_clip_is_none(store: Ledger) -> None:
    assert store.find_clip(5) is None


def test_retry_changes_nothing(store: Ledger) -> None:
    store.record(_entry(1))
    store.record(_entry(1))
    assert store.count() == 1


def test_other_clip_under_the_same_id_is_refused(store: Ledger) -> None:
    store.record(_entry(1))
    with pytest.raises(LedgerError, match="another clip"):
        store.record(replace(_entry(1), manifest_store=b"other"))
    found = store.find_clip(1)
    assert found is not None
    assert found.manifest_store == b"store 1"


def test_id_of_more_than_64_bits_is_refused(store: Ledger) -> None:
    with pytest.raises(UsageError, match="64 bits"):
        store.record(_entry(2**64))


def test_similar_clips_come_best_first(store: Ledger) -> None:
    for number in range(5):
        store.record(_entry(number, seed=number))
    darker = [(frame * 0.7).astype(np.uint8) for frame in _scene(3)[::2]]
    found = store.find_similar(fingerprint_frames(darker, 10).to_bytes(), limit=3)
    assert found[0][0].clip_id == 3
    assert found[0][1] > 0.8 > 0.5 > found[1][1]


def test_entries_survive_reopening(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    with Ledger.open(url) as first:
        first.record(_entry(9))
    with Ledger.open(url) as second:
        assert [entry.clip_id for entry in second.entries()] == [9]


def test_newest_entries_come_first(store: Ledger) -> None:
    for number in (1, 3, 2):
        store.record(_entry(number))
    assert [entry.clip_id for entry in store.entries(2)] == [3, 2]


def test_file_that_is_no_ledger_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").write_text("this is a text file, and a long enough one" * 50)
    with pytest.raises(LedgerError, match="damaged or no ledger"):
        Ledger.open(f"sqlite:///{tmp_path}/x.sqlite3")


def test_url_that_means_nothing_is_told() -> None:
    with pytest.raises(LedgerError, match="URL"):
        Ledger.open("what is this")


def test_default_ledger_lies_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDIGREE_HOME", str(tmp_path / "home"))
    with Ledger.open() as opened:
        opened.record(_entry(1))
    assert (tmp_path / "home" / "ledger.sqlite3").exists()


def test_ledger_command_lists_and_shows(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    with Ledger.open(url) as opened:
        opened.record(_entry(0xAB))
    listed = CliRunner().invoke(ledger_command, ["list", "--url", url], catch_exceptions=False)
    assert "00000000000000ab" in listed.output
    shown = CliRunner().invoke(
        ledger_command, ["show", "00000000000000ab", "--url", url, "--json"], catch_exceptions=False
    )
    assert json.loads(shown.output)["engine"] == "render"
