"""Many processes write at once, some are killed: every acknowledged record is there, once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vidigree.watermark.ledger import Ledger

ROOT = Path(__file__).resolve().parents[3]
WRITERS = 4
RECORDS = 25

# Prints a clip id after the ledger has acknowledged it.
_WRITER = """
import sys
from datetime import UTC, datetime
from vidigree.watermark.ledger import Ledger, LedgerEntry

url, first, count, shared = sys.argv[1], *map(int, sys.argv[2:])
with Ledger.open(url) as ledger:
    for number in [*range(first, first + count), *range(shared)]:
        entry = LedgerEntry(
            clip_id=number, key_id="k", method="robust", manifest_store=b"s%d" % number * 500,
            fingerprint=b"", created_at=datetime(2026, 1, 1, tzinfo=UTC), confirmed=False,
        )
        ledger.record(entry)
        ledger.confirm(number)
        print(number, flush=True)
"""


def _writer(
    url: str, first: int, count: int, *, shared: int = 0, out: Path
) -> subprocess.Popen[bytes]:
    with out.open("wb") as stream:
        return subprocess.Popen(
            [sys.executable, "-c", _WRITER, url, str(first), str(count), str(shared)],
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={"PYTHONPATH": str(ROOT / "typings"), "PATH": "/usr/bin:/bin"},
        )


@pytest.mark.slow
def test_writers_wait_for_one_another(ledger_url: str, tmp_path: Path) -> None:
    shared = 5  # every writer also records these, like a stamp that is tried again
    writers = [
        _writer(ledger_url, 1000 * (n + 1), RECORDS, shared=shared, out=tmp_path / f"{n}")
        for n in range(WRITERS)
    ]
    assert [writer.wait(120) for writer in writers] == [0] * WRITERS, (tmp_path / "0").read_text()
    with Ledger.open(ledger_url) as ledger:
        found = sorted(entry.clip_id for entry in ledger.entries())
        assert all(entry.confirmed for entry in ledger.entries())
    own = [1000 * (n + 1) + i for n in range(WRITERS) for i in range(RECORDS)]
    assert found == [*range(shared), *own]


@pytest.mark.slow
def test_killed_writers_lose_nothing_that_was_acknowledged(ledger_url: str, tmp_path: Path) -> None:
    outs = [tmp_path / f"{n}" for n in range(WRITERS)]
    writers = [
        _writer(ledger_url, 100_000 * (n + 1), 100_000, out=out) for n, out in enumerate(outs)
    ]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not all(b"\n" in out.read_bytes() for out in outs):
        time.sleep(0.05)  # until all of them are at work
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
    assert [writer.wait(60) for writer in writers] == [-signal.SIGKILL] * WRITERS
    heard = [int(line) for out in outs for line in out.read_text().splitlines()]
    with Ledger.open(ledger_url) as ledger:
        entries = list(ledger.entries())
        ledger.record(entries[0])  # the database is not left locked
    found = [entry.clip_id for entry in entries]
    assert len(found) == len(set(found))
    assert set(heard) <= {entry.clip_id for entry in entries if entry.confirmed}
    assert len(heard) >= WRITERS
    # At most the one record that each writer was at is there without having been heard of.
    assert len(found) - len(heard) <= WRITERS
