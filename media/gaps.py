"""Where coded pictures are missing in a file, whole or in part, and where sound is."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

__all__ = ["GapFinder", "SoundGapFinder"]

_STEPS = Fraction(3, 2)
"""Between two coded pictures, or packets of sound, of which none is missing, at most."""

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


class SoundGapFinder:
    """Counts the places of one audio track where its packets do not follow each other.

    What demuxers say of damage is of no use here: parsers of sound drop it.

    Attributes:
        found: Places found so far.
        missing: Seconds of sound that would fill them.
    """

    def __init__(self) -> None:
        self._start: Fraction | None = None
        self._lasts = Fraction(0)
        # Some streams say of all packets that they are shorter than they are.
        self._step: Fraction | None = None
        self.found = 0
        self.missing = Fraction(0)

    def see(self, start: Fraction, lasts: Fraction) -> None:
        """Take when the next packet begins and how long it lasts, in seconds."""
        if self._start is not None:
            step = start - self._start
            usual = max(self._lasts, step if self._step is None else min(self._step, step))
            if self._lasts and step > _STEPS * usual:
                self.found += 1
                self.missing += step - usual
            self._step = usual
        self._start, self._lasts = start, lasts

    def begin_anew(self) -> None:
        """Forget the last packet: the next one is of another part."""
        self._start = self._step = None
