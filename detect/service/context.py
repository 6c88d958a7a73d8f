"""What the routes share: one object per service process."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict

from sqlalchemy.engine import Engine
from starlette.requests import Request

from vidigree.detect.isolation import Answer, Job
from vidigree.detect.service.api_keys import ApiKeyStore
from vidigree.detect.service.database import open_database
from vidigree.detect.service.gaps import gaps
from vidigree.detect.service.job_store import AuditJob, JobStore
from vidigree.detect.service.journal import log_event, without_places
from vidigree.detect.service.metrics import ServiceMetrics
from vidigree.detect.service.places import Places
from vidigree.detect.service.rate import RateLimiter
from vidigree.detect.service.runner import JobRunner
from vidigree.detect.service.settings import ServiceSettings
from vidigree.detect.service.spool import Spool
from vidigree.watermark.ledger import Ledger

__all__ = ["ServiceContext", "context_of"]

_POLL_SECONDS = 1.0


class ServiceContext:
    """Database, queue, workers and measurements of a running service.

    Args:
        settings: Of the service.

    Raises:
        LedgerError: The database cannot be opened.
        OutputError: The spool folder cannot be used.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.engine: Engine = open_database(settings.ledger)
        self.ledger = Ledger.open(settings.ledger)
        self.jobs = JobStore(
            self.engine,
            lease_seconds=settings.lease_seconds,
            max_attempts=settings.max_attempts,
        )
        self.keys = ApiKeyStore(self.engine)
        self.rate = RateLimiter()
        self.spool = Spool(settings.spool)
        self.places = Places(self.jobs, spool=self.spool.spool_id, max_queue=settings.max_queue)
        self.metrics = ServiceMetrics()
        self.runner = JobRunner(
            settings,
            self.jobs,
            self.spool,
            on_event=self._on_job,
            on_trouble=self.on_trouble,
            on_output=self._on_output,
            on_unexpected=self._on_unexpected,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._finished: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._leaving = False

    def start(self) -> None:
        """Start working off the queue; call it from the event loop that serves requests."""
        self._loop = asyncio.get_running_loop()
        self.runner.start()
        log_event("service-started", workers=self.settings.workers)

    def leave(self) -> None:
        """Let go who waits for an audit: they are told where to ask once it goes on."""
        self._leaving = True
        for finished in self._finished.values():
            finished.set()

    def stop(self) -> None:
        """Stop, and put what is running back into the queue."""
        self.runner.stop()
        self.ledger.close()
        self.engine.dispose()
        log_event("service-stopped")

    async def wait(self, job: AuditJob, seconds: float) -> AuditJob | None:
        """Wait until a job is finished, the service ends, or for so long; return it as it is then.

        Another service may finish the job, so the database is asked now and then.
        """
        deadline = time.monotonic() + seconds
        finished = self._finished[job.job_id]
        try:
            while True:
                current = await asyncio.to_thread(self.jobs.find, job.job_id)
                left = deadline - time.monotonic()
                if current is None or current.state in {"done", "failed"}:
                    return current
                if left <= 0 or self._leaving:
                    return current
                try:
                    await asyncio.wait_for(finished.wait(), min(left, _POLL_SECONDS))
                except TimeoutError:
                    continue
        finally:
            self._finished.pop(job.job_id, None)

    def _on_job(self, event: str, job: AuditJob, answer: Answer | None) -> None:
        """Take note of a job that ended; called from the runner's threads."""
        seconds = time.time() - (job.started_at or time.time())
        if answer is None:  # given up: no audit, and its clip got no answer
            self.metrics.audits.labels("given-up").inc()
        elif event == "finished":
            self.metrics.audit_seconds.observe(seconds)
            self.metrics.audits.labels(str(answer.row.get("finding", "error"))).inc()
            for layer, why in gaps(answer.row).items():
                self.metrics.gaps.labels(layer).inc()
                told = without_places(why, self._place(job))
                log_event("layer-not-checked", level=logging.WARNING, layer=layer, why=told)
        log_event(f"audit-{event}", seconds=round(seconds, 3), attempts=job.attempts)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._notify, job.job_id)

    def _place(self, job: AuditJob) -> str:
        return job.url or str(self.spool.path(job.job_id, job.name))

    def _notify(self, job_id: str) -> None:
        if job_id in self._finished:
            self._finished[job_id].set()

    @staticmethod
    def on_trouble(message: str) -> None:
        """Log what the database or the disk says."""
        log_event("database-trouble", level=logging.ERROR, message=message)

    @staticmethod
    def _on_output(line: str) -> None:
        """Log what a library in a worker prints."""
        log_event("worker-output", level=logging.WARNING, line=line)

    @staticmethod
    def _on_unexpected(job: Job, traceback: str) -> None:
        """Log the traceback of a defect in a worker, without the URL or the place of the clip."""
        told = without_places(traceback, job.name)
        log_event("unexpected-error", level=logging.ERROR, exception=told)


def context_of(request: Request) -> ServiceContext:
    """Return the context of the service that got the request."""
    context: ServiceContext = request.app.state.context
    return context
