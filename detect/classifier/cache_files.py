"""Files of the cache: there whole or not at all, and told by name where they are damaged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile
from zlib import error as ZlibError  # noqa: N812 - a class, whatever it is called

import numpy as np

from vidigree.media.errors import MediaError, OutputError
from vidigree.media.output import output_file

__all__ = ["read_cached", "write_cached"]

# What NumPy, and whoever takes its arrays apart, say of other files and of those that are cut off.
_DAMAGED = (BadZipFile, EOFError, KeyError, OSError, TypeError, ValueError, ZlibError)


@contextmanager
def read_cached(path: Path) -> Iterator[Any]:
    """Give the array, or the archive of arrays, of a file; nothing is ever unpickled.

    Yields:
        What ``numpy.load`` returns; the block takes it apart, and what fails there is damage.

    Raises:
        MediaError: The file cannot be read, or is damaged.
    """
    try:
        with path.open("rb") as stream:
            yield np.load(stream, allow_pickle=False)
    except _DAMAGED as error:
        raise MediaError(
            f"{path} in the cache cannot be read, or is damaged.",
            hint="Delete it; it is made anew.",
        ) from error


@contextmanager
def write_cached(path: Path) -> Iterator[IO[bytes]]:
    """Give a stream whose contents become the file if all went well.

    Raises:
        OutputError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The cache folder {path.parent} cannot be made.", hint="Give another --cache."
        ) from error
    with output_file(path, overwrite=True) as temporary, temporary.open("wb") as stream:
        yield stream
