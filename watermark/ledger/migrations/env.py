"""Run by Alembic, inside the transaction that the ledger opened."""

from __future__ import annotations

from alembic import context

from vidigree.watermark.ledger.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
context.run_migrations()
