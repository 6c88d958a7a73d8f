"""A limit on how often one caller may ask: the token bucket."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["RateLimiter"]

_MAX_CALLERS = 50_000


class RateLimiter:
    """A bucket of tokens for each caller, refilled evenly; one token is one request.

    The buckets are in memory: several services behind one balancer each allow the full rate.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # Caller -> tokens left, and when that was; least recently seen first.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str, per_minute: int) -> float:
        """Take one token.

        Args:
            caller: Who asks.
            per_minute: Size of the bucket, and the rate at which it is refilled.

        Returns:
            0.0 if there was a token, else the seconds until there is one.
        """
        now = self._clock()
        with self._lock:
            tokens, then = self._buckets.pop(caller, (float(per_minute), now))
            tokens = min(float(per_minute), tokens + (now - then) * per_minute / 60)
            allowed = tokens >= 1
            self._buckets[caller] = (tokens - 1 if allowed else tokens, now)
            if len(self._buckets) > _MAX_CALLERS:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else math.ceil((1 - tokens) * 60 / per_minute - 1e-6)
