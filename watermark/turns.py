"""Taking turns at a folder whose files are read, changed and written again."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["turn_at"]

_NO_LOCKS = frozenset({errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP})
"""What file systems that cannot lock a folder answer (NFS wants it open for writing)."""


@contextmanager
def turn_at(folder: Path) -> Iterator[None]:
    """Wait until nobody else who asks has a turn at ``folder``, and hold it until the end.

    The lock is on the folder itself: it leaves no file, and goes with the process that holds it.
    On file systems without such locks everybody has a turn at once.

    Args:
        folder: The folder; it exists.

    Raises:
        OSError: The folder cannot be opened.
    """
    try:
        import fcntl
    except ImportError:  # Windows has no such lock
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield
    finally:
        os.close(descriptor)
