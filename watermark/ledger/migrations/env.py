"""Run by Alembic, inside the transaction that the ledger opened."""

from __future__ import annotations

from alembic import context

from vidigree.watermark.ledger.schema import metadata

given = context.config.attributes
context.configure(
    connection=given["connection"], target_metadata=metadata, version_table=given["version_table"]
)
context.run_migrations()
