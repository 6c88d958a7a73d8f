"""What callers from Python hand in: refused in one sentence where it is of another kind."""

from __future__ import annotations

import os
from pathlib import Path

from vidigree.media.errors import UsageError

__all__ = ["check_kind", "check_not_empty", "check_offers", "path_of"]


def path_of(given: object, what: str) -> Path:
    """Return a path that was given as text, or as what stands for a path.

    Args:
        given: A :class:`str` or :class:`os.PathLike`.
        what: What it names, for the message.

    Raises:
        UsageError: It is of another kind, or empty text, which :class:`pathlib.Path` takes for the
            current folder.
    """
    if isinstance(given, Path):
        return given
    text = os.fspath(given) if isinstance(given, os.PathLike) else given
    if not isinstance(text, str):
        raise UsageError(
            f"The {what} is of type {type(given).__name__}, which is no path.",
            hint="Give a str or a pathlib.Path.",
        )
    if not text:
        raise UsageError(f"The {what} has an empty name.", hint="Give a path.")
    return Path(text)


def check_kind(given: object, kind: type, what: str) -> None:
    """Refuse what is not of a kind.

    Args:
        given: What the caller handed in.
        kind: The class that it must be of.
        what: What it is for, for the message.

    Raises:
        UsageError: It is of another class.
    """
    if not isinstance(given, kind):
        package = kind.__module__.rpartition(".")[0]
        raise UsageError(
            f"What was given as {what} is of type {type(given).__name__}, not {kind.__name__}.",
            hint=f"Give a {package}.{kind.__name__}." if package else f"Give a {kind.__name__}.",
        )


def check_offers(given: object, method: str, what: str, *, hint: str) -> None:
    """Refuse what lacks a method that it is given for.

    Args:
        given: What the caller handed in.
        method: Name of the method.
        what: What it is for, for the message.
        hint: What to give instead.

    Raises:
        UsageError: It has no such method.
    """
    if not callable(getattr(given, method, None)):
        raise UsageError(
            f"What was given as {what} is of type {type(given).__name__}, which has no {method}().",
            hint=hint,
        )


def check_not_empty(given: str | None, what: str) -> None:
    """Refuse empty text, as a script hands it in whose variable is not set.

    Args:
        given: Text, or ``None`` for the default.
        what: What it names, for the message.

    Raises:
        UsageError: It is empty.
    """
    if given == "":
        raise UsageError(f"The {what} is empty.", hint="Give one, or leave it out for the default.")
