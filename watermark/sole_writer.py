"""A file of secrets that one process at a time writes, and that is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from vidigree.media.errors import CredentialsError

__all__ = ["sole_writer"]


@contextmanager
def sole_writer(path: Path, *, doing: str) -> Iterator[BinaryIO]:
    """Give a stream to the new content of ``path``, mode 0600; it gets its name if all went well.

    The content is written to a sibling ending in ``.tmp``. Whoever makes that file new holds
    ``path``, and with it whatever else is written meanwhile, until the end.

    Args:
        path: The file; its folder exists.
        doing: What is being done, as the start of a sentence such as "The key is being made".

    Raises:
        CredentialsError: Somebody else is at it.
        OSError: The file cannot be written; nothing is left of it.
    """
    temporary = path.with_suffix(".tmp")
    try:
        # Made new, it is readable to its owner alone, and keeps a second writer out.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise CredentialsError(
            f"{doing} by somebody else, or that was cut off.",
            hint=f"Try again; if nobody is at it, remove {temporary}.",
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
