"""Places in the queue: as many as there are in all, and a part of them for each caller."""

from __future__ import annotations

import asyncio

from vidigree.detect.service.job_store import AuditJob, JobStore, new_job_id
from vidigree.detect.service.refusals import queue_full, too_many_at_once

__all__ = ["Places"]


class Places:
    """Gives jobs their places; from the event loop only.

    Without a limit, one caller could take all places from everybody else. Whose job is whose is
    known by the key in its row, or else remembered here, never written down: it is an address.

    Args:
        jobs: Where the jobs are.
        spool: Id of the spool folder.
        max_queue: Most jobs that are not finished.
    """

    def __init__(self, jobs: JobStore, *, spool: str, max_queue: int) -> None:
        self._jobs = jobs
        self._spool = spool
        self._max_queue = max_queue
        self._callers: dict[str, str] = {}  # by the id of their job
        self._coming: set[str] = set()  # ids whose row is being made

    async def take(self, caller: str, *, owner: str, most: int) -> AuditJob:
        """Make a job whose upload is coming in.

        Args:
            caller: Who asks.
            owner: Public id of the API key; empty without one.
            most: Most unfinished jobs of this caller.

        Returns:
            The job, held by its lease.

        Raises:
            RefusalError: The caller holds as many places as may, or all are taken.
        """
        made = self._callers.keys() - self._coming
        unfinished = await asyncio.to_thread(self._jobs.unfinished)
        for job_id in made - unfinished.keys():
            self._callers.pop(job_id, None)
        held = {job_id for job_id, name in self._callers.items() if name == caller}
        if owner:
            held |= {job_id for job_id, name in unfinished.items() if name == owner}
        if len(held) >= most:
            raise too_many_at_once(most)
        # Named before its row is there, so that it counts once, whoever sees that first.
        job_id = new_job_id()
        self._callers[job_id] = caller
        self._coming.add(job_id)
        try:
            job = await asyncio.to_thread(
                self._jobs.receive,
                job_id,
                owner=owner,
                spool=self._spool,
                max_queue=self._max_queue,
            )
            if job is None:
                raise queue_full()
            return job
        except BaseException:
            del self._callers[job_id]
            raise
        finally:
            self._coming.discard(job_id)
