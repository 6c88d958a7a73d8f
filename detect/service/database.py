"""The ledger's database as the service sees it, brought to the current schema."""

from __future__ import annotations

from sqlalchemy.engine import Engine

from vidigree.watermark.ledger.connection import connect, ledger_errors
from vidigree.watermark.ledger.migration import Migrations, migrate

__all__ = ["SERVICE_MIGRATIONS", "open_database"]

# A version table of its own: the ledger counts its own versions in the same database.
SERVICE_MIGRATIONS = Migrations(
    package="vidigree.detect.service",
    version_table="service_alembic_version",
    newest="0002",
    lock=7105301943,
    unknown="The service's tables have a schema that this version does not know.",
)


def open_database(url: str | None) -> Engine:
    """Return an engine for the ledger's database with the service's tables in it.

    Args:
        url: SQLAlchemy URL; ``None`` means the ledger in the data folder.

    Raises:
        LedgerError: The database cannot be opened, or a newer version of this program wrote it.
    """
    engine = connect(url)
    with ledger_errors("The service's tables cannot be made", engine):
        migrate(engine, SERVICE_MIGRATIONS)
    return engine
