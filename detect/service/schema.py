"""The service's tables, which lie beside the ledger's; the migrations make exactly these.

Times are seconds since 1970 by the clock of whoever writes them: leases and limits are compared in
SQL, and a number compares alike in every database.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text

__all__ = ["api_keys", "jobs", "metadata"]

metadata = MetaData()

jobs = Table(
    "audit_jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    # "receiving", "queued", "running", "done", "failed"
    Column("state", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("finished_at", Float),
    # A running or receiving job belongs to whoever holds the lease, until this time.
    Column("lease", String(32)),
    Column("lease_until", Float),
    # After this time the row is deleted.
    Column("expires_at", Float),
    Column("attempts", Integer, nullable=False),
    # The spool folder that holds the upload; empty for a URL, which any service can fetch.
    Column("spool", String(32), nullable=False),
    Column("url", Text, nullable=False),
    # What the caller calls the clip; repeated in the answer, never a path here.
    Column("name", Text, nullable=False),
    # Public id of the API key; empty without one.
    Column("owner", String(16), nullable=False),
    Column("options", Text, nullable=False),
    Column("step", String(32), nullable=False),
    Column("steps_done", Integer, nullable=False),
    Column("steps_total", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    # Of a finished job. It lies behind the answer, so that it is summed up from the index alone.
    Column("answer_bytes", Integer),
    Index("ix_audit_jobs_state_created_at", "state", "created_at"),
    Index("ix_audit_jobs_owner_answer_bytes", "owner", "answer_bytes"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("secret_sha256", String(64), nullable=False),
    Column("name", String(128), nullable=False),
    Column("per_minute", Integer),
    Column("created_at", Float, nullable=False),
    Column("revoked_at", Float),
)
