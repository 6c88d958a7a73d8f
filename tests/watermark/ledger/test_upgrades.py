"""An upgrade keeps every row as it was, makes the schema of a new ledger, and is whole or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from fixtures.manifest_stores import manifest_store
from sqlalchemy.engine import Connection, Engine

from vidigree.watermark.ledger import Ledger, LedgerEntry
from vidigree.watermark.ledger.codes import codes_of
from vidigree.watermark.ledger.connection import connect
from vidigree.watermark.ledger.migration import migrate, schema_version, script_config

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ScriptDirectory.from_config(script_config())
REVISIONS = [row.revision for row in SCRIPTS.walk_revisions()][::-1]
NEWEST = REVISIONS[-1]
Row = dict[str, Any]


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    opened = connect(ledger_url)
    yield opened
    opened.dispose()


@pytest.fixture
def filled(engine: Engine, odd_rows: list[Row]) -> Callable[[str], dict[str, list[Row]]]:
    """Make a ledger of an older version, with rows in each of its tables, and return them."""

    def fill(revision: str) -> dict[str, list[Row]]:
        _move(engine, revision)
        written = {"entries": odd_rows}
        if revision >= "0003":
            at = datetime(2026, 3, 1, tzinfo=UTC)
            written["manifests"] = [
                {
                    "id": 4,
                    "manifest_id": "urn:c2pa:theirs",
                    "manifest_store": b"m\0",
                    "created_at": at,
                }
            ]
            written["bindings"] = [
                {
                    "id": 9,
                    "value_sha256": "ab" * 32,
                    "value": "é" * 5000,
                    "manifest_id": "urn:c2pa:theirs",
                    "created_at": at,
                }
            ]
        with engine.begin() as connection:
            for name, rows in written.items():
                table = _table(connection, name)
                known = {column.name for column in table.columns}
                for row in rows:
                    values = {key: value for key, value in row.items() if key in known}
                    connection.execute(sa.insert(table).values(values))
            return _contents(connection)

    return fill


@pytest.fixture
def odd_rows(make_entry: Callable[..., LedgerEntry]) -> list[Row]:
    """Return rows that a careless upgrade would harm, with values for every column there is."""
    whole = make_entry(1).fingerprint
    base: Row = {
        "key_id": "published-1",
        "method": "robust",
        "engine": "render",
        "model": "",
        "request_hash": "",
        "duration": 2.5,
        "file": "/clips/ünï'code; DROP TABLE entries;--.mp4",
        "confirmed": False,
        "fingerprint": whole,
    }
    stores = [
        manifest_store("urn:c2pa:old", "urn:c2pa:new"),
        manifest_store(""),
        b"",
        b"no store \0\xff",
        manifest_store("urn:c2pa:" + "x" * 300),
    ]
    rows = []
    for number, store in enumerate(stores, 1):
        manifest_id = ["urn:c2pa:new", "", "", "", ("urn:c2pa:" + "x" * 300)[:256]][number - 1]
        rows.append(
            base
            | {
                "id": 10**6 * number,  # with gaps, as where entries were forgotten
                "clip_id": [-(2**63), -1, 0, 1, 2**63 - 1][number - 1],
                "manifest_store": store,
                "manifest_id": manifest_id,
                "created_at": datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
                + timedelta(days=number),
                "codes": codes_of(whole),
            }
        )
    rows[3] |= {"fingerprint": b"of another version", "codes": b""}
    rows[4] |= {"fingerprint": b"", "codes": b"", "confirmed": True, "duration": 0.0}
    return rows


def _move(engine: Engine, revision: str, *, down: bool = False) -> None:
    config = script_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)


def _table(connection: Connection, name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=connection)


def _contents(connection: Connection) -> dict[str, list[Row]]:
    """Return every row of every table of the ledger, as it is written there."""
    found = {}
    for name in sorted(sa.inspect(connection).get_table_names()):
        table = _table(connection, name)
        order = table.c.version_num if name == "alembic_version" else table.c.id
        rows = connection.execute(sa.select(table).order_by(order)).mappings()
        found[name] = [
            {
                key: bytes(value) if isinstance(value, memoryview) else value
                for key, value in row.items()
            }
            for row in rows
        ]
    return found


def _schema(engine: Engine) -> dict[str, Any]:
    """Return tables, columns, constraints and indexes, whatever order they were made in."""
    found = {}
    with engine.connect() as connection:
        inspector = sa.inspect(connection)
        for name in sorted(inspector.get_table_names()):
            columns = {
                row["name"]: (repr(row["type"]), row["nullable"], row["default"])
                for row in inspector.get_columns(name)
            }
            key = inspector.get_pk_constraint(name)
            unique = inspector.get_unique_constraints(name)
            indexes = inspector.get_indexes(name)
            found[name] = (
                columns,
                (key["name"], key["constrained_columns"]),
                sorted((row["name"], row["column_names"]) for row in unique),
                sorted((row["name"], row["column_names"], row["unique"]) for row in indexes),
            )
    return found


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_row_stays_as_it_was_and_gets_what_it_lacked(
    engine: Engine,
    filled: Callable[[str], dict[str, list[Row]]],
    odd_rows: list[Row],
    revision: str,
) -> None:
    before = filled(revision)
    known = set(before["entries"][0])
    if revision == "0001":
        odd_rows = [row | {"confirmed": True} for row in odd_rows]  # what was there was issued
    migrate(engine)
    with engine.connect() as connection:
        after = _contents(connection)
    assert after.pop("alembic_version") == [{"version_num": NEWEST}]
    for name, rows in before.items():
        if name not in ("entries", "alembic_version"):
            assert after[name] == rows
    kept = [{key: row[key] for key in known} for row in after["entries"]]
    assert kept == before["entries"]
    lacked = {key for key in after["entries"][0] if key not in known}
    added = [{key: row[key] for key in lacked} for row in after["entries"]]
    assert added == [{key: row[key] for key in lacked} for row in odd_rows]


def test_rows_of_many_batches_get_what_is_theirs(
    engine: Engine, odd_rows: list[Row], make_entry: Callable[..., LedgerEntry]
) -> None:
    """As many as three batches hold, one after the other, each with something of its own."""
    _move(engine, "0001")
    prints = [make_entry(n, seed=n).fingerprint for n in range(2)]
    rows = [
        odd_rows[0]
        | {
            "id": number,
            "clip_id": number,
            "manifest_store": manifest_store(f"urn:c2pa:{number}"),
            "fingerprint": prints[number % 2],
        }
        for number in range(1, 1302)
    ]
    with engine.begin() as connection:
        table = _table(connection, "entries")
        known = {column.name for column in table.columns}
        values = [{key: row[key] for key in known} for row in rows]
        connection.execute(sa.insert(table), values)
    migrate(engine)
    codes = [codes_of(data) for data in prints]
    assert codes[0] != codes[1]
    with engine.connect() as connection:
        found = _contents(connection)["entries"]
    assert [(row["manifest_id"], row["codes"]) for row in found] == [
        (f"urn:c2pa:{number}", codes[number % 2]) for number in range(1, 1302)
    ]


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_upgraded_ledger_has_the_schema_of_a_new_one(
    engine: Engine,
    filled: Callable[[str], dict[str, list[Row]]],
    new_ledger_url: Callable[[], str],
    revision: str,
) -> None:
    filled(revision)
    migrate(engine)
    new = connect(new_ledger_url())
    migrate(new)
    assert _schema(engine) == _schema(new)
    assert set(_schema(new)) == {"alembic_version", "bindings", "entries", "manifests"}
    new.dispose()


def test_each_step_down_leads_to_the_schema_it_came_from(
    engine: Engine, filled: Callable[[str], dict[str, list[Row]]]
) -> None:
    schemas = []
    for revision in REVISIONS:
        _move(engine, revision)
        schemas.append(_schema(engine))
    before = filled(NEWEST)
    for revision, schema in zip(REVISIONS[-2::-1], schemas[-2::-1], strict=True):
        _move(engine, revision, down=True)
        assert _schema(engine) == schema
    with engine.connect() as connection:
        (left,) = [rows for name, rows in _contents(connection).items() if name == "entries"]
    assert left == [{key: row[key] for key in left[0]} for row in before["entries"]]
    _move(engine, "base", down=True)
    assert set(_schema(engine)) == {"alembic_version"}


# Upgrades, and dies by its own hand where the codes of the third row are computed.
_KILLED = """
import os, signal, sys
from vidigree.watermark.ledger import Ledger, codes

real, calls = codes.codes_of, []
def dying(data):
    calls.append(data)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(data)
codes.codes_of = dying
Ledger.open(sys.argv[1])
"""


def _run(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"PYTHONPATH": str(ROOT / "typings"), "PATH": os.environ["PATH"]},
    )


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_a_killed_upgrade_leaves_the_old_ledger(
    engine: Engine,
    ledger_url: str,
    filled: Callable[[str], dict[str, list[Row]]],
    revision: str,
) -> None:
    before, schema = filled(revision), _schema(engine)
    engine.dispose()
    killed = _run(_KILLED, ledger_url)
    told, _ = killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL, told
    with engine.connect() as connection:
        assert _contents(connection) == before
    assert _schema(engine) == schema
    with Ledger.open(ledger_url) as ledger:
        assert ledger.count() == len(before["entries"])
    assert schema_version(engine) == NEWEST


# Says that it is ready, waits to be told to go on, and upgrades.
_UPGRADES = """
import sys
from alembic import command
from vidigree.watermark.ledger import Ledger

print("ready", flush=True)
sys.stdin.readline()
with Ledger.open(sys.argv[1]) as ledger:
    print(ledger.count())
"""


@pytest.mark.parametrize("revision", REVISIONS[:-1])
@pytest.mark.slow
def test_processes_that_upgrade_at_once_do_it_once(
    engine: Engine,
    ledger_url: str,
    filled: Callable[[str], dict[str, list[Row]]],
    revision: str,
) -> None:
    before = filled(revision)
    engine.dispose()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _UPGRADES, ledger_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PYTHONPATH": str(ROOT / "typings"), "PATH": os.environ["PATH"]},
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    told = [process.communicate("go\n", timeout=60)[0] for process in processes]
    assert told == [f"{len(before['entries'])}\n"] * 4
    with engine.connect() as connection:
        after = _contents(connection)
    assert after["alembic_version"] == [{"version_num": NEWEST}]
    assert len(after["entries"]) == len(before["entries"])
