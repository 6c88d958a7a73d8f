"""Connections to the ledger's database, and its exceptions, caught once."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from vidigree.media.arguments import check_not_empty
from vidigree.media.errors import LedgerError, UsageError
from vidigree.media.home import home_folder
from vidigree.watermark.ledger.sqlite_file import is_there, make_room, refuse_emptied, watch_file

__all__ = [
    "READING",
    "NoLedgerError",
    "connect",
    "database_name",
    "default_url",
    "is_there",
    "ledger_errors",
    "ledger_file",
    "no_ledger",
    "refuse_memory",
]

READING = {"vidigree_reading": True}
"""Option of a connection that only reads, and does not queue for the lock of writers."""

LOCK_TIMEOUT = 30
"""Seconds a writer waits for another one before it gives up; ``?timeout=`` in the URL of an SQLite
file changes it."""

CONNECT_TIMEOUT = 10
"""Seconds to wait for a server; ``?connect_timeout=`` in the URL changes it."""

_LONGEST_WAIT = 86400
"""Seconds: a day."""

_OPTIONS = frozenset({"cache", "immutable", "mode", "timeout", "uri", "vfs"})
"""What may follow the question mark of an SQLite URL: ours, and what SQLite's own URIs know."""

_RETRY = 0.02
"""Seconds between two attempts at what SQLite does not wait for."""


def default_url() -> URL:
    """Return the URL of the SQLite file in the data folder."""
    return URL.create("sqlite", database=str(home_folder() / "ledger.sqlite3"))


def connect(url: str | None, *, create: bool = True) -> Engine:
    """Return an engine for a URL; the folder of an SQLite file is made.

    Args:
        url: SQLAlchemy URL, e.g. ``postgresql+psycopg://user@host/ledger``; ``None`` means the
            default.
        create: Whether an SQLite file, and its folder, may be made.

    Raises:
        LedgerError: The URL cannot be understood or its driver is not installed, or the file is not
            there and may not be made.
        UsageError: The URL is empty, or the data folder, where the ledger lies without one, can be
            none.
    """
    try:
        parsed = _parsed(url)
        if url is not None and parsed.get_backend_name() == "sqlite":
            _refuse_half_options(url)
        if not create:
            parsed = _existing(parsed)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        return _postgresql(parsed) if _is_postgresql(parsed) else sqlalchemy.create_engine(parsed)
    except UsageError:
        raise  # a ValueError, too: of the data folder, which says what is wrong with it
    except (NoSuchModuleError, ImportError) as error:
        raise LedgerError(
            f"The ledger's driver is not installed: {str(error).rstrip('.')}.",
            hint="For PostgreSQL: pip install 'vidigree[postgres]'.",
        ) from error
    except (ArgumentError, ValueError) as error:
        raise LedgerError(
            "The ledger's URL cannot be understood.",
            hint="Write sqlite:///folder/ledger.sqlite3 or postgresql://user@host/database.",
        ) from error


def _refuse_half_options(url: str) -> None:
    """Refuse a question mark in the name of a file, of which only the part before it would count.

    Raises:
        LedgerError: What follows it is not made of names and values.
    """
    _, mark, query = url.partition("?")
    for option in query.split("&") if mark else ():
        if not all(option.partition("=")):
            raise LedgerError(
                f"The ledger's URL has {option!r} after a question mark, which is no option.",
                hint="Write options as name=value, and a question mark in the name of a file as "
                "%3F.",
            )


def _existing(url: URL) -> URL:
    """Return a URL by which no file is made.

    Raises:
        LedgerError: The SQLite file that it names is not there.
    """
    file = _file(url)
    if file is not None and not is_there(file):
        raise no_ledger(str(file))
    # What SQLite's own URIs name, SQLite must be told not to make.
    told = "uri" not in url.query or "mode" in url.query
    return url if told else url.update_query_dict({"mode": "rw"})


class NoLedgerError(LedgerError):
    """A ledger is looked for, and none is there."""


def no_ledger(where: str) -> NoLedgerError:
    """Return the error to raise where a ledger is looked for and none is."""
    return NoLedgerError(
        f"There is no ledger {where}.",
        hint="Check the URL and VIDIGREE_HOME; if it was lost, `vidigree ledger check CLIPS "
        "--repair` makes one from its clips.",
    )


def ledger_file(url: str | None) -> Path | None:
    """Return the SQLite file that a URL names, ``None`` if it names none.

    Args:
        url: SQLAlchemy URL; ``None`` means the default.

    Raises:
        UsageError: The URL is empty.
    """
    try:
        parsed = _parsed(url)
    except ArgumentError:
        return None  # connect() says what is wrong with it
    return _file(parsed)


def refuse_memory(url: str | None) -> None:
    """Refuse a database that ends with the process: of what it records, nothing would stay.

    Args:
        url: SQLAlchemy URL; ``None`` means the default.

    Raises:
        LedgerError: It names an SQLite database in memory.
        UsageError: The URL is empty.
    """
    try:
        parsed = _parsed(url)
    except ArgumentError:
        return  # connect() says what is wrong with it
    if parsed.get_backend_name() != "sqlite":
        return
    named = _file(parsed) or _file_of_uri(parsed)
    if named is None or parsed.query.get("vfs") == "memdb":
        raise LedgerError(
            f"The ledger {url} lies in memory, and would be gone with what it records.",
            hint="Name a file, such as sqlite:///folder/ledger.sqlite3.",
        )


def _parsed(url: str | None) -> URL:
    check_not_empty(url, "URL of the ledger")
    return default_url() if url is None else make_url(url)


def _file(parsed: URL) -> Path | None:
    file = parsed.database if parsed.get_backend_name() == "sqlite" else None
    if not file or file == ":memory:" or file.startswith("file:"):
        return None
    return Path(file)


def _file_of_uri(parsed: URL) -> Path | None:
    """Return the file that a URI of SQLite's own (https://sqlite.org/uri.html) names, if any."""
    name = parsed.database or ""
    if not name.startswith("file:") or parsed.query.get("mode") == "memory":
        return None
    path = urlsplit(name).path
    return Path(unquote(path)) if path and path != ":memory:" else None


def database_name(engine: Engine) -> str:
    """Return the URL of a database as people may see it: without password and options."""
    return engine.url.set(query={}).render_as_string(hide_password=True)


def _is_postgresql(url: URL) -> bool:
    # Hosting services hand out postgres://, which SQLAlchemy does not know.
    return url.drivername in ("postgres", "postgresql", "postgresql+psycopg")


def _postgresql(url: URL) -> Engine:
    url = url.set(drivername="postgresql+psycopg")
    if "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": str(CONNECT_TIMEOUT)})
    engine = sqlalchemy.create_engine(url, pool_pre_ping=True)
    event.listen(engine, "begin", _limit_waiting)
    return engine


def _limit_waiting(connection: sqlalchemy.Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}s'")


def _lock_timeout(url: URL) -> float:
    asked = url.query.get("timeout", LOCK_TIMEOUT)
    try:
        seconds = float(asked if not isinstance(asked, tuple) else asked[-1])
    except ValueError:
        seconds = math.nan
    if not 0.0 <= seconds <= _LONGEST_WAIT:
        raise LedgerError(
            f"The ledger's URL has a timeout of {asked!r}, not seconds.",
            hint=f"From 0 to {_LONGEST_WAIT}, such as ?timeout=30.",
        )
    return seconds


def _sqlite(url: URL) -> Engine:
    if "\0" in (url.database or ""):
        raise ValueError("no file has a name with a null in it")
    unknown = sorted(set(url.query) - _OPTIONS)
    if unknown:
        raise LedgerError(
            f"The ledger's URL has an option {unknown[0]!r} that is not known.",
            hint=f"There are {', '.join(sorted(_OPTIONS))}.",
        )
    seconds = _lock_timeout(url)
    file, named_by_uri = _file(url), _file_of_uri(url)
    if file is not None:
        make_room(file)
    elif named_by_uri is not None:
        refuse_emptied(named_by_uri)
    engine = sqlalchemy.create_engine(url.update_query_dict({"timeout": str(seconds)}))

    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        _prepare_sqlite(connection, seconds)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin_immediate)
    watched = file if file is not None else named_by_uri
    if watched is not None:
        watch_file(engine, watched)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, seconds: float) -> None:
    """Let readers work beside a writer, and put every commit on the disk before it returns."""
    connection.isolation_level = None  # the begin event below says BEGIN, not the driver
    _write_ahead(connection, seconds)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _write_ahead(connection: sqlite3.Connection, seconds: float) -> None:
    """Turn the file's write-ahead log on, unless it is; wait at most ``seconds`` for others.

    SQLite waits for readers here and not for a writer, whatever timeout the connection has. So it
    does not wait at all, and this does.
    """
    give_up = time.monotonic() + seconds
    connection.execute("PRAGMA busy_timeout = 0")
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                # Where that is not possible, as in memory, the old journal serves.
                connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
        time.sleep(_RETRY)
    connection.execute(f"PRAGMA busy_timeout = {round(1000 * seconds)}")


def _begin_immediate(connection: sqlalchemy.Connection) -> None:
    # A deferred transaction that turns into a writer fails at once if another one writes;
    # an immediate one waits for its turn. Readers say so and do not queue.
    reading = READING.items() <= connection.get_execution_options().items()
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def ledger_errors(doing: str, engine: Engine) -> Iterator[None]:
    """Raise the database's exceptions again as ours, without the password in the URL.

    Args:
        doing: What could not be done, as the start of a sentence.
        engine: Named in the message.

    Raises:
        LedgerError: The database failed.
    """
    try:
        yield
    except DBAPIError as error:
        # PostgreSQL adds the statement after a line break; the first line is the sentence.
        text = " ".join(str(error.orig).partition("\nLINE ")[0].split())
        raise LedgerError(
            f"{doing} in {database_name(engine)}: {text.rstrip('.')}.",
            hint=_hint(text),
        ) from error
    except SQLAlchemyError as error:
        raise LedgerError(
            f"{doing}: {' '.join(str(error).split())}.", hint="This is a defect; please report it."
        ) from error


_HINTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("locked", "lock timeout"),
        "Another program is writing; nothing was lost, so try again when it is done.",
    ),
    (
        ("readonly", "read-only", "unable to open"),
        "Check the permissions of the file and its folder, or set VIDIGREE_HOME.",
    ),
    (
        ("does not exist",),
        "Check the names in the URL; the database itself is not made for you.",
    ),
    (("password", "authentication"), "Check the user and the password in the URL."),
    (("full", "no space"), "Free some space; nothing was lost."),
    (
        ("not a database", "malformed"),
        "The file is damaged or no ledger; restore it from a backup.",
    ),
)


def _hint(text: str) -> str:
    """Return what to do about the commonest failures."""
    lowered = text.lower()
    for words, hint in _HINTS:
        if any(word in lowered for word in words):
            return hint
    return "Check that the database runs and can be reached."
