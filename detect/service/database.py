"""The ledger's database as the service sees it, brought to the current schema."""

from __future__ import annotations

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.engine import Engine

from vidigree.media.errors import LedgerError
from vidigree.watermark.ledger.connection import connect, ledger_errors

__all__ = ["open_database"]

_VERSION_TABLE = "service_alembic_version"


def open_database(url: str | None) -> Engine:
    """Return an engine for the ledger's database with the service's tables in it.

    Args:
        url: SQLAlchemy URL; ``None`` means the ledger in the data folder.

    Raises:
        LedgerError: The database cannot be opened, or a newer version of this program wrote it.
    """
    engine = connect(url)
    with ledger_errors("The service's tables cannot be made", engine):
        _migrate(engine)
    return engine


def _migrate(engine: Engine) -> None:
    config = Config()
    scripts = resources.files("vidigree.detect.service").joinpath("migrations")
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    newest = ScriptDirectory.from_config(config).get_current_head()
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": _VERSION_TABLE})
        if context.get_current_revision() == newest:
            return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Released with the transaction; the number is the service's own.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7105301943)")
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise LedgerError(
                "The service's tables have a schema that this version does not know.",
                hint="A newer vidigree wrote them; upgrade this one.",
            ) from error
