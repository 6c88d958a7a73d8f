"""Bring a database to the current schema with Alembic; the scripts are part of the package.

Alembic is imported when there is something to bring up to date: it takes longer to import than a
ledger to open.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from sqlalchemy import column, inspect, select, table
from sqlalchemy.engine import Engine

from vidigree.media.errors import LedgerError
from vidigree.watermark.ledger.connection import READING

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["LEDGER_MIGRATIONS", "Migrations", "migrate", "schema_version", "script_config"]


@dataclass(frozen=True, kw_only=True)
class Migrations:
    """The migrations of one set of tables; several sets may share a database.

    Attributes:
        package: Package that holds the scripts in its folder ``migrations``.
        version_table: Table in which Alembic keeps the revision of this set.
        newest: The newest revision among the scripts.
        lock: Number of the PostgreSQL advisory lock, its own for each set.
        unknown: Sentence for a database that a newer version wrote.
    """

    package: str
    version_table: str
    newest: str
    lock: int
    unknown: str


LEDGER_MIGRATIONS = Migrations(
    package="vidigree.watermark.ledger",
    version_table="alembic_version",
    newest="0003",
    lock=7105301942,
    unknown="The ledger has a schema that this version does not know.",
)


def migrate(engine: Engine, migrations: Migrations = LEDGER_MIGRATIONS) -> None:
    """Upgrade to the newest schema; one of several processes does it, the others wait.

    Args:
        engine: The database.
        migrations: Whose tables; the ledger's by default.

    Raises:
        LedgerError: The database was written by a newer version of this program.
    """
    if schema_version(engine, migrations) == migrations.newest:
        return
    from alembic import command
    from alembic.util.exc import CommandError

    config = script_config(migrations)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Released with the transaction.
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({migrations.lock:d})")
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise LedgerError(
                migrations.unknown, hint="A newer vidigree wrote it; upgrade this one."
            ) from error


def schema_version(engine: Engine, migrations: Migrations = LEDGER_MIGRATIONS) -> str | None:
    """Return the revision the database is at, ``None`` for an empty one."""
    versions = table(migrations.version_table, column("version_num"))
    # As a reader: whoever only looks something up need not wait for somebody who writes.
    with engine.connect().execution_options(**READING) as connection:
        if not inspect(connection).has_table(migrations.version_table):
            return None
        found = connection.execute(select(versions.c.version_num)).scalar()
        return None if found is None else str(found)


def script_config(migrations: Migrations = LEDGER_MIGRATIONS) -> Config:
    """Return Alembic's configuration: where the scripts are, and which table counts them."""
    from alembic.config import Config

    config = Config()
    scripts = resources.files(migrations.package).joinpath("migrations")
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["version_table"] = migrations.version_table
    return config
