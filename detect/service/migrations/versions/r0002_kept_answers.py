"""Know how large the answers are that lie here, without reading them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; a service that does not know it leaves it empty."""
    op.add_column("audit_jobs", sa.Column("answer_bytes", sa.Integer()))
    op.create_index("ix_audit_jobs_owner_answer_bytes", "audit_jobs", ["owner", "answer_bytes"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_audit_jobs_owner_answer_bytes", "audit_jobs")
    op.drop_column("audit_jobs", "answer_bytes")
