"""Tells which leases are over, even where the clock is set forward or the machine slept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["LeaseClock"]

_JUMP_SECONDS = 1.0


class LeaseClock:
    """Goes by the time of day, but waits after a jump until all who live had time to renew.

    By a clock that jumped, every lease is over at once, and jobs that are at work would be taken up
    a second time.

    Args:
        lease_seconds: How long a lease holds; who lives renews it several times meanwhile.
        clock: Seconds since 1970.
        steady: Seconds that only grow, and never jump.
    """

    def __init__(
        self,
        lease_seconds: float,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._steady = steady
        self._lock = threading.Lock()
        self._ahead = clock() - steady()
        self._jumped = self._wait_until = 0.0

    def over(self) -> float:
        """Return the time, in seconds since 1970, before which leases that ended are over.

        Ask every few seconds at least: what the clock drifts between is no jump.
        """
        with self._lock:
            now, steady = self._clock(), self._steady()
            jump, self._ahead = now - steady - self._ahead, now - steady
            if steady >= self._wait_until:
                self._jumped = 0.0
            if jump > _JUMP_SECONDS:
                self._wait_until = steady + self._lease_seconds
            if abs(jump) > _JUMP_SECONDS:
                self._jumped = max(0.0, self._jumped + jump)
            return now - self._jumped
