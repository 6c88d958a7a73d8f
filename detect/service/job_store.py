"""Jobs in the ledger's database: claimed by one worker at a time, never lost by a restart.

A job is *received* (its upload is coming in), *queued*, *running*, then *done* (it has an answer,
be it a verdict or an error about the clip) or *failed* (the service could not do it). Receiving
and running jobs are held by a lease that their service renews; when a service dies the lease runs
out, a running job is taken up again, and a half-received one is forgotten. Where several versions
share the database, as while they are exchanged, a job of a newer one is left to it for a while.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from vidigree.detect.service.job_row import (
    ILLEGIBLE,
    AuditJob,
    JobOptions,
    JobState,
    failure,
    job_of,
)
from vidigree.detect.service.lease_clock import LeaseClock
from vidigree.detect.service.schema import jobs
from vidigree.watermark.ledger.connection import READING, ledger_errors

__all__ = ["AuditJob", "JobOptions", "JobState", "JobStore", "new_job_id"]

_ALIVE = ("receiving", "queued", "running")
_LEFT_SECONDS = 3600.0


class JobStore:
    """The jobs of one or many services; safe across threads and processes.

    Args:
        engine: Database with the service's tables.
        lease_seconds: How long a lease holds without being renewed.
        max_attempts: How often a job is taken up before it is given up.
    """

    def __init__(self, engine: Engine, *, lease_seconds: float, max_attempts: int) -> None:
        self._engine = engine
        self._lease_seconds = lease_seconds
        self._max_attempts = max_attempts
        self._leases = LeaseClock(lease_seconds)
        # Jobs that are left to a newer version, and since when none of them was seen to be taken
        # up; replaced, never changed, by any thread.
        self._left: frozenset[str] = frozenset()
        self._left_since = 0.0

    def receive(
        self, job_id: str | None = None, *, owner: str, spool: str, max_queue: int
    ) -> AuditJob | None:
        """Make a job whose upload is coming in, unless the queue is full.

        Args:
            job_id: From :func:`new_job_id`; ``None`` takes a new one.
            owner: Public id of the API key; empty without one.
            spool: Id of the spool folder.
            max_queue: Most jobs that are not finished.

        Returns:
            The job, held by its lease; ``None`` if the queue is full.
        """
        now, job_id = time.time(), job_id or new_job_id()
        values = {
            "id": job_id,
            "state": "receiving",
            "created_at": now,
            "lease": secrets.token_hex(16),
            "lease_until": now + self._lease_seconds,
            "attempts": 0,
            "spool": spool,
            "url": "",
            "name": "",
            "owner": owner,
            "options": json.dumps(asdict(JobOptions())),
            "step": "",
            "steps_done": 0,
            "steps_total": 0,
            "answer": "",
        }
        alive = sa.select(sa.func.count()).select_from(jobs).where(jobs.c.state.in_(_ALIVE))
        with self._errors("The job cannot be kept"), self._engine.begin() as connection:
            self._serialize(connection)
            if connection.execute(alive).scalar_one() >= max_queue:
                return None
            connection.execute(sa.insert(jobs).values(values))
            return job_of(connection.execute(_by_id(job_id)).one())

    def enqueue(self, job: AuditJob, *, name: str, options: JobOptions, url: str = "") -> bool:
        """Put a received job in the queue; return whether it was still held.

        Args:
            job: From :meth:`receive`.
            name: What the caller calls the clip.
            options: What was asked for.
            url: Where the clip lies; then nothing is expected in the spool folder.
        """
        values = {
            "state": "queued",
            "lease": None,
            "lease_until": None,
            "url": url,
            "name": name,
            "options": json.dumps(asdict(options)),
        }
        if url:
            values["spool"] = ""
        return self._change(job, "receiving", values)

    def claim(
        self, spool: str, *, on_given_up: Callable[[AuditJob], None] | None = None
    ) -> AuditJob | None:
        """Take the oldest job that waits or whose worker died; ``None`` if there is none.

        A job that was taken up too often, or cannot be read, is marked as failed instead; so is one
        of a newer version, made over an hour ago, if that took up none for an hour.

        Args:
            spool: Id of this service's spool folder; uploads in others are left alone.
            on_given_up: Told of every job that is.
        """
        while True:
            job = self._claim(spool)
            readable = job is None or (job.legible and not job.of_newer)
            if job is None or (readable and job.attempts <= self._max_attempts):
                return job
            answer = failure("The audit was interrupted too often.") if readable else ILLEGIBLE
            if self.finish(job, answer, state="failed", keep=3600.0) and on_given_up is not None:
                on_given_up(job)

    def renew(self, leases: Sequence[str]) -> None:
        """Hold jobs for another lease."""
        if not leases:
            return
        change = (
            sa.update(jobs)
            .where(jobs.c.lease.in_(leases))
            .values(lease_until=time.time() + self._lease_seconds)
        )
        with self._errors("A lease cannot be renewed"), self._engine.begin() as connection:
            connection.execute(change)

    def report(self, job: AuditJob, *, step: str, done: int, total: int) -> None:
        """Write down how far a running job is."""
        values = {"step": step, "steps_done": done, "steps_total": total}
        self._change(job, "running", values)

    def finish(
        self,
        job: AuditJob,
        answer: dict[str, Any],
        *,
        state: Literal["done", "failed"] = "done",
        keep: float,
    ) -> bool:
        """Write down the answer; return False if another worker has the job by now.

        Args:
            job: From :meth:`claim`.
            answer: ``row`` and ``pictures``.
            state: Whether there is an answer about the clip.
            keep: Seconds until the answer is deleted.
        """
        now, text = time.time(), json.dumps(answer)  # ASCII: as many bytes as signs
        values = {
            "state": state,
            "finished_at": now,
            "expires_at": now + keep,
            "lease": None,
            "lease_until": None,
            "answer": text,
            "answer_bytes": len(text),
            "url": "",
        }
        return self._change(job, "running", values)

    def release(self, job: AuditJob) -> None:
        """Put a running job back: the service ends before the audit does."""
        values = {
            "state": "queued",
            "lease": None,
            "lease_until": None,
            "attempts": jobs.c.attempts - 1,
        }
        self._change(job, "running", values)

    def find(self, job_id: str) -> AuditJob | None:
        """Return a job, ``None`` if there is none (any more)."""
        if "\0" in job_id:  # PostgreSQL refuses such texts
            return None
        with self._errors("The job cannot be read"), self._reading() as connection:
            row = connection.execute(_by_id(job_id)).one_or_none()
        return None if row is None else job_of(row)

    def ahead(self, job: AuditJob) -> int:
        """Return the number of jobs that wait or run before this one."""
        query = (
            sa.select(sa.func.count())
            .select_from(jobs)
            .where(jobs.c.state.in_(("queued", "running")), jobs.c.created_at < job.created_at)
        )
        with self._errors("The queue cannot be read"), self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def count(self) -> dict[str, int]:
        """Return the number of jobs in each state."""
        query = sa.select(jobs.c.state, sa.func.count()).group_by(jobs.c.state)
        with self._errors("The queue cannot be read"), self._reading() as connection:
            return {state: int(number) for state, number in connection.execute(query)}

    def unfinished(self) -> dict[str, str]:
        """Return the ids of the jobs that are not finished, each with its owner."""
        query = sa.select(jobs.c.id, jobs.c.owner).where(jobs.c.state.in_(_ALIVE))
        with self._errors("The queue cannot be read"), self._reading() as connection:
            return {row.id: row.owner for row in connection.execute(query)}

    def has_room(self, owner: str, max_bytes: int) -> bool:
        """Say whether one more answer may be kept for long.

        Args:
            owner: Public id of the API key; all callers without one count as one.
            max_bytes: Most bytes of answers, in all; one owner has half of that.
        """
        query = (
            sa.select(jobs.c.owner, sa.func.sum(jobs.c.answer_bytes).label("size"))
            .where(jobs.c.answer_bytes.is_not(None))
            .group_by(jobs.c.owner)
        )
        with self._errors("The queue cannot be read"), self._reading() as connection:
            kept = {row.owner: int(row.size) for row in connection.execute(query)}
        return sum(kept.values()) < max_bytes and 2 * kept.get(owner, 0) < max_bytes

    def expire_soon(self, job: AuditJob, seconds: float) -> None:
        """Let the answer of a finished job go, at the latest in so many seconds."""
        until = time.time() + seconds
        change = (
            sa.update(jobs)
            .where(jobs.c.id == job.job_id, jobs.c.expires_at > until)
            .values(expires_at=until)
        )
        with self._errors("The job cannot be changed"), self._engine.begin() as connection:
            connection.execute(change)

    def delete(self, job_id: str) -> None:
        """Forget a job and its answer; a worker that is at it finishes for nothing."""
        with self._errors("The job cannot be deleted"), self._engine.begin() as connection:
            connection.execute(sa.delete(jobs).where(jobs.c.id == job_id))

    def sweep(self) -> int:
        """Forget answers whose time is over and uploads whose service died; return how many."""
        over = sa.or_(
            jobs.c.expires_at < time.time(),
            sa.and_(jobs.c.state == "receiving", jobs.c.lease_until < self.lease_time()),
        )
        with self._errors("Old jobs cannot be deleted"), self._engine.begin() as connection:
            return int(connection.execute(sa.delete(jobs).where(over)).rowcount)

    def waiting_uploads(self, spool: str) -> set[str]:
        """Return the ids of the jobs whose upload must stay in a spool folder."""
        alive = jobs.c.lease_until >= self.lease_time()
        coming = sa.and_(jobs.c.state == "receiving", alive)
        needed = sa.or_(jobs.c.state.in_(("queued", "running")), coming)
        query = sa.select(jobs.c.id).where(jobs.c.spool == spool, needed)
        with self._errors("The queue cannot be read"), self._reading() as connection:
            return set(connection.execute(query).scalars())

    def lease_time(self) -> float:
        """Return the time, in seconds since 1970, before which leases that ended are over."""
        return self._leases.over()

    def _claim(self, spool: str) -> AuditJob | None:
        while True:
            now = time.time()
            free = self._free(spool, now)
            locked = free.with_for_update(skip_locked=True)
            with self._errors("No job can be claimed"):
                with self._reading() as connection:  # mostly there is nothing to lock for
                    if connection.execute(free).first() is None:
                        return None
                with self._engine.begin() as connection:
                    found = connection.execute(locked).one_or_none()
                    if found is None:
                        return None
                    if self._leave(connection, job_of(found), now):
                        continue
                    values = {
                        "state": "running",
                        "started_at": now,
                        "lease": secrets.token_hex(16),
                        "lease_until": now + self._lease_seconds,
                        "attempts": jobs.c.attempts + 1,
                        "step": "",
                        "steps_done": 0,
                        "steps_total": 0,
                    }
                    connection.execute(sa.update(jobs).where(jobs.c.id == found.id).values(values))
                    return job_of(connection.execute(_by_id(found.id)).one())

    def _free(self, spool: str, now: float) -> sa.Select[Any]:
        """Return the query for the oldest job that may be claimed."""
        oldest = now - _LEFT_SECONDS
        ours: sa.ColumnElement[bool] = jobs.c.id.not_in(self._left)
        if self._left_since < oldest:
            ours = sa.or_(ours, jobs.c.created_at < oldest)
        return (
            sa.select(jobs)
            .where(self._waiting(), jobs.c.spool.in_(("", spool)), ours)
            .order_by(jobs.c.created_at)
            .limit(1)
        )

    def _leave(self, connection: sa.Connection, job: AuditJob, now: float) -> bool:
        """Say whether a job is left to a newer version, and pass it over from now on.

        One that takes up others of these jobs is alive, however long the line before this one is.
        """
        if not job.of_newer:
            return False
        oldest = now - _LEFT_SECONDS
        if self._left_since < oldest:
            waiting = self._still_waiting(connection)
            if not waiting or waiting != self._left:
                self._left, self._left_since = waiting, now
            elif job.created_at < oldest:
                self._left = waiting - {job.job_id}
                return False
        self._left |= {job.job_id}
        return True

    def _still_waiting(self, connection: sa.Connection) -> frozenset[str]:
        left = sa.select(jobs.c.id).where(jobs.c.id.in_(self._left), self._waiting())
        return frozenset(connection.execute(left).scalars())

    def _waiting(self) -> sa.ColumnElement[bool]:
        """Return the condition for jobs that wait, or whose worker died."""
        dead = sa.and_(jobs.c.state == "running", jobs.c.lease_until < self.lease_time())
        return sa.or_(jobs.c.state == "queued", dead)

    def _change(self, job: AuditJob, state: JobState, values: dict[str, Any]) -> bool:
        """Change a job that is still ours; the lease tells."""
        change = (
            sa.update(jobs)
            .where(jobs.c.id == job.job_id, jobs.c.state == state, jobs.c.lease == job.lease)
            .values(values)
        )
        with self._errors("The job cannot be changed"), self._engine.begin() as connection:
            return bool(connection.execute(change).rowcount)

    @staticmethod
    def _serialize(connection: sa.Connection) -> None:
        # SQLite has one writer at a time; PostgreSQL would let two count the same free place.
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7105301944)")

    def _reading(self) -> sa.Connection:
        return self._engine.connect().execution_options(**READING)

    def _errors(self, doing: str) -> AbstractContextManager[None]:
        return ledger_errors(doing, self._engine)


def new_job_id() -> str:
    """Return an id that nobody guesses: 128 random bits in hex."""
    return secrets.token_hex(16)


def _by_id(job_id: str) -> sa.Select[Any]:
    return sa.select(jobs).where(jobs.c.id == job_id)
