"""Bring a database to the current schema with Alembic; the scripts are part of the package."""

from __future__ import annotations

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.engine import Connection, Engine

from vidigree.media.errors import LedgerError

__all__ = ["migrate", "schema_version", "script_config"]


def migrate(engine: Engine) -> None:
    """Upgrade to the newest schema; one of several processes does it, the others wait.

    Raises:
        LedgerError: The database was written by a newer version of this program.
    """
    config = script_config()
    newest = ScriptDirectory.from_config(config).get_current_head()
    with engine.connect() as connection:
        if _version(connection) == newest:
            return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Released with the transaction; the number is the ledger's own.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7105301942)")
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise LedgerError(
                "The ledger has a schema that this version does not know.",
                hint="A newer vidigree wrote it; upgrade this one.",
            ) from error


def schema_version(engine: Engine) -> str | None:
    """Return the revision the database is at, ``None`` for an empty one."""
    with engine.connect() as connection:
        return _version(connection)


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def script_config() -> Config:
    """Return Alembic's configuration: only where the scripts are."""
    config = Config()
    scripts = resources.files("vidigree.watermark.ledger").joinpath("migrations")
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    return config
