"""Find what was issued before with the same picture, however often it was stamped since.

The search for what is most alike ends after a few entries: whoever stamped a generated clip a dozen
times without saying that it is one would push it out of sight. So all entries that may show the
picture are gone through here, those first that are likely to be generated clips.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice

import sqlalchemy as sa

from vidigree.media.errors import UsageError
from vidigree.watermark.clip import MADE_ELSEWHERE
from vidigree.watermark.credentials.claims import GENERATED_TERMS
from vidigree.watermark.fingerprint import Fingerprint, similarity
from vidigree.watermark.ledger.schema import entries

__all__ = ["alike_rows", "earlier_rows"]

_BATCH = 500
"""Rows asked for at once; databases limit how many values a question may hold."""

_MOST_STORES = 5000
"""Manifests of stamped clips that are looked through: about 100 MB, in a second or two."""

_MOST_COMPARED = 2000
"""Whole fingerprints that are compared, at up to ten milliseconds each where no way is alike."""

_TERMS = tuple(term.encode() for term in GENERATED_TERMS)


def earlier_rows(
    connection: sa.Connection, near: Mapping[int, int], before: datetime
) -> Iterator[int]:
    """Yield those of some rows that were issued before a time, likely generated ones first.

    Those are rows of engines, then rows of stamped clips whose manifests hold a word for generated
    pictures, then the others; in each group the nearest first, and of equally near ones the oldest.

    Args:
        connection: To the ledger's database.
        near: Row numbers, and how near they are.
        before: A time with a zone.
    """
    made: list[tuple[int, datetime, int]] = []
    stamped: list[tuple[int, datetime, int]] = []
    columns = (entries.c.id, entries.c.created_at, entries.c.engine)
    for batch in _batches(list(near)):
        query = sa.select(*columns).where(
            entries.c.id.in_(batch), entries.c.created_at < before.astimezone(UTC)
        )
        for row in connection.execute(query):
            group = stamped if row.engine in MADE_ELSEWHERE else made
            group.append((-near[row.id], row.created_at, row.id))
    yield from (number for *_, number in sorted(made))
    others = [number for *_, number in sorted(stamped)]
    worded = _with_generated_terms(connection, others[:_MOST_STORES])
    yield from (number for number in others if number in worded)
    yield from (number for number in others if number not in worded)


def _with_generated_terms(connection: sa.Connection, numbers: Sequence[int]) -> set[int]:
    found = set()
    for batch in _batches(numbers):
        query = sa.select(entries.c.id, entries.c.manifest_store).where(entries.c.id.in_(batch))
        for row in connection.execute(query.execution_options(yield_per=_BATCH)):
            store = bytes(row.manifest_store)
            if any(term in store for term in _TERMS):
                found.add(row.id)
    return found


def alike_rows(
    connection: sa.Connection, numbers: Iterator[int], wanted: Fingerprint, likeness: float
) -> Iterator[tuple[int, float]]:
    """Yield the rows whose whole fingerprints are alike enough, in their order, with likeness.

    The likeness is that of the first way that is alike enough.

    Args:
        connection: To the ledger's database.
        numbers: Row numbers; only the first few thousand are looked at.
        wanted: The fingerprint; it may be in a mirror, or of a negative.
        likeness: The least.
    """
    ways = wanted.ways()
    for number in islice(numbers, _MOST_COMPARED):
        query = sa.select(entries.c.fingerprint).where(entries.c.id == number)
        data = connection.execute(query).scalar()
        try:
            stored = Fingerprint.from_bytes(bytes(data or b""))
        except UsageError:
            continue  # gone, or of another version; `ledger check` reports it
        # Copies are mostly alike as they are, so the other ways need no look for them.
        for way in ways:
            if (alike := similarity(way, stored)) >= likeness:
                yield number, alike
                break


def _batches(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), _BATCH):
        yield numbers[start : start + _BATCH]
