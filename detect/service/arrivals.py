"""Uploads that come in slowly: one address may not hold the queue with them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vidigree.detect.service.refusals import RefusalError

__all__ = ["Arrivals"]

_SLOW_SECONDS = 5.0


class Arrivals:
    """Counts uploads that have been coming in for some seconds, for each caller.

    An upload holds its place in the queue from its first byte on, and a byte now and then keeps it
    coming. Without a limit, one address could so take all places from everybody else.

    Args:
        most: Most of them for one caller.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._slow: Counter[str] = Counter()

    @asynccontextmanager
    async def counted(self, caller: str) -> AsyncIterator[None]:
        """Count an upload as long as it comes in, once it is slow; from the event loop only.

        Many may begin at once, as quick ones do; of those that turn out slow the last are cut off.

        Raises:
            RefusalError: As many as may come in slowly, now or when this one has become slow.
        """
        if self._full(caller):
            raise self._too_many()
        counted = False

        def become_slow() -> None:
            nonlocal counted
            if self._full(caller):
                limit.reschedule(loop.time())
                return
            counted = True
            self._slow[caller] += 1

        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as limit:
                timer = loop.call_later(_SLOW_SECONDS, become_slow)
                try:
                    yield
                finally:
                    timer.cancel()
                    if counted:
                        self._slow[caller] -= 1
                        self._slow += Counter()  # without those who have none left
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise self._too_many() from error

    def _full(self, caller: str) -> bool:
        return self._slow[caller] >= self._most

    def _too_many(self) -> RefusalError:
        return RefusalError(
            429,
            "TooManyUploads",
            f"{self._most} uploads of yours are still coming in.",
            hint="Send the next one when one of them is through.",
            retry_after=10,
        )
