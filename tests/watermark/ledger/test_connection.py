"""What every connection to a ledger is set to, and that none outlives its ledger."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from fixtures.postgres import PostgresServer

from vidigree.media.errors import LedgerError, UsageError
from vidigree.watermark.ledger import Ledger, LedgerEntry
from vidigree.watermark.ledger.connection import (
    connect,
    database_name,
    ledger_errors,
    ledger_file,
    refuse_memory,
)

MakeEntry = Callable[..., LedgerEntry]


def _pragmas(url: str) -> list[object]:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    engine = connect(url)
    with engine.connect() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
    engine.dispose()
    return found


def test_what_is_written_is_on_the_disk_beside_readers_and_waits_for_writers(
    tmp_path: Path,
) -> None:
    file = f"sqlite:///{tmp_path}/ledger.sqlite3"
    full = 2
    assert _pragmas(file) == ["wal", full, 1, 30_000]
    assert _pragmas(f"{file}?timeout=0.25") == ["wal", full, 1, 250]
    assert _pragmas(f"{file}?timeout=1&timeout=2") == ["wal", full, 1, 2000]
    assert _pragmas("sqlite://") == ["memory", full, 1, 30_000]


def test_a_day_is_the_longest_that_anybody_waits(tmp_path: Path) -> None:
    connect(f"sqlite:///{tmp_path}/ledger.sqlite3?timeout=86400").dispose()
    connect(f"sqlite:///{tmp_path}/ledger.sqlite3?timeout=0").dispose()
    with pytest.raises(LedgerError, match="not seconds"):
        connect(f"sqlite:///{tmp_path}/ledger.sqlite3?timeout=86401")


def test_who_reads_takes_no_turn_and_who_writes_takes_one_before_it_looks(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite3?timeout=0"
    Ledger.open(url).close()
    engine, other = connect(url), sqlite3.connect(tmp_path / "ledger.sqlite3", timeout=0)
    with closing(other), engine.connect().execution_options(vidigree_reading=True) as reading:
        reading.execute(sa.text("SELECT count(*) FROM entries"))
        other.execute("BEGIN IMMEDIATE")
        other.rollback()
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite3", timeout=0)) as other:
        with engine.begin() as writing:
            writing.execute(sa.text("SELECT count(*) FROM entries"))
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
    engine.dispose()


def test_a_closed_ledger_is_one_file_again(tmp_path: Path, make_entry: MakeEntry) -> None:
    """SQLite folds its log into the file when nobody has it open any more."""
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    with Ledger.open(url) as ledger:
        ledger.record(make_entry(1))
        assert (tmp_path / "ledger.sqlite3-wal").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.sqlite3"]
    engine = connect(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(LedgerError, match="does not know") as refused:
        Ledger.open(url)
    assert refused.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.sqlite3"]


@pytest.mark.parametrize("size", [0, 1])
def test_an_empty_file_is_a_new_ledger_for_a_minute_and_then_one_that_was_cut(
    tmp_path: Path, size: int
) -> None:
    file = tmp_path / "ledger.sqlite3"
    for age, refused in ((50, False), (70, True), (-70, True)):
        file.write_bytes(b"\0" * size)
        os.utime(file, (time.time() - age,) * 2)
        if refused:
            with pytest.raises(LedgerError, match="cut to nothing"):
                connect(f"sqlite:///{file}")
        else:
            connect(f"sqlite:///{file}").dispose()


@pytest.mark.parametrize(
    "url",
    [
        "{}?uri=true",
        "{}?uri=false",
        "file:{}?uri=true",
        "file://{}?uri=true",
        "file://localhost{}?uri=true",
        "file:{}?mode=rw&uri=true",
    ],
)
def test_a_file_that_was_cut_is_no_new_ledger_however_it_is_named(
    tmp_path: Path, url: str, make_entry: MakeEntry
) -> None:
    file = tmp_path / "a ledger.sqlite3"
    asked = "sqlite:///" + url.format(file.as_posix().replace(" ", "%20"))
    with Ledger.open(f"sqlite:///{file}") as ledger:
        ledger.record(make_entry(1))
    with Ledger.open(asked) as ledger:
        assert ledger.count() == 1
    file.write_bytes(b"")
    os.utime(file, (0, 0))
    with pytest.raises(LedgerError, match="cut to nothing"):
        Ledger.open(asked)
    assert file.read_bytes() == b""


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_a_uri_in_memory_names_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shared").touch()
    os.utime("shared", (0, 0))
    for url in ("file:shared?mode=memory&cache=shared&uri=true", "file::memory:?uri=true"):
        with Ledger.open(f"sqlite:///{url}") as ledger:
            assert ledger.count() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["shared"]


def test_only_a_url_of_a_file_names_one(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite3"
    assert ledger_file(f"sqlite:///{file}?timeout=5") == file
    for url in ("sqlite://", "sqlite:///:memory:", f"sqlite:///file:{file}?uri=true", "no url"):
        assert ledger_file(url) is None
    assert ledger_file("postgresql://user@host/ledger") is None


@pytest.mark.parametrize("ask", [Ledger.open, connect, ledger_file, refuse_memory])
def test_an_empty_url_is_not_the_ledger_of_the_data_folder(
    ask: Callable[[str], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDIGREE_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="URL of the ledger is empty"):
        ask("")
    assert list(tmp_path.iterdir()) == []


def test_who_only_reads_by_a_uri_makes_no_file_and_keeps_its_own_mode(tmp_path: Path) -> None:
    url = f"sqlite:///file:{tmp_path}/ledger.sqlite3?uri=true"
    for asked, mode in ((url, "rw"), (f"{url}&mode=ro", "ro")):
        engine = connect(asked, create=False)
        assert engine.url.query["mode"] == mode
        engine.dispose()
        with pytest.raises(LedgerError, match="unable to open"):
            Ledger.open(asked, create=False)
    assert list(tmp_path.iterdir()) == []
    Ledger.open(url).close()
    Ledger.open(url, create=False).close()


def test_a_data_folder_that_can_be_none_is_not_called_a_wrong_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VIDIGREE_HOME", str(tmp_path / "file" / "below"))
    with pytest.raises(UsageError, match="file is not a folder"):
        Ledger.open()


def test_a_driver_that_is_not_installed_is_told() -> None:
    for url in ("firebird://host/x", "postgresql+nothing://host/x"):
        with pytest.raises(LedgerError, match="driver is not installed"):
            connect(url)


def test_a_server_is_waited_for_ten_seconds_unless_the_url_says_otherwise() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        for asked, seconds in (("", "10"), ("?connect_timeout=3", "3")):
            engine = connect(f"{scheme}://user:hush@host.invalid/ledger{asked}")
            assert engine.url.drivername == "postgresql+psycopg"
            assert engine.url.query["connect_timeout"] == seconds
            name = database_name(engine)
            assert "hush" not in name
            assert "?" not in name


@pytest.mark.postgres
def test_a_server_waits_for_locks_as_long_as_a_file(postgres_server: PostgresServer) -> None:
    engine = connect(postgres_server.new_database())
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "30s"
    engine.dispose()


def test_errors_of_the_database_are_ours_and_all_others_stay_what_they_are() -> None:
    engine = connect("sqlite://")
    with pytest.raises(LedgerError, match=r"It failed in sqlite://: no such table: absent\."):
        with ledger_errors("It failed", engine), engine.connect() as connection:
            connection.exec_driver_sql("SELECT * FROM absent")
    with pytest.raises(LedgerError, match="It failed: Multiple rows") as told:
        with ledger_errors("It failed", engine), engine.connect() as connection:
            connection.execute(sa.text("SELECT 1 UNION SELECT 2")).scalar_one()
    assert "defect" in told.value.hint
    with pytest.raises(KeyError), ledger_errors("It failed", engine):
        raise KeyError("ours")


def test_a_clip_that_neither_goes_in_nor_is_there_is_told(
    make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger.open("sqlite://") as ledger:
        ledger.record(make_entry(1))
        monkeypatch.setattr(ledger, "find_clip", lambda clip_id: None)
        with pytest.raises(LedgerError, match=r"cannot be recorded in .* UNIQUE"):
            ledger.record(make_entry(1))


def test_an_entry_that_a_column_refuses_is_not_taken_for_another_clip(
    ledger_url: str, make_entry: MakeEntry
) -> None:
    with Ledger.open(ledger_url) as ledger:
        broken = replace(make_entry(1), engine=None)  # type: ignore[arg-type]
        with pytest.raises(LedgerError, match=r"cannot be recorded .*(NOT NULL|not-null)"):
            ledger.record(broken)
        assert ledger.count() == 0


def test_a_ledger_that_is_deleted_while_it_is_open_takes_no_more_records(
    tmp_path: Path, make_entry: MakeEntry
) -> None:
    file = tmp_path / "ledger.sqlite3"
    for asked in (f"sqlite:///{file}", f"sqlite:///file:{file}?uri=true"):
        with Ledger.open(asked) as ledger:
            ledger.record(make_entry(1))
            for path in tmp_path.iterdir():
                path.unlink()
            for use in (lambda: ledger.record(make_entry(2)), ledger.count):
                with pytest.raises(LedgerError, match="is gone, or out of reach") as refused:
                    use()
                assert "backup" in refused.value.hint
            assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_is_replaced_while_it_is_open_is_the_new_one(
    tmp_path: Path, make_entry: MakeEntry
) -> None:
    file, other = tmp_path / "ledger.sqlite3", tmp_path / "backup.sqlite3"
    for path, number in ((file, 1), (other, 2)):
        with Ledger.open(f"sqlite:///{path}") as ledger:
            ledger.record(make_entry(number))
    with Ledger.open(f"sqlite:///{file}") as service:
        assert service.find_clip(1) is not None
        other.replace(file)
        service.record(make_entry(3))
        assert [entry.clip_id for entry in service.entries()] == [3, 2]
    with Ledger.open(f"sqlite:///{file}") as again:
        assert again.count() == 2


def test_no_ledger_is_made_beside_the_log_of_one_that_is_gone(
    tmp_path: Path, make_entry: MakeEntry
) -> None:
    file, away = tmp_path / "ledger.sqlite3", tmp_path / "away"
    log = tmp_path / "ledger.sqlite3-wal"
    with Ledger.open(f"sqlite:///{file}") as ledger:
        ledger.record(make_entry(1))
        copies = {path: path.read_bytes() for path in (file, log)}
    log.write_bytes(copies[log])
    file.rename(away)
    with pytest.raises(LedgerError, match=r"is gone, and its log ledger\.sqlite3-wal") as refused:
        Ledger.open(f"sqlite:///{file}")
    assert "back beside its log" in refused.value.hint
    assert log.read_bytes() == copies[log]
    assert not file.exists()
    file.write_bytes(copies[file])  # as it was beside this log
    with Ledger.open(f"sqlite:///{file}") as again:
        assert again.count() == 1
    file.unlink()
    log.write_bytes(b"")  # as a crash leaves it that came before anything was written
    Ledger.open(f"sqlite:///{file}").close()


@pytest.mark.parametrize("name", ["a?b.sqlite3", "a?.sqlite3", "a?b=.sqlite3&", "a??.sqlite3"])
def test_a_question_mark_in_a_name_is_not_passed_over(
    tmp_path: Path, make_entry: MakeEntry, name: str
) -> None:
    with pytest.raises(LedgerError, match="question mark") as refused:
        Ledger.open(f"sqlite:///{tmp_path}/{name}")
    assert "%3F" in refused.value.hint
    assert list(tmp_path.iterdir()) == []
    with Ledger.open(f"sqlite:///{tmp_path}/" + name.replace("?", "%3F")) as ledger:
        ledger.record(make_entry(1))
    assert [path.name for path in tmp_path.iterdir()] == [name]
