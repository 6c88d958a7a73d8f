"""What `vidigree ledger check` looks at, and what it says of what it cannot look at."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fixtures import killed_stamp
from fixtures.permissions import changed_mode, run_without_override

from vidigree.watermark import StampReceipt, StampSettings, stamp
from vidigree.watermark.ledger import Ledger


@pytest.fixture
def receipt(settings: StampSettings, tmp_path: Path) -> StampReceipt:
    (tmp_path / "clips" / "kept").mkdir(parents=True)
    return stamp(killed_stamp.clip(), tmp_path / "clips" / "kept" / "CLIP.MP4", settings=settings)


def _check(home: Path, *arguments: str | Path) -> tuple[int, list[dict[str, str]]]:
    command = ("-m", "vidigree.cli", "ledger", "check", "--json")
    done = run_without_override(*command, *arguments, home=home)
    assert done.returncode in (0, 8), done.stderr
    return done.returncode, json.loads(done.stdout)["findings"]


def test_file_is_found_however_its_suffix_is_written(receipt: StampReceipt, home: Path) -> None:
    other = f"sqlite:///{home}/other.sqlite3"
    code, (finding,) = _check(home, receipt.path.parent.parent, "--url", other, "--repair")
    assert (code, finding["kind"], finding["done"]) == (0, "file-without-record", "Recorded.")
    assert finding["path"] == str(receipt.path)


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize(("what", "mode"), [("file", 0o000), ("folder", 0o000), ("folder", 0o644)])
def test_record_of_a_file_that_cannot_be_looked_at_is_told_and_never_forgotten(
    confirmed: bool, what: str, mode: int, receipt: StampReceipt, home: Path
) -> None:
    path, url = receipt.path, f"sqlite:///{home}/ledger.sqlite3"
    with Ledger.open(url) as ledger:
        entry = ledger.find_clip(receipt.clip_id)
        assert entry is not None
        old = datetime(2020, 1, 1, tzinfo=UTC)
        number = receipt.clip_id ^ 1
        ledger.record(replace(entry, clip_id=number, confirmed=confirmed, created_at=old))
        ledger.confirm(receipt.clip_id)
    with changed_mode(path if what == "file" else path.parent, mode):
        code, findings = _check(home, "--forget", "--repair")
    assert code == 8
    assert [(row["kind"], row["detail"]) for row in findings] == [
        ("unreadable", "Permission denied.")
    ] * 2
    with Ledger.open(url) as ledger:
        assert ledger.count() == 2


@pytest.mark.parametrize("mode", [0o000, 0o644])
def test_folder_that_cannot_be_looked_into_is_told(
    mode: int, receipt: StampReceipt, home: Path, tmp_path: Path
) -> None:
    (receipt.path.parent / ".a.0123.part.mp4").touch()
    receipt.path.rename(receipt.path.with_name("moved.mp4"))
    with changed_mode(receipt.path.parent, mode):
        code, findings = _check(home, tmp_path / "clips")
    assert code == 8
    assert {row["kind"] for row in findings} == {"unreadable"}
    assert all("Permission denied" in row["detail"] for row in findings if not row["clip_id"])
    assert len(findings) == (2 if mode == 0 else 3)


def test_what_is_no_file_is_passed_over(receipt: StampReceipt, home: Path) -> None:
    folder = receipt.path.parent
    (folder / "folder.mp4").mkdir()
    (folder / "nowhere.mp4").symlink_to(folder / "none")
    os.mkfifo(folder / "pipe.mp4")
    assert _check(home, folder) == (0, [])
