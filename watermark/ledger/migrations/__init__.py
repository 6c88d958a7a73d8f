"""Alembic's scripts; :mod:`vidigree.watermark.ledger.migration` runs them."""
