"""The file of an SQLite ledger: what may be one, and that it stays the one that was opened."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from vidigree.media.errors import LedgerError

__all__ = ["FILE", "is_there", "make_room", "refuse_emptied", "watch_file"]

FILE = "vidigree_file"
"""Key in the info of a connection under which stands which file it opened."""

_BEING_MADE = 60
"""Seconds for which an empty file may be a ledger that another process is making."""


def is_there(file: Path) -> bool:
    """Return whether a ledger's file is there.

    Raises:
        LedgerError: That cannot be told, or no file can have this name.
    """
    try:
        return file.exists()
    except (OSError, ValueError) as error:
        raise _unreachable(file, error) from error


def _unreachable(file: Path, error: Exception) -> LedgerError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return LedgerError(f"The ledger {file} cannot be reached: {reason}.", hint="Check the URL.")


def make_room(file: Path) -> None:
    """Make the folder of a ledger, and refuse what cannot be one.

    Raises:
        LedgerError: The folder cannot be made, the file is a folder or was emptied, or it is gone
            and left its log behind.
    """
    hint = "Check its permissions, or set VIDIGREE_HOME."
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if isinstance(error, FileExistsError | NotADirectoryError):
            hint = "Name a folder and not a file."
        raise LedgerError(
            f"The ledger's folder {file.parent} cannot be made: {error.strerror or error}.",
            hint=hint,
        ) from error
    try:
        folder = file.is_dir()
    except OSError as error:
        raise _unreachable(file, error) from error
    if folder:
        raise LedgerError(f"The ledger {file} is a folder.", hint="Name a file in it.")
    refuse_emptied(file)
    _refuse_lone_log(file)


def refuse_emptied(file: Path) -> None:
    """Refuse a file of no byte or one, unless another process is making it just now.

    To SQLite it is a new ledger, which says of every clip that nobody issued it.

    Raises:
        LedgerError: It was cut to nothing.
    """
    try:
        status = file.stat()
    except OSError:
        return  # not there yet, or connecting says what is wrong
    # The clock may have been set back since.
    if status.st_size <= 1 and abs(time.time() - status.st_mtime) > _BEING_MADE:
        raise LedgerError(
            f"The ledger {file} is empty: it was cut to nothing.",
            hint="Restore it from a backup; if it never held anything, delete it.",
        )


def _refuse_lone_log(file: Path) -> None:
    """Refuse to make a ledger beside the write-ahead log of another, which would be overwritten."""
    log = file.with_name(f"{file.name}-wal")
    try:
        lone = not file.exists() and log.stat().st_size > 0
    except OSError:
        return  # there is no log, or connecting says what is wrong
    if lone:
        raise LedgerError(
            f"The ledger {file} is gone, and its log {log.name} with the newest records is there.",
            hint="Put the file back beside its log; if it is lost, move the log away.",
        )


def watch_file(engine: Engine, file: Path) -> None:
    """Let every use of a connection make sure that the file it opened has not been replaced.

    A file that was deleted or moved while it was open goes on taking records, and nobody ever finds
    them again. One that was put in its place is opened instead.

    Args:
        engine: The ledger's; connections are looked at as they are taken from its pool.
        file: The file that they open.
    """
    file, opened = file.absolute(), False

    def refuse_anew(*_: object) -> None:
        if opened and _identity(file) is None:
            raise _gone(file)

    def remember(_connection: object, record: ConnectionPoolEntry) -> None:
        nonlocal opened
        opened = True
        record.info[FILE] = _identity(file)

    def compare(_connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        if _identity(file) != record.info[FILE]:
            raise DisconnectionError  # the pool opens another connection

    event.listen(engine, "do_connect", refuse_anew)
    event.listen(engine, "connect", remember)
    event.listen(engine, "checkout", compare)


def _gone(file: Path) -> LedgerError:
    return LedgerError(
        f"The ledger {file} is gone, or out of reach, since it was opened.",
        hint="Put it back, or restore it from a backup.",
    )


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
