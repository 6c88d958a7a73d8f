"""The ledger: what was issued, found again by clip id or by fingerprint."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from vidigree.media.errors import LedgerError
from vidigree.watermark.fingerprint import Fingerprint
from vidigree.watermark.ledger.connection import (
    READING,
    connect,
    database_name,
    ledger_errors,
    no_ledger,
)
from vidigree.watermark.ledger.earlier import alike_rows, earlier_rows
from vidigree.watermark.ledger.entry import LedgerEntry
from vidigree.watermark.ledger.migration import migrate, schema_version
from vidigree.watermark.ledger.repository import ManifestRepository
from vidigree.watermark.ledger.rows import row_entry, row_values, signed, understood_rows
from vidigree.watermark.ledger.schema import entries
from vidigree.watermark.ledger.similar import SimilaritySearch

__all__ = ["Ledger"]


class Ledger:
    """What was issued. Use :meth:`open`; a ledger is a context manager and safe across threads.

    Example:
        >>> from vidigree.watermark.ledger import Ledger
        >>> with Ledger.open("sqlite://") as ledger:
        ...     ledger.find_clip(7) is None
        True
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._search = SimilaritySearch()

    @classmethod
    def open(cls, url: str | None = None, *, create: bool = True) -> Ledger:
        """Open a ledger, making or upgrading its tables.

        Args:
            url: SQLAlchemy URL; ``None`` means ``ledger.sqlite3`` in the data folder.
            create: Make a ledger where there is none; for whoever only looks something up, an empty
                one would say of every clip that nobody issued it.

        Raises:
            LedgerError: The database cannot be opened, or there is none and none may be made.
            UsageError: The URL is empty, or the data folder can be none.
        """
        engine = connect(url, create=create)
        try:
            with ledger_errors("The ledger cannot be opened", engine):
                if not create and schema_version(engine) is None:
                    raise no_ledger(database_name(engine))
                migrate(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def location(self) -> str:
        """Where the ledger is, without a password."""
        return database_name(self._engine)

    @property
    def repository(self) -> ManifestRepository:
        """The manifests in this database by their ids, and what is bound to them."""
        return ManifestRepository(self._engine)

    def record(self, entry: LedgerEntry) -> None:
        """Write an entry; when this returns it is on the disk. Writing it again changes nothing.

        Raises:
            LedgerError: The database failed, or holds another clip under the same id.
            UsageError: The clip id is not one of 64 bits, or the time has no zone.
        """
        values = row_values(entry)
        with ledger_errors("The clip cannot be recorded", self._engine):
            try:
                with self._engine.begin() as connection:
                    connection.execute(sa.insert(entries).values(values))
            except IntegrityError:
                if not self._holds(entry):
                    raise

    def confirm(self, clip_id: int) -> None:
        """Note that the file of an entry is in place.

        Raises:
            LedgerError: The database failed, or holds no such entry.
        """
        query = sa.update(entries).where(entries.c.clip_id == signed(clip_id))
        doing = ledger_errors("The clip cannot be confirmed", self._engine)
        with doing, self._engine.begin() as connection:
            changed = connection.execute(query.values(confirmed=True)).rowcount
        if not changed:
            raise LedgerError(f"The ledger holds no clip {clip_id:016x} to confirm.")

    def forget(self, clip_id: int) -> bool:
        """Drop an entry that was never confirmed; return whether there was one.

        What was issued stays: a confirmed entry is not touched.

        Raises:
            LedgerError: The database failed.
        """
        query = sa.delete(entries).where(
            entries.c.clip_id == signed(clip_id), entries.c.confirmed.is_(False)
        )
        doing = ledger_errors("The clip cannot be forgotten", self._engine)
        with doing, self._engine.begin() as connection:
            return bool(connection.execute(query).rowcount)

    def find_clip(self, clip_id: int) -> LedgerEntry | None:
        """Return the entry of a clip id, ``None`` if it was not issued here.

        Raises:
            LedgerError: The database failed.
        """
        query = sa.select(entries).where(entries.c.clip_id == signed(clip_id))
        with self._reading() as reading:
            row = reading.execute(query).one_or_none()
            return None if row is None else row_entry(row)

    def find_similar(self, fingerprint: bytes, limit: int = 10) -> list[tuple[LedgerEntry, float]]:
        """Return the entries whose fingerprints are most alike, best first, with likeness.

        The first search reads the search codes of all entries; later ones only what is new.

        Args:
            fingerprint: Bytes of a fingerprint.
            limit: Most entries to return, at least 1.

        Raises:
            LedgerError: The database failed.
            UsageError: The bytes are not a fingerprint.
        """
        wanted = Fingerprint.from_bytes(fingerprint)
        with self._reading() as reading:
            best = self._search.find(reading, wanted, limit)
            query = sa.select(entries).where(entries.c.id.in_([number for number, _ in best]))
            rows = {row.id: row_entry(row) for row in reading.execute(query)}
        return [(rows[number], likeness) for number, likeness in best if number in rows]

    def find_earlier(
        self, fingerprint: bytes, *, before: datetime, likeness: float
    ) -> Generator[tuple[LedgerEntry, float], None, None]:
        """Yield entries of the same picture that were issued before a time, with likeness.

        Unlike :meth:`find_similar` it does not end after the most alike ones, and begins with those
        that are likely to be generated clips; see :mod:`vidigree.watermark.ledger.earlier`.

        Args:
            fingerprint: Bytes of a fingerprint.
            before: A time with a zone.
            likeness: The least that counts.

        Raises:
            LedgerError: The database failed.
            UsageError: The bytes are not a fingerprint.
        """
        wanted = Fingerprint.from_bytes(fingerprint)
        with self._reading() as reading:
            numbers = earlier_rows(reading, self._search.near(reading, wanted), before)
            for number, alike in alike_rows(reading, numbers, wanted, likeness):
                row = reading.execute(sa.select(entries).where(entries.c.id == number)).first()
                if row is not None:
                    yield row_entry(row), alike

    def entries(self, limit: int | None = None) -> Iterator[LedgerEntry]:
        """Yield entries, newest first.

        Args:
            limit: Most entries; ``None`` means all.

        Raises:
            LedgerError: The database failed.
        """
        query = sa.select(entries).order_by(entries.c.created_at.desc(), entries.c.id.desc())
        query = query.limit(limit).execution_options(yield_per=100)
        with self._reading() as reading:
            for row in reading.execute(query):
                yield row_entry(row)

    def count(self) -> int:
        """Return the number of entries.

        Raises:
            LedgerError: The database failed.
        """
        query = sa.select(sa.func.count()).select_from(entries)
        with self._reading() as reading:
            return int(reading.execute(query).scalar_one())

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        doing = ledger_errors("The ledger cannot be read", self._engine)
        with doing, understood_rows(), self._engine.connect() as connection:
            yield connection.execution_options(**READING)

    def _holds(self, entry: LedgerEntry) -> bool:
        """Return whether an entry is there already, as after a retry.

        Raises:
            LedgerError: Another clip is there with the same id.
        """
        there = self.find_clip(entry.clip_id)
        if there is not None and there.manifest_store != entry.manifest_store:
            raise LedgerError(
                f"The ledger holds another clip with the id {entry.clip_id:016x}.",
                hint="Stamp again: a fresh id is drawn each time.",
            )
        return there is not None
