"""Output files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av.error

from vidigree.media.errors import OutputError, VidigreeError

__all__ = ["check_target", "output_error", "output_file", "scratch_file"]

# What file systems without hard links answer.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def output_error(path: Path, error: OSError | av.error.FFmpegError) -> OutputError:
    """Return the error to raise when writing ``path`` failed with ``error``."""
    if error.errno == errno.ENOSPC:
        return OutputError(
            f"{path} cannot be written: the disk is full.",
            hint="Free some space or choose another disk.",
        )
    if error.errno == errno.ENOMEM:
        return OutputError(
            f"{path} cannot be written: there is not enough memory.",
            hint="Free some, or raise the limit.",
        )
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return OutputError(
        f"{path} cannot be written: {reason}.", hint="Check the folder and its permissions."
    )


@contextmanager
def output_file(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it into place only if all went well.

    Args:
        path: Where the finished file shall be.
        overwrite: Whether an existing file may be replaced.

    Yields:
        A path in the same folder with the same suffix, not existing yet. On success it is flushed
        to the disk and renamed; on any exception, Ctrl-C included, it is deleted.

    Raises:
        OutputError: The folder is missing or not writable, ``path`` is a folder, or exists.
    """
    check_target(path, overwrite=overwrite)
    temporary = _temporary(path)
    try:
        # Created at once, so that an unwritable folder is found before the work, not after it.
        temporary.touch(mode=0o644, exist_ok=False)
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        _place(temporary, path, overwrite=overwrite)
        _sync_folder(path.parent)
    except VidigreeError:  # some of ours are OSErrors too, and know better what happened
        raise
    except OSError as error:
        if not _concerns(error, temporary, path):
            raise
        raise output_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _place(temporary: Path, path: Path, *, overwrite: bool) -> None:
    """Give a finished file its name; of several writers of one name, one does.

    Raises:
        OutputError: ``path`` exists and may not be replaced.
    """
    if not overwrite:
        try:
            os.link(temporary, path)
        except FileExistsError as error:
            raise _exists(path) from error
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if path.exists():
                raise _exists(path) from error
        else:
            return
    temporary.replace(path)


@contextmanager
def scratch_file(beside: Path) -> Iterator[Path]:
    """Give a temporary path in the folder of ``beside``, with its suffix; always deleted.

    For intermediate results that must be on the same disk as the output.
    """
    temporary = _temporary(beside)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    # Names are limited in bytes; a character has up to four, if the locale has it.
    stem = os.fsencode(path.stem)[:80].decode(sys.getfilesystemencoding(), errors="ignore")
    return path.with_name(f".{stem}.{secrets.token_hex(6)}.part{path.suffix}")


def check_target(path: Path, *, overwrite: bool = False) -> None:
    """Refuse what :func:`output_file` would refuse at its start, for work that comes before it.

    Raises:
        OutputError: The folder is missing, ``path`` is a folder, a device or too long, or exists.
    """
    parent = path.parent
    try:
        if b"\0" in os.fsencode(path):  # pathlib says of such a name that nothing has it
            raise ValueError("it holds a zero byte")
        if path.is_dir():
            raise OutputError(f"{path} is a folder.", hint="Give a file name for the output.")
        if not parent.exists():
            raise OutputError(f"There is no folder {parent}.", hint="Make it first.")
        if not parent.is_dir():
            raise OutputError(f"{parent} is not a folder.", hint="Choose another output path.")
        if path.exists() and not overwrite:
            raise _exists(path)
        if path.exists() and not path.is_file():
            # A finished file would take the place of the device.
            raise OutputError(f"{path} is not a regular file.", hint="Choose another output path.")
    except OutputError:
        raise
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise OutputError(
            f"{str(path)[:200]!r} is not a usable file name: {reason}.", hint="Choose another one."
        ) from error


def _exists(path: Path) -> OutputError:
    return OutputError(
        f"{path} exists already.",
        hint="Choose another name, or allow it to be overwritten (--overwrite).",
    )


def _concerns(error: OSError, *paths: Path) -> bool:
    """Tell whether an error is about one of the paths; others belong to whoever raised them."""
    named = {str(path) for path in paths}
    return error.filename is None or str(error.filename) in named


def _sync_folder(folder: Path) -> None:
    # Not every file system can sync a folder; the file itself has been synced already.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
