"""A stamp killed at any step, then run again: nothing lost, nothing doubled, and `check` knows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fixtures.killed_stamp import STEPS

from vidigree.watermark.credentials import init_identity
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.ledger.adoption import bound_clip_id
from vidigree.watermark.ledger.check import check_files, check_ledger

ROOT = Path(__file__).resolve().parents[3]
LATER = timedelta(hours=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    init_identity(folder / "identity")
    return folder


def _stamp(step: str, moment: str, home: Path, target: Path, url: str) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "fixtures.killed_stamp", step, moment, str(home), str(target), url],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'typings'}:{ROOT / 'tests'}"},
    )
    expected = 0 if step == "none" else -signal.SIGKILL
    assert done.returncode == expected, done.stderr
    return int(done.stdout, 16) if step == "none" else 0


BEFORE_THE_LEDGER = STEPS[: STEPS.index("record")]
CUTS = [(step, "before") for step in STEPS] + [("_confirm", "after")]


@pytest.mark.slow
@pytest.mark.parametrize(("step", "moment"), CUTS)
def test_killed_stamp_loses_and_doubles_nothing(
    step: str, moment: str, home: Path, tmp_path: Path, ledger_url: str
) -> None:
    if ledger_url.startswith("postgresql") and step in BEFORE_THE_LEDGER:
        pytest.skip("nothing was written to a database yet: tested once, with SQLite")
    target = tmp_path / "outputs" / "clip.mp4"
    target.parent.mkdir()
    _stamp(step, moment, home, target, ledger_url)

    with Ledger.open(ledger_url) as ledger:
        # 1. A file that can be seen is whole and has its record.
        issued = bound_clip_id(target) if target.exists() else None
        assert target.exists() == (
            CUTS.index((step, moment)) >= CUTS.index(("_sync_folder", "before"))
        )
        if issued is not None:
            entry = ledger.find_clip(issued)
            assert entry is not None
            assert entry.manifest_store in target.read_bytes()
        # 2. A record without a file is told from one with it, once it is old enough.
        now = datetime.now(UTC)
        kinds = {finding.kind for finding in check_ledger(ledger, now=now + LATER)}
        if issued is not None:
            assert kinds == (set() if moment == "after" else {"unconfirmed"})
        else:
            assert kinds == ({"abandoned"} if step in ("rename",) else set())
        if kinds == {"abandoned"}:
            assert {finding.kind for finding in check_ledger(ledger, now=now)} == {"under-way"}
        # 3. Acting on it leaves exactly what was issued.
        for finding in list(check_ledger(ledger, now=now + LATER)):
            assert finding.clip_id is not None
            if finding.kind == "unconfirmed":
                ledger.confirm(finding.clip_id)
            else:
                assert ledger.forget(finding.clip_id)
        assert ledger.count() == (0 if issued is None else 1)

        # 4. Run again: refused where the file was issued, else it succeeds.
        if issued is None:
            again = _stamp("none", "", home, target, ledger_url)
            assert bound_clip_id(target) == again
            assert [entry.clip_id for entry in ledger.entries()] == [again]
        assert list(check_ledger(ledger, now=now + LATER)) == []
        for leftover in target.parent.glob(".*.part.mp4"):
            os.utime(leftover, (0, 0))
            assert [f.kind for f in check_files(ledger, [leftover])] == ["leftover"]
            leftover.unlink()
        assert list(check_files(ledger, [target.parent])) == []


def test_steps_are_all_there() -> None:
    """A renamed step would make its kill a no-op, and its test would fail; this one says why."""
    from vidigree.watermark import stamp

    known = set(stamp.__globals__) | set(vars(stamp.__globals__["_Job"]))
    assert {step for step in STEPS if step not in known} == {"rename", "_sync_folder"}
