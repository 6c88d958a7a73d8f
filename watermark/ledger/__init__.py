"""Remembers what was issued, and gives a stripped clip its manifest back."""

from vidigree.watermark.ledger.entry import LedgerEntry
from vidigree.watermark.ledger.store import Ledger

__all__ = ["Ledger", "LedgerEntry"]
