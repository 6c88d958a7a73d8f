"""Where coded pictures are missing in a file, whole or in part."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

__all__ = ["GapFinder"]

_STEPS = Fraction(3, 2)
"""Between two coded pictures of which none is missing, at most."""

_AHEAD = 2
"""Pictures before a gap, at most, of which a demuxer says that something is missing."""


class GapFinder:
    """Counts the places where coded pictures are missing, whole or in part.

    A demuxer that misses a piece says so of a picture shortly before it. It says so, too, where one
    file was appended to another; there the next one begins anew, and no later than it should.

    Args:
        step: Seconds between frames.

    Attributes:
        found: Places found so far.
    """

    def __init__(self, step: Fraction) -> None:
        self._step = step
        self._last: Fraction | None = None
        self._since: int | None = None  # pictures since one of which something was said
        self.found = 0

    def see(self, packet: Any) -> None:
        """Take the next coded picture, or the empty packet at the end."""
        time = None if packet.dts is None else packet.dts * packet.time_base
        if self._since is not None:
            self._since += 1
            if packet.is_keyframe and self._follows(time):
                self._since = None
            elif not packet.is_corrupt and (self._since == _AHEAD or not packet.size):
                self.found += 1
                self._since = None
        if packet.is_corrupt:
            self._since = 0
        self._last = time

    def _follows(self, time: Fraction | None) -> bool:
        if time is None or self._last is None:
            return False
        return time - self._last <= _STEPS * self._step
