"""The service's tables lie beside the ledger's, each with its own versions."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from vidigree.detect.service.database import SERVICE_MIGRATIONS, open_database
from vidigree.detect.service.schema import metadata
from vidigree.media import LedgerError
from vidigree.watermark.ledger.connection import connect
from vidigree.watermark.ledger.migration import migrate, schema_version, script_config


def test_ledger_and_service_share_a_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    ledger = connect(url)
    migrate(ledger)
    before = schema_version(ledger)
    tables = set(sa.inspect(ledger).get_table_names())
    service = open_database(url)
    added = set(sa.inspect(service).get_table_names()) - tables
    assert "service_alembic_version" in added
    assert len(added) > 1
    assert schema_version(ledger) == before
    service.dispose()
    ledger.dispose()


def test_the_newest_revision_is_named() -> None:
    scripts = ScriptDirectory.from_config(script_config(SERVICE_MIGRATIONS))
    assert scripts.get_current_head() == SERVICE_MIGRATIONS.newest


def test_tables_of_an_older_version_become_those_of_today(ledger_url: str) -> None:
    engine, config = connect(ledger_url), script_config(SERVICE_MIGRATIONS)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    open_database(ledger_url).dispose()
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": SERVICE_MIGRATIONS.version_table}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_tables_of_a_newer_version_are_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE service_alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(LedgerError, match="service's tables"):
        open_database(url)
