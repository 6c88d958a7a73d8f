"""Keep the codes that entries are searched by, and manifests and bindings that others stored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vidigree.watermark.ledger.codes import codes_of

revision = "0003"
down_revision = "0002"

_BATCH = 500


def upgrade() -> None:
    """Add the column and the two tables; codes are computed from the fingerprints."""
    op.add_column(
        "entries", sa.Column("codes", sa.LargeBinary(), nullable=False, server_default="")
    )
    _fill_codes(op.get_bind())
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "manifests",
        sa.Column("id", number, nullable=False),
        sa.Column("manifest_id", sa.String(256), nullable=False),
        sa.Column("manifest_store", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_manifests"),
        sa.UniqueConstraint("manifest_id", name="uq_manifests_manifest_id"),
    )
    op.create_table(
        "bindings",
        sa.Column("id", number, nullable=False),
        sa.Column("value_sha256", sa.String(64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("manifest_id", sa.String(256), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bindings"),
        sa.UniqueConstraint("value_sha256", "manifest_id", name="uq_bindings_value_sha256"),
    )
    op.create_index("ix_bindings_manifest_id", "bindings", ["manifest_id"])


def _fill_codes(connection: sa.Connection) -> None:
    table = sa.table("entries", sa.column("id"), sa.column("fingerprint"), sa.column("codes"))
    query = sa.select(table.c.id, table.c.fingerprint).order_by(table.c.id).limit(_BATCH)
    last = 0
    while rows := connection.execute(query.where(table.c.id > last)).all():
        last = rows[-1].id
        for row in rows:
            codes = codes_of(bytes(row.fingerprint))
            connection.execute(sa.update(table).where(table.c.id == row.id).values(codes=codes))


def downgrade() -> None:
    """Drop the tables and the column."""
    op.drop_table("bindings")
    op.drop_table("manifests")
    op.drop_column("entries", "codes")
