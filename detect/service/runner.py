"""Takes jobs from the database and has them audited in worker processes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, cast

from vidigree.detect.evidence import Layer
from vidigree.detect.fetching import FetchLimits
from vidigree.detect.isolation import Answer, Job, WorkerLimits, WorkerPool
from vidigree.detect.service.gaps import without_own_places
from vidigree.detect.service.job_store import AuditJob, JobStore
from vidigree.detect.service.settings import ServiceSettings
from vidigree.detect.service.spool import Spool
from vidigree.detect.settings import AuditSettings
from vidigree.detect.worker import renamed
from vidigree.media.errors import VidigreeError
from vidigree.media.progress import Progress

__all__ = ["JobRunner"]

_POLL_SECONDS = 1.0
_SWEEP_SECONDS = 10.0

OnEvent = Callable[[str, AuditJob, Answer | None], None]


class JobRunner:
    """As many threads as there are workers, each with one job at a time.

    Args:
        settings: Of the service.
        store: Where the jobs are.
        spool: Where the uploads are.
        on_event: Called with ``"finished"``, ``"lost"`` (nobody waits for the answer any more) or
            ``"given-up"`` for every job that ends here; from these threads.
        on_trouble: Called with what the database says when it fails; the threads go on trying.
        on_output: Called with every line that a worker process writes to standard error.
        on_unexpected: Called with the job and the traceback of an error in a worker that nobody
            foresaw.

    Attributes:
        pool: The worker processes, for others that have clips to look at.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        store: JobStore,
        spool: Spool,
        *,
        on_event: OnEvent,
        on_trouble: Callable[[str], None],
        on_output: Callable[[str], None],
        on_unexpected: Callable[[Job, str], None],
    ) -> None:
        self._settings = settings
        self._store = store
        self._spool = spool
        self._on_event = on_event
        self._on_trouble = on_trouble
        self._stopping = threading.Event()
        self._wake = threading.Condition()
        self._waiting = 0
        self._lock = threading.Lock()
        self._leases: set[str] = set()
        limits = WorkerLimits(
            max_seconds=settings.job_seconds,
            max_memory_bytes=settings.worker_memory_bytes,
            # Files behind URLs are written by the workers.
            max_file_bytes=max(WorkerLimits.max_file_bytes, settings.max_upload_bytes),
        )
        self.pool = WorkerPool(
            settings.workers, limits, on_output=on_output, on_unexpected=on_unexpected
        )
        self._threads = [
            threading.Thread(target=self._work, name=f"audit-{number}", daemon=True)
            for number in range(settings.workers)
        ]
        self._threads.append(threading.Thread(target=self._keep_house, name="leases", daemon=True))

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the workers, put their jobs back into the queue, end the threads."""
        self._stopping.set()
        self.pool.close()
        with self._wake:
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout=10)

    @property
    def alive(self) -> bool:
        """Whether all threads are at work."""
        return all(thread.is_alive() for thread in self._threads)

    def wake(self) -> None:
        """Say that there is a new job."""
        with self._wake:
            self._waiting += 1
            self._wake.notify()

    def hold(self, job: AuditJob) -> None:
        """Renew the lease of a job that is being received, until :meth:`let_go`."""
        with self._lock:
            self._leases.add(str(job.lease))

    def let_go(self, job: AuditJob) -> None:
        """Stop renewing the lease of a job."""
        with self._lock:
            self._leases.discard(str(job.lease))

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                job = self._store.claim(self._spool.spool_id, on_given_up=self._given_up)
                if job is not None:
                    self._run(job)
                    continue
            except VidigreeError as error:
                self._on_trouble(error.message)
            except OSError as error:  # no process or no file could be had; the job's lease runs out
                self._on_trouble(f"A worker cannot go on for now: {error}.")
            except Exception:  # a defect: one job must not cost the service its threads
                logging.getLogger("vidigree.service").exception("unexpected-error")
            with self._wake:
                if self._waiting:
                    self._waiting -= 1
                elif not self._stopping.is_set():
                    self._wake.wait(_POLL_SECONDS)
                    self._waiting = max(0, self._waiting - 1)

    def _run(self, job: AuditJob) -> None:
        self.hold(job)
        try:
            answer = self.pool.audit(self._audit_job(job), progress=self._progress(job))
            if self._stopping.is_set():  # the worker was ended under it; that says nothing of it
                self._store.release(job)
                return
            keep = self._keep_seconds(job)
            kept = {"row": self._public(answer.row, job), "pictures": answer.pictures}
            ours = self._store.finish(job, kept, keep=keep)
        finally:
            self.let_go(job)
        if ours:
            self._spool.delete(job.job_id)
        self._on_event("finished" if ours else "lost", job, answer)

    def _keep_seconds(self, job: AuditJob) -> float:
        """Return how long the answer stays, at most, for a caller who does not fetch it."""
        settings, asked = self._settings, job.options.keep_seconds
        if not asked and not self._store.has_room(job.owner, settings.max_kept_bytes):
            return settings.linger_seconds
        return max(settings.result_seconds, asked)

    def _given_up(self, job: AuditJob) -> None:
        self._spool.delete(job.job_id)
        self._on_event("given-up", job, None)

    def _audit_job(self, job: AuditJob) -> Job:
        layers, weights = job.options.layers or self._settings.layers, self._settings.weights
        return Job(
            name=job.url or str(self._spool.path(job.job_id, job.name)),
            settings=AuditSettings(
                layers=cast("tuple[Layer, ...]", tuple(layers)),
                ledger=self._settings.ledger,
                max_seconds=self._settings.max_clip_seconds,
                weights=None if weights is None else str(weights.absolute()),
            ),
            fetch=FetchLimits(
                max_bytes=self._settings.max_upload_bytes,
                max_seconds=self._settings.upload_seconds,
                public_only=self._settings.public_only,
                min_rate=self._settings.min_fetch_rate,
            ),
            language=job.options.language,
            policy=job.options.policy,
            pictures=job.options.pictures,
        )

    def _progress(self, job: AuditJob) -> Progress:
        def report(step: str, done: int, total: int | None) -> None:
            try:
                self._store.report(job, step=step, done=done, total=total or 0)
            except VidigreeError as error:  # the audit is worth more than its progress
                self._on_trouble(error.message)

        return report

    def _public(self, row: dict[str, Any], job: AuditJob) -> dict[str, Any]:
        """Say the caller's name for the clip wherever the row says where it lay here, and no place.

        The folder of the spool may lie in that of our data, so the clip comes first.
        """
        public: dict[str, Any] = renamed(row, str(self._spool.path(job.job_id, job.name)), job.name)
        return without_own_places(public, self._settings.weights)

    def _keep_house(self) -> None:
        interval = min(self._settings.lease_seconds / 3, _SWEEP_SECONDS)
        while not self._stopping.wait(interval):
            # One by one: on a full disk the last makes the room that the others need.
            for step in (self._spool.renew, self._renew, self._store.sweep, self._sweep_uploads):
                try:
                    step()
                except (VidigreeError, OSError) as error:
                    self._on_trouble(str(error))

    def _renew(self) -> None:
        with self._lock:
            leases = sorted(self._leases)
        self._store.renew(leases)

    def _sweep_uploads(self) -> None:
        waiting = self._store.waiting_uploads(self._spool.spool_id)
        over = self._store.lease_time() - self._settings.lease_seconds
        self._spool.sweep(waiting, older_than=over)
