"""The ledger's tables, in SQLAlchemy Core; the migrations make exactly these."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    true,
)

__all__ = ["bindings", "entries", "manifests", "metadata"]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives an automatic number only to a column that is spelled INTEGER.
_ROW_ID = BigInteger().with_variant(Integer(), "sqlite")

entries = Table(
    "entries",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    # 64 bits, unsigned outside, two's complement here: SQL has no unsigned integers.
    Column("clip_id", BigInteger, nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("method", String(64), nullable=False),
    Column("manifest_store", LargeBinary, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, index=True),
    Column("engine", String(128), nullable=False),
    Column("model", String(512), nullable=False),
    Column("request_hash", String(128), nullable=False),
    Column("duration", Float, nullable=False),
    Column("file", Text, nullable=False),
    # Of the active manifest, e.g. urn:c2pa:...; empty where the store has none.
    Column("manifest_id", String(256), nullable=False, index=True, server_default=""),
    # False from the moment before the finished file is renamed into place to the one after.
    Column("confirmed", Boolean, nullable=False, server_default=true()),
    # By which the fingerprint is searched: 16 bytes each; see vidigree.watermark.ledger.codes.
    Column("codes", LargeBinary, nullable=False, server_default=""),
    UniqueConstraint("clip_id"),
)

# Manifests that were stored through the resolution service, beside those of issued clips.
manifests = Table(
    "manifests",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("manifest_id", String(256), nullable=False),
    Column("manifest_store", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("manifest_id"),
)

# Soft binding values that others stored for a manifest. A value may be longer than an index can
# hold, so its hash stands for it.
bindings = Table(
    "bindings",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("value_sha256", String(64), nullable=False),
    Column("value", Text, nullable=False),
    Column("manifest_id", String(256), nullable=False, index=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("value_sha256", "manifest_id"),
)
