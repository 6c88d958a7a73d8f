"""The folder in which uploads lie, each under the id of its job and under nothing else.

Uploads that are looked up and have no job lie under a random id of their own. That of a job stays
as long as its row says; these have none, and show by their time that somebody is at work on them.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from vidigree.media.errors import OutputError

__all__ = ["Spool"]

_JOB_ID = re.compile(r"[0-9a-f]{32}")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")


class Spool:
    """A folder for uploads that only its owner can read.

    Args:
        folder: Made if it is not there.

    Raises:
        OutputError: The folder cannot be made or written to.

    Attributes:
        spool_id: Random id, kept in the folder: services that share the folder share the id, and
            so may take up each other's uploads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: set[Path] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.spool_id = self._read_id()
        except OSError as error:
            raise OutputError(
                f"The spool folder {folder} cannot be used: {error.strerror or error}.",
                hint="Give another one with --spool.",
            ) from error

    @property
    def usable(self) -> bool:
        """Whether the folder is there and can be written to."""
        return os.access(self._folder, os.W_OK | os.X_OK)

    def path(self, job_id: str, name: str = "") -> Path:
        """Return where the upload of a job lies.

        Args:
            job_id: Of the job.
            name: What the caller calls the clip; only its suffix is used, for readers that go by
                it. Without a name: where the upload lies while it is coming in.
        """
        suffix = PurePosixPath(name).suffix.lower()
        return self._folder / f"{job_id}{suffix if _SUFFIX.fullmatch(suffix) else ''}"

    def settle(self, job_id: str, name: str) -> None:
        """Give a complete upload its suffix."""
        self.path(job_id).rename(self.path(job_id, name))

    def delete(self, job_id: str) -> None:
        """Delete the upload of a job, if it is there."""
        for path in self._folder.glob(f"{job_id}*"):
            path.unlink(missing_ok=True)

    @contextmanager
    def without_job(self) -> Iterator[Path]:
        """Give a place for an upload that has no job; what lies there afterwards is deleted."""
        path = self.path(secrets.token_hex(16))
        self._held.add(path)
        try:
            yield path
        finally:
            self._held.discard(path)
            path.unlink(missing_ok=True)

    def renew(self) -> None:
        """Say of the uploads without a job that this service still works on them."""
        now = time.time()
        for path in tuple(self._held):
            with contextlib.suppress(FileNotFoundError):  # not begun, or over meanwhile
                os.utime(path, (now, now))

    def sweep(self, keep: Collection[str], *, older_than: float) -> int:
        """Delete uploads of jobs that are no more, and of services that are; return how many.

        Args:
            keep: Ids of jobs that still need theirs.
            older_than: Only files last written or renewed before this time, seconds since 1970:
                the rows of newer ones may have been read too early, or they have none.
        """
        swept = 0
        for path in self._folder.iterdir():
            if not _JOB_ID.fullmatch(path.stem) or path.stem in keep:
                continue
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < older_than:
                    path.unlink()
                    swept += 1
        return swept

    def _read_id(self) -> str:
        path = self._folder / "spool-id"
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(16))
        return path.read_text(encoding="ascii").strip()
