"""How many clips are looked up at a time; the others wait outside the threads of the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio
import anyio.to_thread

from vidigree.detect.service.refusals import queue_full, too_many_at_once

__all__ = ["LookUps"]

Result = TypeVar("Result")


class LookUps:
    """Threads for work that takes seconds to minutes, and a bounded queue before them.

    The threads that ask the database are few and shared by all routes. Work that waits for a
    worker process must not wait in them: a handful of it would leave none to anybody else.

    Args:
        at_a_time: Most that run at one time.
        max_unfinished: Most that come in, wait or run at one time.
        max_per_caller: Most of these of one caller.
    """

    def __init__(self, at_a_time: int, max_unfinished: int, max_per_caller: int) -> None:
        self._limiter = anyio.CapacityLimiter(at_a_time)
        self._max_unfinished = max_unfinished
        self._max_per_caller = max_per_caller
        self._unfinished: Counter[str] = Counter()

    @asynccontextmanager
    async def place(self, caller: str) -> AsyncIterator[None]:
        """Hold a place in the queue; take it before the clip is received.

        Raises:
            RefusalError: The caller holds as many places as may, or all are taken.
        """
        if self._unfinished[caller] >= self._max_per_caller:
            raise too_many_at_once(self._max_per_caller)
        if self._unfinished.total() >= self._max_unfinished:
            raise queue_full()
        self._unfinished[caller] += 1
        try:
            yield
        finally:
            self._unfinished[caller] -= 1
            self._unfinished += Counter()  # without those who have none left

    async def run(self, work: Callable[[], Result]) -> Result:
        """Wait for a thread and do the work in it; in a place only.

        Args:
            work: Is waited for even if the caller goes away: the clip it reads must stay so long.
        """
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)
