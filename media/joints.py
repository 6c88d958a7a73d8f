"""Clips that were joined by appending one file to another, as MPEG streams may be.

Each part has times of its own, which most often begin again where the last part began. Players show
the parts one after the other, and so does this package: where the pictures' times jump back, what
follows goes on one frame after the picture before, and its sound moves with it. A single picture
whose time jumps back has a bad stamp, and begins no part, if the next one is where it would be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

__all__ = ["FrameClock", "Joint", "JointFinder", "SoundClock", "frame_rate", "may_be_joined"]

_JUMP = Fraction(1, 10)
"""Seconds that a time must jump back at least; players take the same. Less is a bad stamp."""

_PATIENCE = Fraction(1)
"""Seconds of pictures after a jump of the sound in which that of the pictures must come."""


def may_be_joined(container: Any) -> bool:
    """Return whether this kind of file may be made by appending one to another."""
    return container.format.name in ("mpegts", "mpeg")


def frame_rate(stream: Any) -> Fraction:
    """Return the frames per second of a video stream; 25 where nothing says it."""
    rate = stream.average_rate or stream.guessed_rate or stream.base_rate
    return Fraction(rate or Fraction(25))


class FrameClock:
    """Gives frames in display order times that grow.

    Args:
        step: Seconds between frames, where their stamps do not say it.
        joined: Whether the file may be several, one appended to the other.
    """

    def __init__(self, step: Fraction, *, joined: bool) -> None:
        self._step, self._joined = step, joined
        self._shift = Fraction(0)
        self._before: Fraction | None = None  # the shift until the last frame, if that changed it
        self._last: Fraction | None = None

    def time(self, stamp: Fraction | None) -> Fraction:
        """Return the time of the next frame in seconds, given its stamp in seconds, if any."""
        last = self._last
        go_on = Fraction(0) if last is None else last + self._step
        if self._joined and stamp is not None and last is not None:
            self._shift, self._before = self._shifts(stamp, last, go_on)
        time = go_on if stamp is None else max(stamp + self._shift, Fraction(0))
        # Damaged or missing stamps must not run backwards: later code divides by distances.
        if last is not None and time <= last:
            time = go_on
        self._last = time
        return time

    def _shifts(
        self, stamp: Fraction, last: Fraction, go_on: Fraction
    ) -> tuple[Fraction, Fraction | None]:
        """Return the shift of a frame, and what it was before if the frame changes it."""
        shift = self._shift
        if self._before is not None and _is_nearer(stamp, go_on - self._before, go_on - shift):
            shift = self._before
        if max(stamp + shift, Fraction(0)) < last - _JUMP:
            return go_on - stamp, shift
        return shift, None


@dataclass(frozen=True)
class Joint:
    """Where one part ends and another begins.

    Attributes:
        end: Stamp of the last part's end, in seconds.
        start: Stamp of the next part's first picture, in seconds.
        shift: Seconds to add to the stamps of the next part.
    """

    end: Fraction
    start: Fraction
    shift: Fraction


class JointFinder:
    """Finds the joints of a file by its coded pictures; the same that :class:`FrameClock` finds.

    Args:
        step: Seconds between frames.

    Attributes:
        joints: Those found so far.
        time: Stamp of the last coded picture in seconds, ``None`` before the first.
    """

    def __init__(self, step: Fraction) -> None:
        self._step = step
        self._latest: Fraction | None = None
        # What was known until the last picture, if that began a part.
        self._before: tuple[Fraction, Fraction] | None = None
        self.joints: list[Joint] = []
        self.time: Fraction | None = None

    def see(self, packet: Any) -> None:
        """Take the next coded picture."""
        if packet.dts is None:
            return
        coded = packet.dts * packet.time_base
        shown = coded if packet.pts is None else packet.pts * packet.time_base
        if self._before is not None and self.time is not None:
            latest, time = self._before
            if _is_nearer(coded, time, self.time):
                self._latest, self.time = latest, time
                self.joints.pop()
        self._before = None
        if self._latest is not None and self.time is not None and coded < self.time - _JUMP:
            end = self._latest + self._step
            before = self.joints[-1].shift if self.joints else Fraction(0)
            self.joints.append(Joint(end=end, start=shown, shift=before + end - shown))
            self._before, self._latest = (self._latest, self.time), None
        self._latest = shown if self._latest is None else max(shown, self._latest)
        self.time = coded


class SoundClock:
    """Tells which part of a joined file the packets of one audio track belong to.

    A track's packets may come before or after the pictures of their part, so that some wait.

    Args:
        finder: What is known of the pictures.
    """

    def __init__(self, finder: JointFinder) -> None:
        self._finder = finder
        self._part = 0
        self._last: Fraction | None = None
        self._begun = False
        self._waiting: list[Any] = []
        self._since: Fraction | None = None

    def take(self, packet: Any) -> Iterator[tuple[Any, Fraction]]:
        """Yield packets that are placed now, each with the seconds to add to its stamps."""
        self._waiting.append(packet)
        yield from self.placed()

    def placed(self, *, all_of_them: bool = False) -> Iterator[tuple[Any, Fraction]]:
        """Yield those of the waiting packets whose part is known; ask again after a picture.

        Args:
            all_of_them: Whether no picture will come any more.
        """
        while self._waiting:
            packet = self._waiting[0]
            time = packet.dts * packet.time_base
            if not self._is_placed(time) and not all_of_them:
                return
            self._since = None
            self._last, self._begun = time, True
            joints = self._finder.joints
            yield self._waiting.pop(0), joints[self._part - 1].shift if self._part else Fraction(0)

    def _is_placed(self, time: Fraction) -> bool:
        joints, seen = self._finder.joints, self._finder.time
        self._part = min(self._part, len(joints))  # what looked like a joint may be none
        while self._part < len(joints):
            joint = joints[self._part]
            # Sound may begin in the middle of a part, and comes with the pictures there.
            starts = (joint.start,) if self._begun or seen is None else (joint.start, seen)
            if abs(time - joint.end) < min(abs(time - start) for start in starts):
                return True
            self._part += 1
            self._last = None
        last, back = (self._last, _JUMP) if self._begun else (seen, _PATIENCE)
        if last is None or time >= last - back:
            return True
        # It jumped back and the pictures did not: theirs may be about to come.
        if self._since is None:
            self._since = seen
        return seen is not None and self._since is not None and seen > self._since + _PATIENCE


def _is_nearer(time: Fraction, one: Fraction, other: Fraction) -> bool:
    return abs(time - one) < abs(time - other)
