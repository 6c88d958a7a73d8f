"""Search the entries of a ledger by fingerprint, with an index that follows the database."""

from __future__ import annotations

from threading import Lock

import numpy as np
import sqlalchemy as sa

from vidigree.media.errors import UsageError
from vidigree.watermark.fingerprint import Fingerprint, similarity
from vidigree.watermark.ledger.codes import CODE_BYTES, query_codes
from vidigree.watermark.ledger.index import CodeIndex, ScannedIndex, fastest_index
from vidigree.watermark.ledger.schema import entries

__all__ = ["SimilaritySearch"]

_OVERLAP = 1000
"""Rows that are looked at again. PostgreSQL numbers a row when its transaction begins, so a row may
appear after one with a higher number; and SQLite gives the number of a deleted last row again."""

_CANDIDATES = 64
_COMPARED = 8
_BATCH = 10_000


class SimilaritySearch:
    """An index in memory, brought up to date before each search by reading only what is new."""

    def __init__(self) -> None:
        self._index: CodeIndex = ScannedIndex()
        self._recent: dict[int, int] = {}  # row number -> clip id, of the last rows read
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._index)

    def find(
        self, connection: sa.Connection, wanted: Fingerprint, limit: int
    ) -> list[tuple[int, float]]:
        """Return row numbers of entries with their likeness, best first.

        Args:
            connection: To the ledger's database.
            wanted: Fingerprint to look for; also found in a mirror.
            limit: Most entries.
        """
        if not wanted.usable:
            return []
        seen = (wanted, wanted.mirrored())
        nearest: dict[int, tuple[int, int]] = {}  # row number -> distance, which of the two
        with self._lock:
            self._refresh(connection)
            for which, asked in enumerate(seen):
                found = self._index.search(query_codes(asked), max(_CANDIDATES, 4 * limit))
                for number, distance in found:
                    best = nearest.get(number, (distance, which))
                    nearest[number] = min(best, (distance, which))
        # Comparing whole fingerprints costs a millisecond each, so only the nearest are compared.
        ranked = sorted(nearest, key=lambda number: (nearest[number], number))
        chosen = {number: seen[nearest[number][1]] for number in ranked[: _COMPARED + 2 * limit]}
        return self._judged(connection, chosen)[:limit]

    def _refresh(self, connection: sa.Connection) -> None:
        """Read the codes of rows that are new."""
        first = max(self._recent, default=0) - _OVERLAP
        columns = (entries.c.id, entries.c.clip_id, entries.c.codes)
        query = sa.select(*columns).where(entries.c.id > first).order_by(entries.c.id)
        rows = connection.execute(query.execution_options(yield_per=_BATCH))
        for batch in rows.partitions():
            new = [row for row in batch if self._recent.get(row.id) != row.clip_id]
            blobs = [bytes(row.codes) for row in new]
            counts = [len(blob) // CODE_BYTES for blob in blobs]
            codes = np.frombuffer(b"".join(blobs), np.uint8).reshape(-1, CODE_BYTES)
            numbers = np.repeat(np.array([row.id for row in new], np.int64), counts)
            self._index.add(numbers, codes)
            self._recent.update((row.id, row.clip_id) for row in new)
            newest = sorted(self._recent)[-2 * _OVERLAP :]
            self._recent = {number: self._recent[number] for number in newest}
        self._index = fastest_index(self._index)

    @staticmethod
    def _judged(
        connection: sa.Connection, chosen: dict[int, Fingerprint]
    ) -> list[tuple[int, float]]:
        """Return the rows with the likeness of their whole fingerprints, best first."""
        query = sa.select(entries.c.id, entries.c.fingerprint).where(entries.c.id.in_(chosen))
        judged = []
        for row in connection.execute(query):
            try:
                stored = Fingerprint.from_bytes(bytes(row.fingerprint))
            except UsageError:
                continue  # of another version; `ledger check` reports it
            judged.append((row.id, similarity(chosen[row.id], stored)))
        return sorted(judged, key=lambda pair: (-pair[1], pair[0]))
