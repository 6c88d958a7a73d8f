"""Audits many clips: in parallel, in bounded memory, and from where it was interrupted."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from vidigree.detect.isolation import Answer, Job, WorkerLimits, WorkerPool
from vidigree.media.errors import OutputError

__all__ = ["Journal", "audit_batch"]

# A run on a file system without locks (some network ones) goes on without one.
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP})
_AHEAD = 2
"""Clips waiting per worker, so that none idles while answers are written."""


def audit_batch(
    names: Iterable[str],
    *,
    job: Job | None = None,
    jobs: int = 1,
    limits: WorkerLimits | None = None,
) -> Iterator[Answer]:
    """Audit many clips in separate processes; yield answers as they come.

    Args:
        names: Paths and URLs, read as they are needed.
        job: Settings of every audit; its name is replaced.
        jobs: Number of processes, at least 1.
        limits: Limits on each process.

    Yields:
        One answer for every name: a verdict or an error. A clip that brings its process down or
        takes too long costs one error.
    """
    template = job or Job(name="")
    waiting = iter(names)
    with WorkerPool(jobs, limits) as pool, ThreadPoolExecutor(jobs) as threads:
        running: set[Future[Answer]] = set()
        try:
            while True:
                for name in islice(waiting, _AHEAD * jobs - len(running)):
                    running.add(threads.submit(pool.audit, replace(template, name=name)))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            # Interrupted: threads that wait for a worker would hold the interpreter up.
            threads.shutdown(wait=False, cancel_futures=True)
            pool.close()
            raise


_SYNC_EVERY = 1.0
"""Seconds between two waits for the disk."""


_ROW = b'{"schema": "vidigree-verdict/'
"""What every row begins with."""


class Journal:
    """Answers on disk, one JSON row a line, each flushed before the next clip counts as done.

    One run at a time holds the file: two that went on from the same place would answer for the
    same clips.

    Args:
        path: The file; what is there is read, and a last line that was cut off is dropped.
        restart: Begin anew instead.

    Raises:
        OutputError: The file cannot be written, is not a journal, or another run writes it.
    """

    def __init__(self, path: Path, *, restart: bool = False) -> None:
        self.path = path
        self._done: set[str] = set()
        self._synced = time.monotonic()
        try:
            # File names need not be UTF-8; escaped so, JSON gives them back as they were.
            self._stream: TextIO = path.open("a", encoding="utf-8", errors="backslashreplace")
            try:
                self._hold()
                self._stream.truncate(0 if restart else self._read())
            except BaseException:
                self._stream.close()
                raise
        except OutputError:  # it is an OSError, too
            raise
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written: {error.strerror or error}.",
                hint="Check the folder and its permissions.",
            ) from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for the disk and close the file.

        Raises:
            OutputError: The disk is full, or the file cannot be written.
        """
        try:
            with self._stream:
                self._stream.flush()
                os.fsync(self._stream.fileno())
        except OSError as error:
            raise self._unwritten(error) from error

    def _hold(self) -> None:
        try:
            import fcntl
        except ImportError:  # Windows has no such lock
            return
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"Another run is writing {self.path}.",
                hint="Wait for it, or give another output file.",
            ) from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise

    def __contains__(self, name: object) -> bool:
        return name in self._done

    def __len__(self) -> int:
        return len(self._done)

    def add(self, row: dict[str, Any]) -> None:
        """Write a row; when this returns it survives a crash of the program.

        A crash of the machine may cost the rows since the last wait for the disk, of which there is
        one a second at most and one at the end: to wait every time would take longer than reading
        the credentials of a clip.

        Raises:
            OutputError: The disk is full, or the file cannot be written.
        """
        try:
            self._stream.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
            self._stream.flush()
            if time.monotonic() - self._synced > _SYNC_EVERY:
                os.fsync(self._stream.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise self._unwritten(error) from error
        self._done.add(str(row["file"]))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield all rows, those of earlier runs too."""
        with self.path.open(encoding="utf-8") as stream:
            for line in stream:
                yield json.loads(line)

    def _unwritten(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.path} cannot be written: {error.strerror or error}.",
            hint="Make room and run the same command again; it goes on from here.",
        )

    def _read(self) -> int:
        """Note what is done; return the length up to the end of the last whole line."""
        length = 0
        with self.path.open("rb") as stream:
            for line in stream:
                ours = line.startswith(_ROW) or _ROW.startswith(line)
                if ours and not line.endswith(b"\n"):
                    break  # a run was cut off
                try:
                    if not ours:
                        raise ValueError("a row of others")
                    self._done.add(str(json.loads(line)["file"]))
                except (ValueError, KeyError, TypeError) as error:
                    raise OutputError(
                        f"{self.path} is not a list of verdicts.",
                        hint="Give another output file, or --restart to replace it.",
                    ) from error
                length += len(line)
        return length
