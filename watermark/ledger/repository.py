"""The ledger as a C2PA manifest repository: manifests by their id, and soft bindings to them.

Manifests of issued clips are there already. Others may be stored beside them, with soft binding
values of any algorithm; those can be replaced and deleted, issued clips cannot.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from vidigree.media.errors import LedgerError, UsageError
from vidigree.watermark.ledger.connection import READING, ledger_errors
from vidigree.watermark.ledger.entry import manifest_id_of
from vidigree.watermark.ledger.schema import bindings, entries, manifests

__all__ = ["IssuedManifestError", "ManifestRepository", "StoredManifestRow"]


class IssuedManifestError(LedgerError):
    """The manifest of an issued clip cannot be deleted or replaced."""


@dataclass(frozen=True, kw_only=True)
class StoredManifestRow:
    """A manifest store in the repository.

    Attributes:
        manifest_id: Label of its active manifest.
        store: The manifest store.
        created_at: When it was recorded.
        issued: Whether it belongs to an issued clip.
    """

    manifest_id: str
    store: bytes
    created_at: datetime
    issued: bool


class ManifestRepository:
    """Manifests and bindings in the ledger's database; safe across threads.

    Args:
        engine: Of a ledger that was opened, so that its tables are current.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, store: bytes) -> str:
        """Keep a manifest store and return its id; adding it again changes nothing.

        Raises:
            UsageError: These bytes are not a manifest store, or another one has the same id.
            LedgerError: The database failed.
        """
        manifest_id = manifest_id_of(store)
        if not manifest_id:
            raise UsageError("These bytes are not a C2PA manifest store.")
        row = {"manifest_id": manifest_id, "manifest_store": store, "created_at": datetime.now(UTC)}
        there = self.find(manifest_id)
        if there is None:
            with ledger_errors("The manifest cannot be kept", self._engine):
                try:
                    with self._engine.begin() as connection:
                        connection.execute(sa.insert(manifests).values(row))
                except IntegrityError:
                    there = self.find(manifest_id)  # somebody else was faster
        if there is not None and there.store != store:
            raise UsageError(f"Another manifest store has the id {manifest_id}.")
        return manifest_id

    def find(self, manifest_id: str) -> StoredManifestRow | None:
        """Return a manifest store, ``None`` if there is none under this id.

        Raises:
            LedgerError: The database failed.
        """
        if _is_none(manifest_id):
            return None
        with ledger_errors("The repository cannot be read", self._engine), self._reading() as db:
            for table, issued in ((entries, True), (manifests, False)):
                columns = (table.c.manifest_store, table.c.created_at)
                query = sa.select(*columns).where(table.c.manifest_id == manifest_id).limit(1)
                row = db.execute(query).one_or_none()
                if row is not None:
                    return _stored(manifest_id, row, issued=issued)
        return None

    def delete(self, manifest_id: str) -> bool:
        """Delete a stored manifest with its bindings; return whether there was one.

        Raises:
            IssuedManifestError: It belongs to an issued clip.
            LedgerError: The database failed.
        """
        if _is_none(manifest_id):
            return False
        there = self.find(manifest_id)
        if there is not None and there.issued:
            raise IssuedManifestError("The manifest of an issued clip is never deleted.")
        with (
            ledger_errors("The manifest cannot be deleted", self._engine),
            self._engine.begin() as connection,
        ):
            connection.execute(sa.delete(bindings).where(bindings.c.manifest_id == manifest_id))
            query = sa.delete(manifests).where(manifests.c.manifest_id == manifest_id)
            return bool(connection.execute(query).rowcount)

    def bind(self, value: str, manifest_id: str) -> bool:
        """Bind a soft binding value to a manifest; return whether that manifest is known.

        Binding it again changes nothing.

        Raises:
            LedgerError: The database failed.
        """
        if self.find(manifest_id) is None:
            return False
        with ledger_errors("The binding cannot be kept", self._engine):
            try:
                with self._engine.begin() as connection:
                    connection.execute(sa.insert(bindings).values(_binding(value, manifest_id)))
            except IntegrityError:
                pass  # it is there already, which is what was asked for
        return True

    def rebind(self, value: str, manifest_id: str) -> bool:
        """Let a value point to this manifest alone; return whether both are known.

        Raises:
            LedgerError: The database failed.
        """
        if self.find(manifest_id) is None:
            return False
        with (
            ledger_errors("The binding cannot be changed", self._engine),
            self._engine.begin() as connection,
        ):
            query = sa.delete(bindings).where(bindings.c.value_sha256 == _hash(value))
            if not connection.execute(query).rowcount:
                return False
            connection.execute(sa.insert(bindings).values(_binding(value, manifest_id)))
        return True

    def bound(self, value: str, limit: int) -> list[str]:
        """Return the ids of manifests that a value is bound to, oldest binding first.

        Raises:
            LedgerError: The database failed.
        """
        query = (
            sa.select(bindings.c.manifest_id)
            .where(bindings.c.value_sha256 == _hash(value))
            .order_by(bindings.c.id)
            .limit(limit)
        )
        with ledger_errors("The repository cannot be read", self._engine), self._reading() as db:
            return [row.manifest_id for row in db.execute(query)]

    def _reading(self) -> sa.Connection:
        return self._engine.connect().execution_options(**READING)


def _is_none(manifest_id: str) -> bool:
    """Say whether no manifest has this id; PostgreSQL refuses texts with a NUL."""
    return not manifest_id or "\0" in manifest_id


def _binding(value: str, manifest_id: str) -> dict[str, Any]:
    return {
        "value_sha256": _hash(value),
        "value": value,
        "manifest_id": manifest_id,
        "created_at": datetime.now(UTC),
    }


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def _stored(manifest_id: str, row: Any, *, issued: bool) -> StoredManifestRow:
    created_at: datetime = row.created_at
    return StoredManifestRow(
        manifest_id=manifest_id,
        store=bytes(row.manifest_store),
        # SQLite forgets the zone; what was written is UTC.
        created_at=created_at.replace(tzinfo=UTC) if created_at.tzinfo is None else created_at,
        issued=issued,
    )
