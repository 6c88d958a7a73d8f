"""Audits many clips: in parallel, in bounded memory, and from where it was interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import islice

from vidigree.detect.isolation import Answer, Job, WorkerLimits, WorkerPool

__all__ = ["audit_batch"]

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
