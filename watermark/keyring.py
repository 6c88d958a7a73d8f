"""Secret keys of the pixel mark: a ring of them, with ids, rotation and a published default.

The published default key lets anyone verify marks that were made with it; it proves nothing
against a forger, who knows it too. A private key in the ring does.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidigree.media.errors import CredentialsError
from vidigree.media.home import home_folder
from vidigree.watermark.sole_writer import sole_writer

__all__ = ["PUBLISHED_KEY", "KeyRing", "MarkKey"]


_VERSION = 1
_SECRET_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class MarkKey:
    """One key of the pixel mark.

    Attributes:
        key_id: Short public name; written into manifests and the ledger.
        secret: 32 bytes that seed every keyed pattern. Never printed.
    """

    key_id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"MarkKey(key_id={self.key_id!r}, secret=...)"


PUBLISHED_KEY = MarkKey(
    key_id="published-1", secret=hashlib.sha256(b"vidigree published mark key 1").digest()
)


@dataclass(frozen=True, kw_only=True)
class KeyRing:
    """Keys to mark and to look for, newest first.

    Attributes:
        keys: All keys; the first one marks, all of them are tried at detection.
    """

    keys: tuple[MarkKey, ...] = (PUBLISHED_KEY,)

    @property
    def active(self) -> MarkKey:
        """The key that new marks are made with."""
        return self.keys[0]

    @classmethod
    def load(cls, path: Path | None = None) -> KeyRing:
        """Read the ring file; without one, the ring holds the published key alone.

        Args:
            path: Ring file; ``None`` means ``mark-keys.json`` in the data folder.

        Raises:
            CredentialsError: The file cannot be read, is damaged, or a newer vidigree wrote it.
        """
        path = _ring_path(path)
        try:
            ring = json.loads(path.read_text(encoding="utf-8"))
            version = ring["version"]
            keys = _keys_of(ring) if version == _VERSION else ()
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a key ring"
            reason = str(error) if isinstance(error, _DoubtfulKeyError) else reason
            raise CredentialsError(
                f"The mark key ring {path} cannot be read: {reason}.",
                hint="Restore it from a backup, or move it away to use the published key only.",
            ) from error
        if version != _VERSION:
            raise CredentialsError(
                f"The mark key ring {path} is of version {version!r}; this vidigree reads version "
                f"{_VERSION}.",
                hint="Use the vidigree that wrote it, or a newer one.",
            )
        return cls(keys=tuple(dict.fromkeys((*keys, PUBLISHED_KEY))))

    @classmethod
    def rotate(cls, path: Path | None = None) -> KeyRing:
        """Add a fresh secret key in front, write the ring file (mode 0600), return the new ring.

        Raises:
            CredentialsError: The ring cannot be read or written, or is being rotated already.
        """
        # A link stays one: what it points to is written.
        path = Path(os.path.realpath(_ring_path(path)))
        secret = secrets.token_bytes(_SECRET_BYTES)
        fresh = MarkKey(key_id=f"mk-{hashlib.sha256(secret).hexdigest()[:8]}", secret=secret)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Whoever else rotates is kept out, so that neither loses the other's key.
            with sole_writer(path, doing=f"The mark key ring {path} is being rotated") as stream:
                old = [key for key in cls.load(path).keys if key != PUBLISHED_KEY]
                rows = [{"key_id": key.key_id, "secret": key.secret.hex()} for key in (fresh, *old)]
                ring = {"version": _VERSION, "keys": rows}
                stream.write(json.dumps(ring, indent=2).encode())
        except OSError as error:
            raise _unwritable(path, error) from error
        return cls(keys=(fresh, *old, PUBLISHED_KEY))


class _DoubtfulKeyError(ValueError):
    """A key is there by whose name nobody can tell whose marks it makes; the words say why."""


def _keys_of(ring: Any) -> tuple[MarkKey, ...]:
    """Return the keys of a ring file's content, each once.

    Raises:
        _DoubtfulKeyError: A name stands for several keys, or the published key is not called that.
        ValueError: It is not what :meth:`KeyRing.rotate` writes.
        KeyError: Likewise.
        TypeError: Likewise.
    """
    if not isinstance(ring["keys"], list):
        raise TypeError("no keys")
    keys = []
    for row in ring["keys"]:
        name, secret = row["key_id"], bytes.fromhex(row["secret"])
        if not isinstance(name, str) or not name or len(secret) != _SECRET_BYTES:
            raise ValueError("no key")
        if not name.isprintable():
            raise _DoubtfulKeyError("a key in it has a name that cannot be printed")
        # Marks of a key that everyone has must not count as those of a secret one.
        if (name == PUBLISHED_KEY.key_id) != (secret == PUBLISHED_KEY.secret):
            raise _DoubtfulKeyError(f"the key {name!r} in it is not what it is called")
        keys.append(MarkKey(key_id=name, secret=secret))
    found = tuple(dict.fromkeys(keys))
    if len({key.key_id for key in found}) < len(found):
        raise _DoubtfulKeyError("two keys in it have one name")
    return found


def _unwritable(path: Path, error: OSError) -> CredentialsError:
    return CredentialsError(
        f"The mark key ring {path} cannot be written: {error.strerror or error}.",
        hint="Check the folder's permissions, or set VIDIGREE_HOME.",
    )


def _ring_path(path: Path | None) -> Path:
    return home_folder() / "mark-keys.json" if path is None else path
