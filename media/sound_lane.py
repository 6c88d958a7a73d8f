"""The packets of one audio track in one line: parts joined, and stamps that grow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cached_property
from typing import Any

from vidigree.media.audio_track import AudioTrack, UnevenSoundError
from vidigree.media.gaps import SoundGapFinder
from vidigree.media.joints import JointFinder, SoundClock

__all__ = ["SoundLane"]

_LEFT_OUT_AT_MOST = Fraction(1, 2)
"""Seconds of sound at one joint; encoders let it last a few packets longer than the picture."""

_SET_RIGHT = Fraction(1, 10)
"""Seconds that a stamp may run backwards, in files that are not joined, and be set right."""


class SoundLane:
    """One track on its way: what it is handed, and when.

    Args:
        track: Takes the packets.
        number: Of the track in its file, from 1.
        finder: Knows where the file was joined; ``None`` where it was not.
        is_whole: Tells whether the file has all of the track; asked only where it is silent.

    Attributes:
        left_out: Seconds of sound left out because what came before it lasted longer.
    """

    def __init__(
        self,
        track: AudioTrack,
        number: int,
        finder: JointFinder | None,
        is_whole: Callable[[], bool],
    ) -> None:
        self._track, self._number, self._is_whole = track, number, is_whole
        self._clock = None if finder is None else SoundClock(finder)
        self._end: Fraction | None = None
        self._last = -(2**62)
        self._here = Fraction(0)
        self._gaps, self._shift = SoundGapFinder(), Fraction(0)
        self.left_out = Fraction(0)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, and what the file lacks, a sentence each."""
        notes = []
        if self.left_out:
            length = f"{float(self.left_out):.2f} s"
            where = "where the joined parts of the file overlap"
            notes.append(f"Audio track {self._number}: {length} were left out {where}.")
        if places := self._gaps.found:
            at = f"at {places} place{'s' * (places > 1)}"
            length = f"{float(self._gaps.missing):.2f} s"
            notes.append(
                f"Audio track {self._number} pauses {at}, for {length} in all; none of its packets"
                " is seen to be missing."
                if self._pauses
                else f"The file lacks packets of its audio track {self._number} {at}: {length} of"
                " sound are missing there. Get a complete copy of it, if there is one."
            )
        return tuple(notes)

    @cached_property
    def _pauses(self) -> bool:
        return self._is_whole()

    def take(self, packet: Any) -> Iterator[tuple[Fraction, Any]]:
        """Yield what becomes of a packet of the input: times in seconds, and packets.

        Raises:
            UnevenSoundError: The track runs backwards, or changes its form and cannot.
        """
        if packet.dts is None:  # the demuxer's end marker, or a packet without any stamp
            yield from self.go_on(all_of_it=True)
            yield from self._track.take(packet)
        elif self._clock is None:
            yield from self._set_right(packet)
        else:
            for placed, shift in self._clock.take(packet):
                yield from self._moved(placed, shift)

    def go_on(self, *, all_of_it: bool = False) -> Iterator[tuple[Fraction, Any]]:
        """Yield what waited for the pictures and need not any more."""
        if self._clock is not None:
            for placed, shift in self._clock.placed(all_of_them=all_of_it):
                yield from self._moved(placed, shift)

    def _moved(self, packet: Any, shift: Fraction) -> Iterator[tuple[Fraction, Any]]:
        ticks = round(shift / packet.time_base)
        packet.dts += ticks
        packet.pts = packet.dts if packet.pts is None else packet.pts + ticks
        start = packet.dts * packet.time_base
        lasts = (packet.duration or 0) * packet.time_base
        if shift != self._shift:
            self._gaps.begin_anew()
            self._shift = shift
        self._gaps.see(start, lasts)
        # Half a packet is no hindrance: its stamp grows all the same.
        if self._end is not None and start < self._end - lasts / 2:
            self._leave_out(lasts, self._end - start)
            return
        self._here = Fraction(0)
        self._end = start + lasts
        yield from self._set_right(packet)

    def _leave_out(self, lasts: Fraction, backwards: Fraction) -> None:
        self._here += lasts
        self.left_out += lasts
        if self._here > _LEFT_OUT_AT_MOST or backwards > _LEFT_OUT_AT_MOST:
            raise UnevenSoundError(f"runs backwards by {float(backwards):.2f} s")

    def _set_right(self, packet: Any) -> Iterator[tuple[Fraction, Any]]:
        """Hand on a packet; its stamp grows by at least one tick."""
        late = self._last + 1 - packet.dts
        if late > 0:
            if late * packet.time_base > _SET_RIGHT:
                raise UnevenSoundError(f"runs backwards by {float(late * packet.time_base):.2f} s")
            packet.dts += late
            packet.pts = packet.dts if packet.pts is None else packet.pts + late
        self._last = packet.dts
        yield from self._track.take(packet)
