"""Know entries by the id of their manifest, and tell issued clips from those under way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vidigree.watermark.ledger.entry import manifest_id_of

revision = "0002"
down_revision = "0001"

_BATCH = 500


def upgrade() -> None:
    """Add the two columns; entries that are there already were issued."""
    op.add_column(
        "entries", sa.Column("manifest_id", sa.String(256), nullable=False, server_default="")
    )
    op.add_column(
        "entries", sa.Column("confirmed", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.create_index("ix_entries_manifest_id", "entries", ["manifest_id"])
    _fill_manifest_ids(op.get_bind())


def _fill_manifest_ids(connection: sa.Connection) -> None:
    table = sa.table(
        "entries", sa.column("id"), sa.column("manifest_store"), sa.column("manifest_id")
    )
    query = sa.select(table.c.id, table.c.manifest_store).order_by(table.c.id).limit(_BATCH)
    last = 0
    while rows := connection.execute(query.where(table.c.id > last)).all():
        last = rows[-1].id
        for row in rows:
            name = manifest_id_of(bytes(row.manifest_store))
            connection.execute(
                sa.update(table).where(table.c.id == row.id).values(manifest_id=name)
            )


def downgrade() -> None:
    """Drop the two columns."""
    op.drop_index("ix_entries_manifest_id", "entries")
    op.drop_column("entries", "confirmed")
    op.drop_column("entries", "manifest_id")
