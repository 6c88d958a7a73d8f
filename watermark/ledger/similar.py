"""Search the entries of a ledger by fingerprint, with an index that follows the database."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import sqlalchemy as sa

from vidigree.media.errors import UsageError
from vidigree.watermark.fingerprint import Fingerprint, similarity
from vidigree.watermark.ledger.codes import CODE_BYTES, codes_of, query_codes
from vidigree.watermark.ledger.index import CodeIndex, ScannedIndex, fastest_index
from vidigree.watermark.ledger.schema import entries
from vidigree.watermark.ledger.sqlite_file import FILE

__all__ = ["SimilaritySearch"]

_OVERLAP = 1000
"""Rows that are looked at again. PostgreSQL numbers a row when its transaction begins, so a row may
appear after one with a higher number; and SQLite gives the number of a deleted last row again."""

_CANDIDATES = 64
_COMPARED = 8
_NEAR = 32
"""Bits: a quarter of a code. Where whole fingerprints count as the same content, a fifth of the
bits differ on the average, and those of one moment a few more."""

_UNRELATED = 64
"""Bits in which codes differ that have nothing in common: half of them."""

_BATCH = 10_000


class SimilaritySearch:
    """An index in memory, brought up to date before each search by reading only what is new."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._file: object = None  # which one was read, where the database is a file
        self._clear()

    def _clear(self) -> None:
        self._index: CodeIndex = ScannedIndex()
        self._recent: dict[int, int] = {}  # row number -> clip id, of the last rows read

    def __len__(self) -> int:
        return len(self._index)

    def find(
        self, connection: sa.Connection, wanted: Fingerprint, limit: int
    ) -> list[tuple[int, float]]:
        """Return row numbers of entries with their likeness, best first.

        Args:
            connection: To the ledger's database.
            wanted: Fingerprint to look for; also found in a mirror and of a negative.
            limit: Most entries.
        """
        if not wanted.usable:
            return []
        seen = wanted.ways()
        told: dict[int, _Told] = {}
        with self._lock:
            self._refresh(connection)
            for which, asked in enumerate(seen):
                lists = self._index.search(query_codes(asked), max(_CANDIDATES, 4 * limit))
                for number, one in _told(lists, which).items():
                    told[number] = one.or_rather(told.get(number, one))
        # Comparing whole fingerprints costs a millisecond each, so only the best are compared: by
        # what their codes are worth, and by the nearest one alone, where a logo spoils the others.
        most = _COMPARED + 2 * limit
        by_worth = sorted(told, key=lambda number: (-told[number].worth, number))[:most]
        by_distance = sorted(told, key=lambda number: (told[number].distance, number))[:most]
        chosen = {number: seen[told[number].which] for number in (*by_worth, *by_distance)}
        return self._judged(connection, chosen)[:limit]

    def near(self, connection: sa.Connection, wanted: Fingerprint) -> dict[int, int]:
        """Return the row numbers of all entries that may have this picture.

        However many they are, none is left out: for whoever looks for one among many copies. With
        each comes how many of the codes that were asked for say so.

        Args:
            connection: To the ledger's database.
            wanted: Fingerprint to look for, in any of its ways.
        """
        asked = np.concatenate([query_codes(way) for way in wanted.ways()])
        with self._lock:
            self._refresh(connection)
            return self._index.within(asked, _NEAR)

    def _refresh(self, connection: sa.Connection) -> None:
        """Read the codes of new rows, or of all in a file that was put in the place of another."""
        file = connection.info.get(FILE)
        if file != self._file:
            self._clear()
            self._file = file
        first = max(self._recent, default=0) - _OVERLAP
        columns = (entries.c.id, entries.c.clip_id, entries.c.codes)
        query = sa.select(*columns).where(entries.c.id > first).order_by(entries.c.id)
        rows = connection.execute(query.execution_options(yield_per=_BATCH))
        for batch in rows.partitions():
            new = [row for row in batch if self._recent.get(row.id) != row.clip_id]
            blobs = [_codes(connection, row) for row in new]
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


def _codes(connection: sa.Connection, row: Any) -> bytes:
    """Return the codes of a row; made anew where what stands there is none."""
    if isinstance(row.codes, bytes) and not len(row.codes) % CODE_BYTES:
        return row.codes
    query = sa.select(entries.c.fingerprint).where(entries.c.id == row.id)
    return codes_of(bytes(connection.execute(query).scalar() or b""))


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What the codes that were asked for say of one row.

    Attributes:
        worth: How much they speak for it.
        distance: Of the nearest code, in bits.
        which: Which of the ways of the fingerprint was asked for.
    """

    worth: float
    distance: int
    which: int

    def or_rather(self, other: _Told) -> _Told:
        """Return the two as one: the way of looking that is nearer, and the better of each."""
        return _Told(
            worth=max(self.worth, other.worth),
            distance=min(self.distance, other.distance),
            which=min((self.distance, self.which), (other.distance, other.which))[1],
        )


def _told(lists: list[list[tuple[int, int]]], which: int) -> dict[int, _Told]:
    """Return what lists of near rows say of each.

    A code that is near to many rows, such as that of a title before all clips of a studio, says
    little of each of them; one that is near to one row alone says much.
    """
    worth: defaultdict[int, float] = defaultdict(float)
    nearest: dict[int, int] = {}
    for found in lists:
        distances = [distance for _, distance in found]
        for number, distance in found:
            as_near = bisect_right(distances, distance)
            worth[number] += max(0, _UNRELATED - distance) / _UNRELATED / as_near
            nearest[number] = min(distance, nearest.get(number, distance))
    return {
        number: _Told(worth=value, distance=nearest[number], which=which)
        for number, value in worth.items()
    }
