"""A ledger of any age becomes one of today, on either database, and keeps what it holds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from fixtures.manifest_stores import manifest_store
from sqlalchemy.engine import Engine

from vidigree.media.errors import LedgerError
from vidigree.watermark.ledger import Ledger, LedgerEntry, migration
from vidigree.watermark.ledger.connection import connect
from vidigree.watermark.ledger.migration import (
    LEDGER_MIGRATIONS,
    migrate,
    schema_version,
    script_config,
)
from vidigree.watermark.ledger.rows import row_values
from vidigree.watermark.ledger.schema import metadata

NEWEST = ScriptDirectory.from_config(script_config()).get_current_head()
REVISIONS = [row.revision for row in ScriptDirectory.from_config(script_config()).walk_revisions()]


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    opened = connect(ledger_url)
    yield opened
    opened.dispose()


def _to(engine: Engine, revision: str) -> None:
    """Bring an empty database to the schema of an older version."""
    config = script_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        return list(compare_metadata(context, metadata))


def test_the_newest_revision_is_named() -> None:
    assert LEDGER_MIGRATIONS.newest == NEWEST


def test_alembic_is_imported_for_an_old_database_only(tmp_path: Path) -> None:
    program = (
        "import sys; from vidigree.watermark.ledger import Ledger\n"
        "with Ledger.open(sys.argv[1]): print('alembic' in sys.modules)"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program, f"sqlite:///{tmp_path / 'ledger.sqlite3'}"],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        ).stdout.strip()
        for _ in range(2)
    ]
    assert told == ["True", "False"]


def test_scripts_are_found_in_a_folder_of_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration.resources, "files", lambda _: tmp_path / "100%(here)s")
    found = script_config().get_main_option("script_location")
    assert found == str(tmp_path / "100%(here)s" / "migrations")


def test_a_table_of_versions_without_one_is_no_ledger(engine: Engine, ledger_url: str) -> None:
    """As a downgrade to the beginning leaves it."""
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
    assert schema_version(engine) is None
    with pytest.raises(LedgerError, match="There is no ledger"):
        Ledger.open(ledger_url, create=False)
    Ledger.open(ledger_url).close()
    assert _differences(engine) == []


def test_old_ledger_that_may_not_be_written_is_told_and_left(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    engine = connect(f"sqlite:///{path}")
    _to(engine, "0002")
    engine.dispose()
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="readonly") as refused:
        Ledger.open(f"sqlite:///file:{path}?mode=ro&uri=true", create=False)
    assert "permissions" in refused.value.hint
    assert path.read_bytes() == before


def test_empty_database_gets_exactly_the_tables(engine: Engine) -> None:
    assert schema_version(engine) is None
    migrate(engine)
    assert schema_version(engine) == NEWEST
    assert _differences(engine) == []


def test_missing_column_would_be_noticed(engine: Engine) -> None:
    _to(engine, "0001")
    assert _differences(engine) != []


@pytest.mark.parametrize("revision", REVISIONS)
def test_older_database_is_upgraded_and_keeps_its_clips(
    engine: Engine, ledger_url: str, revision: str, make_entry: Callable[..., LedgerEntry]
) -> None:
    _to(engine, revision)
    old = sa.Table("entries", sa.MetaData(), autoload_with=engine)
    named = LedgerEntry(
        **{
            **{name: getattr(make_entry(2), name) for name in LedgerEntry.__dataclass_fields__},
            "manifest_store": manifest_store("urn:c2pa:old", "urn:c2pa:new"),
        }
    )
    with engine.begin() as connection:
        for entry in (make_entry(2**64 - 1), named):
            known = {column.name for column in old.columns}
            values = {name: value for name, value in row_values(entry).items() if name in known}
            connection.execute(sa.insert(old).values(values))
    with Ledger.open(ledger_url) as ledger:
        assert ledger.find_clip(2**64 - 1) == make_entry(2**64 - 1)
        assert ledger.find_clip(2) == named
        kept = ledger.repository.find("urn:c2pa:new")
        assert kept is not None
        assert kept.store == named.manifest_store
        assert ledger.repository.find("urn:c2pa:old") is None
        found = ledger.find_similar(named.fingerprint, limit=2)
        assert sorted(entry.clip_id for entry, _ in found) == [2, 2**64 - 1]
    assert _differences(engine) == []


def test_many_processes_may_open_an_empty_database_at_once(ledger_url: str) -> None:
    def count(_: int) -> int:
        with Ledger.open(ledger_url) as ledger:
            return ledger.count()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(count, range(8))) == [0] * 8


def test_database_of_a_newer_version_is_refused(engine: Engine, ledger_url: str) -> None:
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerError, match="does not know") as refused:
        Ledger.open(ledger_url)
    assert "upgrade" in refused.value.hint


def test_upgrade_that_fails_changes_nothing(
    engine: Engine, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _to(engine, "0001")

    def fail(_: bytes) -> str:
        raise LedgerError("power cut")

    old = sa.Table("entries", sa.MetaData(), autoload_with=engine)
    with engine.begin() as connection:
        connection.execute(
            sa.insert(old).values(
                clip_id=1, key_id="k", method="m", manifest_store=b"s", fingerprint=b"f",
                created_at=sa.func.current_timestamp(), engine="", model="", request_hash="",
                duration=1.0, file="",
            )
        )  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr("vidigree.watermark.ledger.entry.manifest_id_of", fail)
        with pytest.raises(LedgerError, match="power cut"):
            Ledger.open(ledger_url)
    assert schema_version(engine) == "0001"
    with Ledger.open(ledger_url) as ledger:
        assert ledger.count() == 1
    assert schema_version(engine) == NEWEST
