"""`vidigree ledger check` compares records with files, says what to do, and does it when asked."""

from __future__ import annotations

import json
import os
import re
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from click.testing import CliRunner
from fixtures import killed_stamp
from fixtures.manifest_stores import manifest_store

from vidigree.media import VideoWriter
from vidigree.media.errors import LedgerError
from vidigree.watermark import StampReceipt, StampSettings, stamp
from vidigree.watermark.clip import Origin
from vidigree.watermark.credentials import (
    SOFT_BINDING_ALGORITHM,
    ManifestRequest,
    SoftBinding,
    TrustSettings,
    load_identity,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.embedding import C2PA_BOX_TYPE
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.ledger.adoption import adopted_entry
from vidigree.watermark.ledger.check import (
    UNDER_WAY,
    Kind,
    LedgerFinding,
    check_files,
    check_ledger,
)
from vidigree.watermark.ledger.commands import ledger as ledger_command

OLD = datetime(2020, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def receipt(settings: StampSettings, tmp_path: Path) -> StampReceipt:
    return stamp(killed_stamp.clip(), tmp_path / "clip.mp4", settings=settings)


def _check(*arguments: str | Path) -> tuple[int, dict[str, str]]:
    """Run the command; return its exit code and what it found, by kind, with what was done."""
    command = ["check", "--json", *map(str, arguments)]
    done = CliRunner().invoke(ledger_command, command, catch_exceptions=False)
    report = json.loads(done.stdout)
    assert report["version"] == 1
    return done.exit_code, {row["kind"]: row["done"] for row in report["findings"]}


def test_whole_ledger_has_no_findings(receipt: StampReceipt, tmp_path: Path) -> None:
    assert _check(tmp_path) == (0, {})


def test_moved_file_is_only_worth_knowing(receipt: StampReceipt, tmp_path: Path) -> None:
    receipt.path.rename(tmp_path / "elsewhere.mp4")
    assert _check(tmp_path) == (0, {"file-gone": ""})


def test_replaced_file_is_only_worth_knowing(
    receipt: StampReceipt, settings: StampSettings, tmp_path: Path
) -> None:
    other = replace(settings, overwrite=True)
    stamp(killed_stamp.clip(1), receipt.path, settings=other)
    assert _check(tmp_path) == (0, {"file-replaced": ""})


def test_file_that_lost_its_record_is_recorded_again(
    receipt: StampReceipt, settings: StampSettings, home: Path, tmp_path: Path
) -> None:
    before = settings.ledger.find_clip(receipt.clip_id)
    settings.ledger.close()
    (home / "ledger.sqlite3").unlink()
    with pytest.raises(LedgerError, match="There is no ledger"):
        _check(tmp_path)
    with pytest.raises(LedgerError, match="There is no ledger"):
        _check("--repair")  # from no clips, none is made
    assert not (home / "ledger.sqlite3").exists()
    assert _check(tmp_path, "--repair") == (0, {"file-without-record": "Recorded."})
    assert _check(tmp_path) == (0, {})
    with Ledger.open() as again:
        after = again.find_clip(receipt.clip_id)
    assert before is not None
    assert after is not None
    # The time of issue is only known to the file's date, and the request's hash is nowhere else.
    kept = replace(after, created_at=before.created_at, request_hash=before.request_hash)
    assert replace(kept, method=before.method) == before
    assert abs((after.created_at - before.created_at).total_seconds()) < 60


def test_file_of_a_stranger_is_not_recorded(receipt: StampReceipt) -> None:
    with pytest.raises(LedgerError, match="signer"):
        adopted_entry(receipt.path, trust=TrustSettings())


def test_altered_file_is_not_recorded(receipt: StampReceipt, home: Path, tmp_path: Path) -> None:
    data = bytearray(receipt.path.read_bytes())
    data[data.rindex(b"mdat") + 200] ^= 1
    altered = tmp_path / "altered.mp4"
    altered.write_bytes(data)
    with pytest.raises(LedgerError, match="altered"):
        adopted_entry(altered, trust=TrustSettings.load(home))


def test_clip_that_is_in_place_is_confirmed(
    receipt: StampReceipt, settings: StampSettings, tmp_path: Path
) -> None:
    entry = settings.ledger.find_clip(receipt.clip_id)
    assert entry is not None
    with Ledger.open(f"sqlite:///{tmp_path}/other.sqlite3") as other:
        other.record(replace(entry, confirmed=False))
    url = ("--url", f"sqlite:///{tmp_path}/other.sqlite3")
    assert _check(*url) == (8, {"unconfirmed": ""})
    assert _check(*url, "--forget") == (8, {"unconfirmed": ""})
    assert _check(*url, "--repair") == (0, {"unconfirmed": "Confirmed."})
    assert _check(*url) == (0, {})


def test_abandoned_record_is_dropped_only_when_asked(
    receipt: StampReceipt, settings: StampSettings
) -> None:
    entry = settings.ledger.find_clip(receipt.clip_id)
    assert entry is not None
    lost = replace(entry, clip_id=5, confirmed=False, created_at=OLD, file="/nowhere/clip.mp4")
    settings.ledger.record(lost)
    assert _check("--repair") == (8, {"abandoned": ""})
    assert _check("--forget") == (0, {"abandoned": "Forgotten."})
    assert _check() == (0, {})


def test_a_record_whose_stamp_may_be_at_work_is_not_forgotten(
    receipt: StampReceipt, settings: StampSettings
) -> None:
    entry = settings.ledger.find_clip(receipt.clip_id)
    assert entry is not None
    young = replace(
        entry, clip_id=5, confirmed=False, created_at=datetime.now(UTC), file="/nowhere/clip.mp4"
    )
    settings.ledger.record(young)
    assert _check("--repair", "--forget") == (0, {"under-way": ""})
    for age, kind in (
        (UNDER_WAY - SECOND, "under-way"),
        (UNDER_WAY, "abandoned"),
        (SECOND - UNDER_WAY, "under-way"),  # by a clock that is a little slow
        (-UNDER_WAY, "abandoned"),  # by one that was set back
    ):
        (found,) = check_ledger(settings.ledger, now=young.created_at + age)
        assert (found.kind, found.to_dict()["clip_id"]) == (kind, "0000000000000005")


def test_records_without_a_file_or_of_another_version_are_told(
    receipt: StampReceipt, settings: StampSettings
) -> None:
    entry = settings.ledger.find_clip(receipt.clip_id)
    assert entry is not None
    settings.ledger.record(replace(entry, clip_id=5, file="", confirmed=False))
    settings.ledger.record(replace(entry, clip_id=6, file=""))
    old = bytes([entry.fingerprint[0] ^ 1]) + entry.fingerprint[1:]
    settings.ledger.record(replace(entry, clip_id=7, file="", fingerprint=old))
    kinds = {found.clip_id: found.kind for found in check_ledger(settings.ledger)}
    assert kinds == {5: "abandoned", 7: "old-fingerprint"}


def test_temporary_files_are_leftovers_once_no_stamp_can_be_at_work(
    receipt: StampReceipt, settings: StampSettings, tmp_path: Path
) -> None:
    for name, age in (
        (".a.0.part.mp4", UNDER_WAY + SECOND),
        (".b.0.part.mp4", UNDER_WAY / 2),
        (".c.0.part.mp4", -2 * UNDER_WAY),
    ):
        (tmp_path / name).write_bytes(b"half")
        then = (datetime.now(UTC) - age).timestamp()
        os.utime(tmp_path / name, (then, then))
    (tmp_path / "a.part.mp4").write_bytes(b"of somebody else")
    (tmp_path / ".hidden.mp4").write_bytes(b"of somebody else")
    found = {Path(one.path).name: one.kind for one in check_files(settings.ledger, [tmp_path])}
    assert found == {
        ".a.0.part.mp4": "leftover",
        ".b.0.part.mp4": "under-way",
        ".c.0.part.mp4": "leftover",
    }


def test_a_temporary_file_whose_stamp_ends_meanwhile_is_nothing(
    receipt: StampReceipt, settings: StampSettings, tmp_path: Path
) -> None:
    left, done = tmp_path / ".clip.0.part.mp4", tmp_path / "a.mp4"
    left.write_bytes(b"half")
    done.write_bytes(receipt.path.read_bytes()[:60])
    found = check_files(settings.ledger, [done, left])
    assert next(found).kind == "unreadable"  # and while that is looked at, the other one goes
    left.unlink()
    assert list(found) == []


def test_a_leftover_that_was_signed_already_is_told_once(
    receipt: StampReceipt, settings: StampSettings, tmp_path: Path
) -> None:
    entry = settings.ledger.find_clip(receipt.clip_id)
    assert entry is not None
    left = receipt.path.rename(tmp_path / ".clip.0.part.mp4")
    then = (datetime.now(UTC) - 2 * UNDER_WAY).timestamp()
    os.utime(left, (then, then))
    (tmp_path / "folder.mp4").mkdir()
    with Ledger.open(f"sqlite:///{tmp_path}/other.sqlite3") as other:
        found = [(row.kind, row.path) for row in check_files(other, [tmp_path])]
    assert found == [("leftover", str(left))]


def test_file_whose_store_is_none_is_unreadable(receipt: StampReceipt, tmp_path: Path) -> None:
    box = struct.pack(">I4s", 25, b"uuid") + C2PA_BOX_TYPE + b"x"
    (tmp_path / "bad.mp4").write_bytes(struct.pack(">I4s", 12, b"ftyp") + b"isom" + box)
    assert _check(tmp_path) == (0, {})  # its box has no purpose: no store is there
    payload = bytes(4) + b"manifest\0"
    box = struct.pack(">I4s", 24 + len(payload), b"uuid") + C2PA_BOX_TYPE + payload
    (tmp_path / "bad.mp4").write_bytes(struct.pack(">I4s", 12, b"ftyp") + b"isom" + box)
    assert _check(tmp_path) == (8, {"unreadable": ""})


def test_file_without_credentials_is_not_recorded(home: Path, tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "mine.mp4", width=96, height=64, fps=Fraction(24)) as video:
        video.write(np.zeros((64, 96, 3), np.uint8))
    with pytest.raises(LedgerError, match="was not stamped"):
        adopted_entry(tmp_path / "mine.mp4", trust=TrustSettings.load(home))


def test_file_that_hides_something_is_not_recorded(receipt: StampReceipt, home: Path) -> None:
    """It is not altered, as far as anybody can say, and not intact either."""
    receipt.path.write_bytes(receipt.path.read_bytes() + struct.pack(">I4s", 12, b"ftyp") + b"isom")
    with pytest.raises(LedgerError, match="integrity unknown"):
        adopted_entry(receipt.path, trust=TrustSettings.load(home))


def test_unsigned_clips_are_none_of_the_ledgers_business(
    receipt: StampReceipt, tmp_path: Path
) -> None:
    with VideoWriter(tmp_path / "mine.mp4", width=96, height=64, fps=Fraction(24)) as video:
        video.write(np.zeros((64, 96, 3), np.uint8))
    assert _check(tmp_path) == (0, {})
    (tmp_path / "mine.mp4").replace(receipt.path)
    assert _check(tmp_path) == (0, {"file-replaced": ""})


@pytest.mark.parametrize(
    "content",
    [b"", b"text", struct.pack(">I4s", 25, b"uuid") + C2PA_BOX_TYPE + b"x", b"\0\0\0\x09ftyp"],
    ids=["empty", "text", "no store", "cut"],
)
@pytest.mark.parametrize("confirmed", [True, False])
def test_what_is_no_clip_any_more_is_not_the_file_that_was_issued(
    receipt: StampReceipt, settings: StampSettings, content: bytes, confirmed: bool
) -> None:
    entry = settings.ledger.find_clip(receipt.clip_id)
    assert entry is not None
    head = struct.pack(">I4s", 12, b"ftyp") + b"isom" if content.startswith(b"\0") else b""
    receipt.path.write_bytes(head + content)
    record = replace(entry, clip_id=5, confirmed=confirmed, created_at=OLD)
    settings.ledger.record(record)
    found = {row.clip_id: row.kind for row in check_ledger(settings.ledger)}
    assert found == {
        entry.clip_id: "file-replaced",
        5: "file-replaced" if confirmed else "abandoned",
    }


def test_record_without_a_manifest_is_that_of_no_file(
    receipt: StampReceipt, settings: StampSettings
) -> None:
    """Neither of one without credentials, nor of one with a manifest that has no label."""
    entry = settings.ledger.find_clip(receipt.clip_id)
    assert entry is not None
    settings.ledger.record(replace(entry, clip_id=5, manifest_store=b"none"))
    unlabelled = manifest_store("")
    box = C2PA_BOX_TYPE + bytes(4) + b"manifest\0" + bytes(8) + unlabelled
    ftyp = struct.pack(">I4s", 12, b"ftyp") + b"isom"
    receipt.path.write_bytes(ftyp + struct.pack(">I4s", 8 + len(box), b"uuid") + box)
    settings.ledger.record(replace(entry, clip_id=6, manifest_store=unlabelled))
    found = {row.clip_id: row.kind for row in check_ledger(settings.ledger)}
    assert found == dict.fromkeys([receipt.clip_id, 5, 6], "file-replaced")


def test_what_is_left_to_do_is_told_from_what_is_worth_knowing() -> None:
    kinds = set(get_args(Kind))
    knowing = {"under-way", "file-gone", "file-replaced", "old-fingerprint"}
    assert {kind for kind in kinds if not LedgerFinding(kind=kind).needs_action} == knowing
    assert all(LedgerFinding(kind=kind).advice for kind in kinds)
    page = (Path(__file__).resolve().parents[3] / "docs" / "ledger.md").read_text("utf-8")
    (table,) = re.findall(r"^\| finding \|.*?\n\n", page, re.MULTILINE | re.DOTALL)
    first = r"`([a-z-]+)`(?=[^|]*\|[^|]*\|[^|]*\|$)"
    assert set(re.findall(first, table, re.MULTILINE)) == kinds


def test_two_clips_under_one_id_are_reported(
    receipt: StampReceipt, settings: StampSettings, tmp_path: Path
) -> None:
    entry = settings.ledger.find_clip(receipt.clip_id)
    assert entry is not None
    with Ledger.open(f"sqlite:///{tmp_path}/other.sqlite3") as other:
        other.record(replace(entry, manifest_store=b"another", file=""))
    code, found = _check("--url", f"sqlite:///{tmp_path}/other.sqlite3", receipt.path)
    assert (code, found) == (8, {"record-differs": ""})


def test_a_manifest_of_the_same_name_is_not_the_one_that_was_signed(
    receipt: StampReceipt, settings: StampSettings, tmp_path: Path
) -> None:
    entry = settings.ledger.find_clip(receipt.clip_id)
    assert entry is not None
    changed = entry.manifest_store.replace(b"vidigree", b"somebody")
    assert replace(entry, manifest_store=changed).manifest_id == entry.manifest_id
    with Ledger.open(f"sqlite:///{tmp_path}/other.sqlite3") as other:
        other.record(replace(entry, manifest_store=changed, confirmed=False, created_at=OLD))
    code, found = _check("--url", f"sqlite:///{tmp_path}/other.sqlite3", receipt.path, "--repair")
    assert (code, found) == (8, {"abandoned": "", "record-differs": ""})


OURS = SOFT_BINDING_ALGORITHM


@pytest.mark.parametrize(
    ("alg", "digits"),
    [
        (OURS, "-000000000000001"),
        (OURS, "+000000000000001"),
        (OURS, "0x00000000000001"),
        (OURS, "0000_0000_0000_1"),
        (OURS, "1"),
        (OURS, ""),
        ("com.example.mark", "0000000000000001"),
    ],
)
def test_a_binding_that_names_no_clip_is_none_of_the_ledgers_business(
    receipt: StampReceipt, home: Path, tmp_path: Path, alg: str, digits: str
) -> None:
    value = f"published-1:{digits}"
    strange = ManifestRequest(
        origin=Origin(),
        clip_id=1,
        key_id="published-1",
        duration=Fraction(1),
        parent=receipt.path,
        mark=SoftBinding(alg=alg, value=value),
    )
    path = tmp_path / "strange.mp4"
    sign_file(receipt.path, path, request=strange, identity=load_identity())
    trust = TrustSettings.load(home)
    reading = read_credentials(path, trust=trust)
    assert [binding.value for binding in reading.soft_bindings] == [value]
    assert reading.integrity == "intact"
    assert _check(tmp_path) == (0, {})
    with pytest.raises(LedgerError, match="was not stamped"):
        adopted_entry(path, trust=trust)


def test_damaged_file_is_reported(receipt: StampReceipt, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(receipt.path.read_bytes()[:60])
    code, found = _check(tmp_path)
    assert (code, list(found)) == (8, ["unreadable"])


def test_failed_confirmation_still_issues_the_clip(
    settings: StampSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Ledger, clip_id: int) -> None:
        raise LedgerError("The server went away.")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "confirm", fail)
        receipt = stamp(killed_stamp.clip(), tmp_path / "clip.mp4", settings=settings)
    assert "ledger check --repair" in receipt.summary()
    assert receipt.path.exists()
    assert _check("--repair") == (0, {"unconfirmed": "Confirmed."})
