"""Run by Alembic, inside the transaction that the service opened."""

from __future__ import annotations

from alembic import context

from vidigree.detect.service.schema import metadata

connection = context.config.attributes["connection"]
# A version table of its own: the ledger counts its own versions in the same database.
context.configure(
    connection=connection, target_metadata=metadata, version_table="service_alembic_version"
)
context.run_migrations()
