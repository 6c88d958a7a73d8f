"""The ledger finds what was issued, and doubles and loses nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from fixtures.manifest_stores import manifest_store
from numpy.typing import NDArray

from vidigree.media.errors import LedgerError, UsageError
from vidigree.watermark.fingerprint import fingerprint_frames
from vidigree.watermark.ledger import Ledger, LedgerEntry
from vidigree.watermark.ledger.commands import ledger as ledger_command

MakeEntry = Callable[..., LedgerEntry]
MakeScene = Callable[[int], list[NDArray[np.uint8]]]


@pytest.fixture
def store(ledger_url: str) -> Iterator[Ledger]:
    with Ledger.open(ledger_url) as opened:
        yield opened


@pytest.mark.parametrize("clip_id", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_entry_comes_back_as_it_was(store: Ledger, clip_id: int, make_entry: MakeEntry) -> None:
    entry = make_entry(clip_id)
    store.record(entry)
    assert store.find_clip(clip_id) == entry


def test_unknown_clip_is_none(store: Ledger) -> None:
    assert store.find_clip(5) is None


def test_retry_changes_nothing(store: Ledger, make_entry: MakeEntry) -> None:
    store.record(make_entry(1))
    store.record(make_entry(1))
    assert store.count() == 1


def test_other_clip_under_the_same_id_is_refused(store: Ledger, make_entry: MakeEntry) -> None:
    store.record(make_entry(1))
    with pytest.raises(LedgerError, match="another clip"):
        store.record(replace(make_entry(1), manifest_store=b"other"))
    found = store.find_clip(1)
    assert found is not None
    assert found.manifest_store == b"store 1"


@pytest.mark.parametrize("clip_id", [2**64, -1])
def test_id_of_other_than_64_bits_is_refused(
    store: Ledger, make_entry: MakeEntry, clip_id: int
) -> None:
    entry = replace(make_entry(1), clip_id=clip_id)
    calls: list[Callable[[], object]] = [
        lambda: store.record(entry),
        lambda: store.find_clip(clip_id),
        lambda: store.confirm(clip_id),
        lambda: store.forget(clip_id),
    ]
    for call in calls:
        with pytest.raises(UsageError, match="64 bits"):
            call()
    assert store.count() == 0


def test_time_of_issue_has_a_zone_and_is_the_same_moment_in_every_one(
    store: Ledger, make_entry: MakeEntry
) -> None:
    entry = make_entry(1)
    with pytest.raises(UsageError, match="time zone"):
        store.record(replace(entry, created_at=entry.created_at.replace(tzinfo=None)))
    assert store.count() == 0
    there = timezone(timedelta(hours=8))
    store.record(replace(entry, created_at=entry.created_at.astimezone(there)))
    found = store.find_clip(1)
    assert found is not None
    assert found.created_at == entry.created_at
    assert found.created_at.utcoffset() == timedelta(0)


def test_similar_clips_come_best_first(
    store: Ledger, make_entry: MakeEntry, scene: MakeScene
) -> None:
    for number in range(5):
        store.record(make_entry(number, seed=number))
    darker = [(frame * 0.7).astype(np.uint8) for frame in scene(3)[::2]]
    found = store.find_similar(fingerprint_frames(darker, 10).to_bytes(), limit=3)
    assert found[0][0].clip_id == 3
    assert found[0][1] > 0.8 > 0.5 > found[1][1]


def test_entries_survive_reopening(ledger_url: str, make_entry: MakeEntry) -> None:
    with Ledger.open(ledger_url) as first:
        first.record(make_entry(9))
    with Ledger.open(ledger_url) as second:
        assert [entry.clip_id for entry in second.entries()] == [9]


def test_newest_entries_come_first(store: Ledger, make_entry: MakeEntry) -> None:
    for number in (1, 3, 2):
        store.record(make_entry(number))
    assert [entry.clip_id for entry in store.entries(2)] == [3, 2]


def test_file_that_is_no_ledger_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").write_text("this is a text file, and a long enough one" * 50)
    with pytest.raises(LedgerError, match="damaged or no ledger"):
        Ledger.open(f"sqlite:///{tmp_path}/x.sqlite3")


def test_url_that_means_nothing_is_told() -> None:
    with pytest.raises(LedgerError, match="URL"):
        Ledger.open("what is this")


def test_default_ledger_lies_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_entry: MakeEntry
) -> None:
    monkeypatch.setenv("VIDIGREE_HOME", str(tmp_path / "home"))
    with Ledger.open() as opened:
        opened.record(make_entry(1))
    assert (tmp_path / "home" / "ledger.sqlite3").exists()


def test_ledger_command_lists_and_shows(tmp_path: Path, make_entry: MakeEntry) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    with Ledger.open(url) as opened:
        opened.record(make_entry(0xAB))
    listed = CliRunner().invoke(ledger_command, ["list", "--url", url], catch_exceptions=False)
    assert "00000000000000ab" in listed.output
    shown = CliRunner().invoke(
        ledger_command, ["show", "00000000000000ab", "--url", url, "--json"], catch_exceptions=False
    )
    assert json.loads(shown.output)["engine"] == "render"


@pytest.mark.parametrize("clip_id", ["0xAB", "ab", "urn:x:00000000000000AB"])
def test_a_clip_id_is_hex_with_or_without_a_prefix(
    clip_id: str, tmp_path: Path, make_entry: MakeEntry
) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    with Ledger.open(url) as opened:
        opened.record(make_entry(0xAB))
    shown = CliRunner().invoke(
        ledger_command, ["show", clip_id, "--url", url], catch_exceptions=False
    )
    assert shown.exit_code == 0


@pytest.mark.parametrize("clip_id", ["0x", "a_b", "+ab", "-5", " ab", "1" * 17, "0x0xab", "٣"])
def test_what_is_no_clip_id_is_not_taken_for_one(clip_id: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    Ledger.open(url).close()
    shown = CliRunner().invoke(ledger_command, ["show", "--url", url, "--", clip_id])
    assert isinstance(shown.exception, UsageError)
    assert "is not a clip id" in str(shown.exception)


def test_what_the_ledger_shows_steers_no_terminal(tmp_path: Path, make_entry: MakeEntry) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    hostile = replace(make_entry(0xAB), model="a\nb\x1b[2J", file="c\nd.mp4", confirmed=False)
    with Ledger.open(url) as opened:
        opened.record(hostile)
    for call in (["list"], ["show", "ab"], ["check"]):
        done = CliRunner().invoke(ledger_command, [*call, "--url", url], catch_exceptions=False)
        assert "\x1b" not in done.output
        assert "a\nb" not in done.output
        assert "c\nd" not in done.output


def test_entry_is_found_by_its_manifest(store: Ledger, make_entry: MakeEntry) -> None:
    named = replace(make_entry(1), manifest_store=manifest_store("urn:c2pa:one"))
    store.record(named)
    store.record(make_entry(2))
    found = store.repository.find("urn:c2pa:one")
    assert found is not None
    assert (found.store, found.issued) == (named.manifest_store, True)
    assert store.repository.find("urn:c2pa:two") is None
    for nothing in ("", "a\x00b"):  # PostgreSQL refuses texts with a NUL
        assert store.repository.find(nothing) is None
        assert not store.repository.delete(nothing)
        assert not store.repository.bind("YQ==", nothing)
        assert not store.repository.rebind("YQ==", nothing)


def test_entry_under_way_is_found_then_confirmed(store: Ledger, make_entry: MakeEntry) -> None:
    store.record(replace(make_entry(1), confirmed=False))
    found = store.find_clip(1)
    assert found is not None
    assert not found.confirmed
    store.confirm(1)
    assert store.find_clip(1) == make_entry(1)
    with pytest.raises(LedgerError, match="no clip"):
        store.confirm(2)


def test_only_what_was_never_confirmed_is_forgotten(store: Ledger, make_entry: MakeEntry) -> None:
    store.record(replace(make_entry(1), confirmed=False))
    store.record(make_entry(2))
    assert [store.forget(number) for number in (1, 2, 3)] == [True, False, False]
    assert [entry.clip_id for entry in store.entries()] == [2]


def test_large_store_comes_back_whole(store: Ledger, make_entry: MakeEntry) -> None:
    content = np.random.default_rng(1).bytes(3_000_000)
    store.record(replace(make_entry(1), manifest_store=content))
    found = store.find_clip(1)
    assert found is not None
    assert found.manifest_store == content


def test_a_ledger_cut_to_nothing_does_not_look_new(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite3"
    file.touch()
    os.utime(file, (0, 0))
    with pytest.raises(LedgerError, match="cut to nothing"):
        Ledger.open(f"sqlite:///{file}")
