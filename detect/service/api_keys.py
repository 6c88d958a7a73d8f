"""API keys: made once, shown once, kept as hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
import unicodedata
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from vidigree.detect.service.schema import api_keys
from vidigree.media.errors import UsageError
from vidigree.watermark.ledger.connection import READING, ledger_errors

__all__ = ["ApiKey", "ApiKeyStore"]

_MAX_PER_MINUTE = 1_000_000  # databases cannot keep every number
_PREFIX = "vdg"


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """What is known of a key; never the key itself.

    Attributes:
        key_id: Public id, the middle part of the key.
        name: Whose it is.
        per_minute: Audits a minute; ``None`` for the service's own limit.
        created_at: Seconds since 1970.
        revoked_at: Seconds since 1970; ``None`` while it is valid.
    """

    key_id: str
    name: str
    per_minute: int | None
    created_at: float
    revoked_at: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the key's facts as JSON values."""
        return asdict(self)


class ApiKeyStore:
    """API keys in the ledger's database.

    A key is ``vdg_<id>_<secret>`` with 256 random bits of secret. That many bits cannot be
    guessed, so a plain SHA-256 protects them; a slow hash is for passwords that people choose.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, name: str, *, per_minute: int | None = None) -> str:
        """Make a key and return it; it cannot be shown again.

        Args:
            name: Whose it is, 1 to 128 characters.
            per_minute: Audits a minute, 1 to a million; ``None`` for the service's own limit.

        Raises:
            UsageError: The name is empty, too long or no text, or the limit means nothing.
            LedgerError: The database failed.
        """
        if not 1 <= len(name.strip()) <= 128:
            raise UsageError("The name of a key has 1 to 128 characters.")
        # Halves of surrogate pairs are what bytes of the command line become that are not UTF-8.
        if any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in name):
            raise UsageError("The name of a key is text without control characters.")
        if per_minute is not None and not 1 <= per_minute <= _MAX_PER_MINUTE:
            raise UsageError(f"A key allows 1 to {_MAX_PER_MINUTE} audits a minute.")
        key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
        row = {
            "id": key_id,
            "secret_sha256": _digest(secret),
            "name": name.strip(),
            "per_minute": per_minute,
            "created_at": time.time(),
        }
        with self._errors("The key cannot be kept"), self._engine.begin() as connection:
            connection.execute(sa.insert(api_keys).values(row))
        return f"{_PREFIX}_{key_id}_{secret}"

    def find(self, key: str) -> ApiKey | None:
        """Return the valid key that this text is, or ``None``.

        Raises:
            LedgerError: The database failed.
        """
        prefix, _, rest = key.strip().partition("_")
        key_id, _, secret = rest.partition("_")
        if prefix != _PREFIX or not key_id or not secret:
            return None
        query = sa.select(api_keys).where(api_keys.c.id == key_id[:16])
        with self._errors("The key cannot be looked up"), self._reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None or row.revoked_at is not None:
            return None
        if not hmac.compare_digest(row.secret_sha256, _digest(secret)):
            return None
        return _key(row)

    def list(self) -> list[ApiKey]:
        """Return all keys, oldest first.

        Raises:
            LedgerError: The database failed.
        """
        query = sa.select(api_keys).order_by(api_keys.c.created_at)
        with self._errors("The keys cannot be read"), self._reading() as connection:
            return [_key(row) for row in connection.execute(query)]

    def revoke(self, key_id: str) -> None:
        """Make a key invalid from now on.

        Raises:
            UsageError: There is no such valid key.
            LedgerError: The database failed.
        """
        change = (
            sa.update(api_keys)
            .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=time.time())
        )
        changed = 0
        if key_id.isalnum() and key_id.isascii():  # databases refuse some of the others
            with self._errors("The key cannot be revoked"), self._engine.begin() as connection:
                changed = connection.execute(change).rowcount
        if not changed:
            raise UsageError(
                f"There is no valid key {key_id!r}.", hint="`vidigree serve keys list` shows them."
            )

    def _reading(self) -> sa.Connection:
        return self._engine.connect().execution_options(**READING)

    def _errors(self, doing: str) -> AbstractContextManager[None]:
        return ledger_errors(doing, self._engine)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _key(row: sa.Row[Any]) -> ApiKey:
    return ApiKey(
        key_id=row.id,
        name=row.name,
        per_minute=row.per_minute,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
