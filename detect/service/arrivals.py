"""Uploads that come in slowly: one address may not hold the queue with them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vidigree.detect.service.refusals import RefusalError

__all__ = ["Arrivals"]

_SLOW_SECONDS = 5.0


class Arrivals:
    """Counts uploads that have been coming in for some seconds, for each caller.

    An upload holds its place in the queue from its first byte on, and a byte now and then keeps it
    coming. Without a limit, one address could so take all places from everybody else.

    Args:
        most: Most of them for one caller.
        clock: Seconds that only grow.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._begun: defaultdict[str, list[float]] = defaultdict(list)

    @contextmanager
    def counted(self, caller: str) -> Iterator[None]:
        """Count an upload as long as it comes in; from the event loop only.

        Raises:
            RefusalError: As many as may come in slowly.
        """
        now = self._clock()
        if sum(now - begun > _SLOW_SECONDS for begun in self._begun[caller]) >= self._most:
            raise RefusalError(
                429,
                "TooManyUploads",
                f"{self._most} uploads of yours are still coming in.",
                hint="Send the next one when one of them is through.",
                retry_after=10,
            )
        self._begun[caller].append(now)
        try:
            yield
        finally:
            self._begun[caller].remove(now)
            if not self._begun[caller]:
                del self._begun[caller]
