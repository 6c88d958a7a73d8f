"""A ledger that cannot be used says so in a sentence, with exit code 8, and loses nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fixtures.permissions import changed_mode, no_override
from fixtures.postgres import PASSWORD, PostgresServer

from vidigree.media.errors import LedgerError
from vidigree.watermark.ledger import Ledger, LedgerEntry
from vidigree.watermark.ledger import connection as ledger_connection

ROOT = Path(__file__).resolve().parents[3]
MakeEntry = Callable[..., LedgerEntry]


def _vidigree(*arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    return subprocess.run(
        [*prefix, sys.executable, "-m", "vidigree.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT / "typings"), "PATH": os.environ["PATH"]},
    )


def _list(url: str) -> subprocess.CompletedProcess[str]:
    return _vidigree("ledger", "list", "--url", url)


def _is_one_sentence(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 8, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith(("vidigree: The ", "vidigree: There "))
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stderr


@contextmanager
def _locked(path: Path) -> Iterator[sqlite3.Connection]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield other
    finally:
        other.close()


@pytest.mark.parametrize("lock", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_an_open_ledger_is_read_while_another_program_writes(
    tmp_path: Path, make_entry: MakeEntry, lock: str
) -> None:
    path = tmp_path / "ledger.sqlite3"
    with Ledger.open(f"sqlite:///{path}") as ledger:
        ledger.record(make_entry(1))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute(lock)
    with Ledger.open(f"sqlite:///{path}?timeout=0") as ledger:
        assert ledger.find_clip(1) == make_entry(1)
    other.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("{}/l.sqlite3?timuot=5", "'timuot'"),
        ("{}/l.sqlite3?check_same_thread=abc", "'check_same_thread'"),
        ("{}/new/l%00x.sqlite3", "cannot be understood"),
        ("{}/new/l.sqlite3?timeout=nan", "not seconds"),
        ("{}", "is a folder"),
        ("{}/text/l.sqlite3", "cannot be made"),
        ("{}/byte.sqlite3", "cut to nothing"),
    ],
)
def test_urls_that_name_no_ledger_are_told_and_leave_nothing(
    tmp_path: Path, url: str, said: str
) -> None:
    (tmp_path / "text").write_text("no folder")
    (tmp_path / "byte.sqlite3").write_text("x")
    os.utime(tmp_path / "byte.sqlite3", (0, 0))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(LedgerError, match=said) as refused:
        Ledger.open("sqlite:///" + url.format(tmp_path))
    assert refused.value.hint
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "byte.sqlite3").read_text() == "x"


@pytest.mark.parametrize(
    "url", ["{}/typo.sqlite3", "{}/typo/l.sqlite3", "file:{}/typo.sqlite3?uri=true"]
)
@pytest.mark.parametrize("call", ["list", "show 00000000000000ab", "check", "check {} --forget"])
def test_who_only_reads_makes_no_ledger(tmp_path: Path, url: str, call: str) -> None:
    done = _vidigree(
        "ledger", *call.format(tmp_path).split(), "--url", "sqlite:///" + url.format(tmp_path)
    )
    _is_one_sentence(done)
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_a_ledger_is_not_made_one_by_reading(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE things (id INTEGER)")
    with pytest.raises(LedgerError, match="There is no ledger"):
        Ledger.open(f"sqlite:///{path}", create=False)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("things",)]


@pytest.mark.parametrize("create", [True, False])
def test_a_name_that_no_file_can_have_is_told(tmp_path: Path, create: bool) -> None:
    with pytest.raises(LedgerError, match="too long"):
        Ledger.open(f"sqlite:///{tmp_path}/{'x' * 300}.sqlite3", create=create)


def test_a_limit_that_no_database_counts_to_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    Ledger.open(url).close()
    for limit, code in ((2**63 - 1, 0), (2**63, 2), (10**20, 2)):
        done = _vidigree("ledger", "list", "--url", url, "--limit", str(limit))
        assert (done.returncode, done.stderr.count("\n")) == (code, code // 2)


class _Clock:
    """The clock, which tells when somebody sleeps by it."""

    def __init__(self, slept: threading.Event) -> None:
        self._slept = slept
        self.monotonic, self.time = time.monotonic, time.time

    def sleep(self, seconds: float) -> None:
        self._slept.set()
        time.sleep(seconds)


def test_locked_file_is_told_and_loses_nothing(tmp_path: Path, make_entry: MakeEntry) -> None:
    path = tmp_path / "ledger.sqlite3"
    with Ledger.open(f"sqlite:///{path}?timeout=0.2") as ledger:
        ledger.record(make_entry(1))
        with _locked(path):
            with pytest.raises(LedgerError, match="locked") as refused:
                ledger.record(make_entry(2))
            assert ledger.find_clip(1) == make_entry(1)  # readers do not wait
        assert "try again" in refused.value.hint
        assert "timeout" not in refused.value.message
        ledger.record(make_entry(2))
        assert ledger.count() == 2


def test_new_ledger_waits_while_another_program_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.sqlite3"
    waited = threading.Event()
    monkeypatch.setattr(ledger_connection, "time", _Clock(waited))
    with ThreadPoolExecutor(1) as pool, _locked(path) as other:
        opened = pool.submit(Ledger.open, f"sqlite:///{path}")
        assert waited.wait(20), "it did not wait"
        assert not opened.done()
        other.execute("COMMIT")
        with opened.result(10) as ledger:
            assert ledger.count() == 0


def test_new_ledger_that_stays_locked_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    began = time.monotonic()
    with _locked(path), pytest.raises(LedgerError, match="locked") as refused:
        Ledger.open(f"sqlite:///{path}?timeout=0.2")
    assert time.monotonic() - began >= 0.2
    assert "try again" in refused.value.hint


@pytest.mark.parametrize("timeout", ["soon", "nan", "inf", "-1"])
def test_timeout_must_be_seconds(tmp_path: Path, timeout: str) -> None:
    with pytest.raises(LedgerError, match="seconds"):
        Ledger.open(f"sqlite:///{tmp_path}/l.sqlite3?timeout={timeout}")


@pytest.mark.postgres
def test_locked_table_is_told_and_loses_nothing(
    postgres_server: PostgresServer, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    monkeypatch.setattr(ledger_connection, "LOCK_TIMEOUT", 1)
    url = postgres_server.new_database()
    with Ledger.open(url) as ledger:
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE entries IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(LedgerError, match="lock") as refused:
                ledger.record(make_entry(1))
            other.rollback()
        assert "try again" in refused.value.hint
        ledger.record(make_entry(1))
        assert ledger.count() == 1


def test_read_only_folder_is_told(tmp_path: Path, make_entry: MakeEntry) -> None:
    path = tmp_path / "kept" / "ledger.sqlite3"
    with Ledger.open(f"sqlite:///{path}") as ledger:
        ledger.record(make_entry(1))
    with changed_mode(path.parent, 0o555):
        done = _vidigree("ledger", "list", "--url", f"sqlite:///{path}", prefix=no_override())
        _is_one_sentence(done)
        assert "permissions" in done.stderr
        program = (
            "import sys; from vidigree.media.errors import LedgerError\n"
            "from vidigree.watermark.ledger import Ledger\n"
            "try: Ledger.open(sys.argv[1])\n"
            "except LedgerError as error: print(error.hint)"
        )
        told = subprocess.run(
            [
                *no_override(),
                sys.executable,
                "-c",
                program,
                f"sqlite:///{path.parent}/new.sqlite3",
            ],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": str(ROOT / "typings"), "PATH": os.environ["PATH"]},
        )
        assert "permissions" in told.stdout
        assert not path.with_name("new.sqlite3").exists()
    with Ledger.open(f"sqlite:///{path}") as ledger:
        assert [entry.clip_id for entry in ledger.entries()] == [1]


def test_read_only_file_can_be_read_and_is_told_when_written(
    tmp_path: Path, make_entry: MakeEntry
) -> None:
    path = tmp_path / "ledger.sqlite3"
    url = f"sqlite:///{path}"
    abandoned = replace(make_entry(1), confirmed=False, created_at=datetime(2020, 1, 1, tzinfo=UTC))
    with Ledger.open(url) as ledger:
        ledger.record(abandoned)
    with changed_mode(path, 0o444):
        listed = _vidigree("ledger", "list", "--url", url, prefix=no_override())
        assert (listed.returncode, listed.stderr) == (0, "")
        done = _vidigree("ledger", "check", "--forget", "--url", url, prefix=no_override())
    _is_one_sentence(done)
    assert "permissions" in done.stderr
    with Ledger.open(url) as ledger:
        assert list(ledger.entries()) == [abandoned]


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: url.replace("correct%20horse", "battery"), "password"),
        (lambda url: url.replace("127.0.0.1:", "127.0.0.1:1"), "reached"),
        (lambda url: url.rsplit("/", 1)[0] + "/nowhere", "nowhere"),
        (lambda url: url.replace("127.0.0.1", "no.such.host.invalid"), "reached"),
    ],
    ids=["wrong-password", "no-server", "no-database", "no-host"],
)
def test_server_that_does_not_let_us_in_is_told(
    postgres_server: PostgresServer, change: Callable[[str], str], said: str
) -> None:
    done = _list(change(postgres_server.url()))
    _is_one_sentence(done)
    assert said in done.stderr


@pytest.mark.postgres
def test_server_that_goes_away_and_comes_back_loses_nothing(
    postgres_server: PostgresServer, make_entry: MakeEntry
) -> None:
    url = postgres_server.new_database()
    with Ledger.open(url) as ledger:
        ledger.record(make_entry(1))
        postgres_server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname LIKE 'ledger_%'"
        )
        ledger.record(make_entry(2))  # over a new connection
        assert ledger.count() == 2


@pytest.mark.postgres
def test_scheme_of_hosting_services_is_understood(postgres_server: PostgresServer) -> None:
    url = postgres_server.new_database().replace("postgresql://", "postgres://")
    with Ledger.open(url) as ledger:
        assert PASSWORD not in ledger.location
        assert ledger.count() == 0


@pytest.mark.parametrize(
    "url",
    ["nonsense", "oracle://host/ledger", "mongodb://host/ledger", "sqlite:////proc/none/l.sqlite3"],
)
def test_url_that_cannot_be_used_is_told(url: str) -> None:
    _is_one_sentence(_list(url))


def test_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(b"this is no database " * 500)
    done = _list(f"sqlite:///{path}")
    _is_one_sentence(done)
    assert "backup" in done.stderr
    assert path.read_bytes() == b"this is no database " * 500
