"""Audits in separate processes with limits: a hostile file costs one error, not the service.

Decoders are large C programs; a file may crash them, hang them or make them swallow all memory.
Each worker is a process of its own with a limit on memory and on written files; whoever gives it a
job waits for so long and no longer. A worker that died or ran out of time is replaced.
"""

from __future__ import annotations

import errno
import json
import os
import queue
import selectors
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import IO, Any, cast

from vidigree.detect.fetching import FetchLimits
from vidigree.detect.settings import AuditSettings
from vidigree.detect.worker import error_row
from vidigree.media.errors import MediaError, UnsupportedMediaError, VidigreeError
from vidigree.media.progress import Progress, no_progress

__all__ = ["Answer", "Job", "WorkerLimits", "WorkerPool"]

_LONGEST_LINE = 16 << 10
_LONGEST_ANSWER = 64 << 20  # bytes, far above what reading a clip bounds
_LONGEST_WAIT = 3600.0  # the system's own calls take no more than some weeks
# -P: a file in the current folder that is called like a module must never be imported.
_WORKER = ("-P", "-m", "vidigree.detect.worker")


@dataclass(frozen=True, kw_only=True)
class WorkerLimits:
    """Limits on one worker process.

    Attributes:
        max_seconds: Longest time for one clip, fetching included.
        max_memory_bytes: Largest address space of a worker; ``None`` for no limit. Address space
            is more than memory in use: libraries alone map about 2 GiB.
        max_file_bytes: Largest file that a worker may write.
    """

    max_seconds: float = 600.0
    max_memory_bytes: int | None = 8 << 30
    max_file_bytes: int = 4 << 30


@dataclass(frozen=True, kw_only=True)
class Job:
    """One clip to audit.

    Attributes:
        name: Path or URL.
        settings: What to look for.
        fetch: Limits on fetching it.
        language: Language of the words.
        show_personal: Keep personal data.
        policy: Name or path of a policy; ``None`` for none.
        pictures: Number of thumbnails to bring back.
    """

    name: str
    settings: AuditSettings = field(default_factory=AuditSettings)
    fetch: FetchLimits = field(default_factory=FetchLimits)
    language: str = "en"
    show_personal: bool = False
    policy: str | None = None
    pictures: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the job as JSON values."""
        row = {name: getattr(self, name) for name in self.__dataclass_fields__}
        row["settings"] = self.settings.to_dict()
        row["fetch"] = asdict(self.fetch)
        return row

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Job:
        """Read what :meth:`to_dict` wrote."""
        parts = {
            "settings": AuditSettings.from_dict(row["settings"]),
            "fetch": FetchLimits(**row["fetch"]),
        }
        return cls(**(dict(row) | parts))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of a job.

    Attributes:
        row: The verdict or the error, in the published JSON form.
        exit_code: Exit code of the finding or of the error.
        pictures: Thumbnails: ``time`` in seconds and ``jpeg`` in base64.
    """

    row: dict[str, Any]
    exit_code: int
    pictures: list[dict[str, Any]] = field(default_factory=list)


class WorkerPool:
    """A fixed number of worker processes; use it as a context manager.

    Args:
        size: Number of workers, at least 1.
        limits: Limits on each.
        on_output: Told of every line that a worker writes to standard error, from threads of its
            own; ``None`` lets them go to the standard error of this process.
        on_unexpected: Told of every error in a worker that nobody foresaw: the job and the
            traceback, from the thread that asked; ``None`` writes the traceback to the standard
            error of this process.
    """

    def __init__(
        self,
        size: int,
        limits: WorkerLimits | None = None,
        *,
        on_output: Callable[[str], None] | None = None,
        on_unexpected: Callable[[Job, str], None] | None = None,
    ) -> None:
        self._limits = limits or WorkerLimits()
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        tell = on_unexpected or _to_standard_error
        self._workers = [_Worker(self._limits, on_output, tell) for _ in range(max(1, size))]
        for worker in self._workers:
            self._idle.put(worker)

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all workers, whatever they are doing; who waits for one gets an error."""
        for worker in self._workers:
            worker.stop(for_good=True)

    def audit(self, job: Job, *, progress: Progress = no_progress) -> Answer:
        """Audit one clip in the next idle worker; may be called from many threads.

        Args:
            job: The clip, and what to look for.
            progress: Told of every layer.

        Returns:
            The verdict or the error. This never raises for what a clip does.
        """
        with self._borrowed() as worker:
            try:
                return worker.ask(job, progress)
            except VidigreeError as error:
                row = error_row(job.name, error, job.policy)
                return Answer(row=row, exit_code=error.exit_code)

    @contextmanager
    def _borrowed(self) -> Iterator[_Worker]:
        worker = self._idle.get()
        try:
            yield worker
        finally:
            self._idle.put(worker)


def _to_standard_error(_: Job, traceback: str) -> None:
    sys.stderr.write(traceback)
    sys.stderr.flush()


def _new_folder() -> str:
    """Return a folder for temporary files; empty if there can be none, which few clips need."""
    try:
        return tempfile.mkdtemp(prefix="vidigree-worker-")
    except OSError:
        return ""


class _Worker:
    """One child process, started when first needed."""

    def __init__(
        self,
        limits: WorkerLimits,
        on_output: Callable[[str], None] | None,
        on_unexpected: Callable[[Job, str], None],
    ) -> None:
        self._limits = limits
        self._on_output = on_output
        self._on_unexpected = on_unexpected
        self._process: subprocess.Popen[bytes] | None = None
        # Its own, for temporary files: a process that is killed deletes none.
        self._folder = ""
        self._ended = False
        self._starting = threading.Lock()
        # Held by whoever reads the pipes: closed under a reader, they would never wake it.
        self._pipes = threading.RLock()

    def ask(self, job: Job, progress: Progress) -> Answer:
        with self._pipes:
            return self._ask(job, progress)

    def _ask(self, job: Job, progress: Progress) -> Answer:
        process = self._running()
        try:
            cast("Any", process.stdin).write(json.dumps(job.to_dict()).encode() + b"\n")
            cast("Any", process.stdin).flush()
            deadline = time.monotonic() + self._limits.max_seconds
            row = self._answer(process, deadline, progress)
        except (OSError, TimeoutError) as error:
            self.stop()
            if isinstance(error, TimeoutError):
                raise UnsupportedMediaError(
                    f"{job.name} takes longer than {self._limits.max_seconds:.0f} s to audit.",
                    hint="Raise the limit, or cut the clip into parts.",
                ) from error
            row = None
        except BaseException:  # interrupted: the answer would be taken for the next job's
            self.stop()
            raise
        if row is None:
            self.stop()
            raise MediaError(
                f"{job.name} brought the decoder down or needs too much memory.",
                hint="Re-encode it with a trusted tool, and audit that.",
            )
        if traceback := row.pop("traceback", ""):
            self._on_unexpected(job, traceback)
        return Answer(**row)

    def stop(self, *, for_good: bool = False) -> None:
        with self._starting:  # a process that is just being started must not be overlooked
            self._ended |= for_good
            process, self._process = self._process, None
            folder, self._folder = self._folder, ""
        if process is not None:
            process.kill()
            process.wait()  # a thread that reads its answer now meets the end of the pipe
        if folder:
            shutil.rmtree(folder, ignore_errors=True)  # the worker may have done it at its end
        if process is not None:
            with self._pipes:
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        try:
                            pipe.close()
                        except OSError:  # a write that was still buffered for the dead process
                            continue

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            # One thread a worker: the pool's size is the parallelism.
            environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} | os.environ
            with self._starting:
                if self._ended:
                    raise VidigreeError("The pool of workers is closed.", hint="Start it again.")
                self._folder = _new_folder()
                self._process = process = subprocess.Popen(  # noqa: S603 - our own module
                    [sys.executable, *_WORKER],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=None if self._on_output is None else subprocess.PIPE,
                    env=environment | self._surroundings(),
                    # Ctrl-C goes to the parent alone, which then ends its workers.
                    start_new_session=True,
                )
            if self._on_output is not None:
                self._listen(process, self._on_output)
            limits = json.dumps(asdict(self._limits) | {"folder": self._folder}).encode() + b"\n"
            cast("Any", process.stdin).write(limits)
            return process
        return self._process

    def _surroundings(self) -> dict[str, str]:
        """Return what a worker finds in its environment: our modules, a place for files."""
        variables = ("TMPDIR", "TEMP", "TMP") if self._folder else ()
        places = dict.fromkeys(variables, self._folder)
        return places | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    def _listen(self, process: subprocess.Popen[bytes], on_output: Callable[[str], None]) -> None:
        """Pass on what a process says, up to its end."""

        def pass_on(said: IO[bytes]) -> None:
            with said:
                while line := said.readline(_LONGEST_LINE):
                    on_output(line.decode("utf-8", "replace").rstrip("\r\n"))

        thread = threading.Thread(target=pass_on, args=(process.stderr,), daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the system has no thread left, as it may have no process
            self.stop()
            cast("Any", process.stderr).close()
            raise OSError(errno.EAGAIN, str(error)) from error

    @staticmethod
    def _answer(
        process: subprocess.Popen[bytes], deadline: float, progress: Progress
    ) -> dict[str, Any] | None:
        """Read lines from the process up to its answer.

        Returns:
            ``None`` if the process died before, or if the answer is longer than any clip has:
            whoever has taken over a decoder may write without end.
        """
        descriptor = cast("Any", process.stdout).fileno()
        held = bytearray()  # of a line that goes on
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                if not selector.select(min(left, _LONGEST_WAIT)):
                    continue
                block = os.read(descriptor, 1 << 16)
                if not block:
                    return None
                *lines, rest = block.split(b"\n")
                if lines:
                    lines[0] = bytes(held) + lines[0]
                    held.clear()
                held += rest
                if len(held) > _LONGEST_ANSWER:
                    return None
                for line in lines:
                    row: dict[str, Any] = json.loads(line)
                    if "progress" not in row:
                        return row
                    progress(*row["progress"])
