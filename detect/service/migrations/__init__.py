"""Alembic scripts of the service's tables."""
