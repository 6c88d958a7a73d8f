"""Verdicts on disk, written so that a run that was interrupted goes on where it was."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Container, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from vidigree.detect.inputs import is_url
from vidigree.media.errors import OutputError

__all__ = ["Journal"]

# A run on a file system without locks (some network ones) goes on without one.
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP})
_SYNC_EVERY = 1.0
"""Seconds between two waits for the disk."""


_ROW = b'{"schema": "vidigree-verdict/'
"""What every row begins with."""


class Journal:
    """Answers on disk, one JSON row a line, each flushed before the next clip counts as done.

    Every row says in ``audited`` by which options it came about, and how long and how old the file
    was. One run at a time holds the file: two that went on from the same place would answer for the
    same clips.

    Args:
        path: The file; what is there is read, and a last line that was cut off is dropped.
        options: What stands for the options of the run; rows of others are refused.
        names: Clips of this run. Their rows are dropped, and they do not count as done, if they
            could not be audited or their file is another one since.
        restart: Begin anew instead.

    Attributes:
        again: Number of rows that were dropped.

    Raises:
        OutputError: The file cannot be written, is not a journal or one of other options, or
            another run writes it.
    """

    def __init__(
        self,
        path: Path,
        *,
        options: str = "",
        names: Container[str] = (),
        restart: bool = False,
    ) -> None:
        self.path = path
        self.again = 0
        self._options = options
        self._done: set[str] = set()
        self._begun: dict[str, dict[str, int]] = {}
        self._synced = time.monotonic()
        try:
            self._stream = self._hold()
            try:
                if restart:
                    self._stream.truncate(0)
                else:
                    self._go_on(names)
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

    def _hold(self) -> TextIO:
        """Open the file and lock it."""
        while True:
            stream = _appending(self.path)
            try:
                self._lock(stream)
                # Another run may have put its own in place while this one waited to open it.
                if os.path.samestat(os.fstat(stream.fileno()), self.path.stat()):
                    return stream
            except FileNotFoundError:  # taken away just now
                pass
            except BaseException:
                stream.close()
                raise
            stream.close()

    def _lock(self, stream: TextIO) -> None:
        try:
            import fcntl
        except ImportError:  # Windows has no such lock
            return
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
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

    def begin(self, name: str) -> None:
        """Note what a file is before it is audited: one that changes meanwhile is told by it."""
        self._begun[name] = _state(name)

    def add(self, row: dict[str, Any]) -> None:
        """Write a row; when this returns it survives a crash of the program.

        A crash of the machine may cost the rows since the last wait for the disk, of which there is
        one a second at most and one at the end: to wait every time would take longer than reading
        the credentials of a clip.

        Raises:
            OutputError: The disk is full, or the file cannot be written.
        """
        name = str(row["file"])
        row = row | {"audited": {"options": self._options, **self._begun.pop(name, {})}}
        try:
            self._stream.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
            self._stream.flush()
            if time.monotonic() - self._synced > _SYNC_EVERY:
                os.fsync(self._stream.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise self._unwritten(error) from error
        self._done.add(name)

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

    def _go_on(self, names: Container[str]) -> None:
        """Note what is done, and take away what is not or will be done again."""
        length, dropped = 0, set()
        with self.path.open("rb") as stream:
            for number, line in enumerate(stream):
                ours = line.startswith(_ROW) or _ROW.startswith(line)
                if ours and not line.endswith(b"\n"):
                    break  # a run was cut off
                row = self._row(line) if ours else None
                if row is None:
                    raise OutputError(
                        f"{self.path} is not a list of verdicts.",
                        hint="Give another output file, or --restart to replace it.",
                    )
                name = row["file"]
                if name in names and ("error" in row or _changed(name, row["audited"])):
                    dropped.add(number)
                else:
                    self._done.add(name)
                length += len(line)
        self._stream.truncate(length)
        self.again = len(dropped)
        if dropped:
            self._drop(dropped)

    def _row(self, line: bytes) -> dict[str, Any] | None:
        """Return a row of these options; ``None`` if it is none at all."""
        try:
            row: dict[str, Any] = json.loads(line)
            if not isinstance(row["file"], str):
                return None
            options = row.get("audited", {}).get("options")
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        if options != self._options:
            raise OutputError(
                f"{self.path} holds verdicts of other options.",
                hint="Give those options or another output file, or --restart to replace it.",
            )
        return row

    def _drop(self, numbers: set[int]) -> None:
        """Put a file without some rows in the place of this one, whole or not at all."""
        place = Path(os.path.realpath(self.path))
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=place.parent)
        os.close(handle)
        try:
            shutil.copymode(place, name)
            stream = _appending(Path(name))
            try:
                self._lock(stream)
                with place.open(encoding="utf-8", newline="\n") as lines:
                    stream.writelines(
                        line for number, line in enumerate(lines) if number not in numbers
                    )
                stream.flush()
                os.fsync(stream.fileno())
                Path(name).replace(place)
            except BaseException:
                stream.close()
                raise
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self._stream.close()
        self._stream = stream


def _appending(path: Path) -> TextIO:
    # File names need not be UTF-8; escaped so, JSON gives them back as they were.
    return path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n")


def _state(name: str) -> dict[str, int]:
    """Return the size of a file in bytes and its time in microseconds; nothing for a URL."""
    if is_url(name):
        return {}
    try:
        found = Path(name).stat()
    except (OSError, ValueError):  # told when it is audited
        return {}
    return {"bytes": found.st_size, "modified": found.st_mtime_ns // 1000}


def _changed(name: str, audited: dict[str, Any]) -> bool:
    """Whether a file is another one now; of one that is gone, or a URL, nothing is known."""
    return any(audited.get(key) != value for key, value in _state(name).items())
