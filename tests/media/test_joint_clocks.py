"""Which part of a joined file pictures and sounds belong to, told by their stamps alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from vidigree.media.audio_track import UnevenSoundError
from vidigree.media.joints import FrameClock, Joint, JointFinder, SoundClock
from vidigree.media.sound_lane import SoundLane

STEP = Fraction(1, 10)


def packet(stamp: int | None, pts: int | None = None, lasts: int = 0) -> Any:
    """Return a packet with stamps in tenths of a second."""
    return SimpleNamespace(dts=stamp, pts=pts, time_base=STEP, duration=lasts)


def finder_of(*coded: Any) -> JointFinder:
    finder = JointFinder(STEP)
    for one in coded:
        finder.see(one)
    return finder


def test_pictures_of_a_joined_part_keep_their_distances() -> None:
    clock = FrameClock(STEP, joined=True)
    stamps = [Fraction(n, 10) for n in (0, 1, 2, 3, 5, 0, 1, 4, 5, 0, 2)]
    times = [clock.time(stamp) * 10 for stamp in stamps]
    assert times == [0, 1, 2, 3, 5, 6, 7, 10, 11, 12, 14]


def test_a_bad_stamp_moves_nothing_behind_it() -> None:
    joined_clock, clock = FrameClock(STEP, joined=True), FrameClock(STEP, joined=False)
    small = [Fraction(n, 100) for n in (0, 10, 20, 10, 30, 50)]
    assert [joined_clock.time(stamp) * 100 for stamp in small] == [0, 10, 20, 30, 40, 50]
    large = [Fraction(n, 10) for n in (-3, 1, 1, 5, 2, 9)]
    assert [clock.time(stamp) * 10 for stamp in large] == [0, 1, 2, 5, 6, 9]
    assert clock.time(None) == 1
    early = FrameClock(STEP, joined=True)
    assert [early.time(Fraction(n, 10)) * 10 for n in (-50, -49, 3)] == [0, 1, 3]


def test_one_bad_stamp_is_no_joint() -> None:
    clock = FrameClock(STEP, joined=True)
    stamps = [Fraction(n, 10) for n in (50, 51, 3, 53, 54, 0, 1, 56)]
    assert [clock.time(stamp) * 10 for stamp in stamps] == [50, 51, 52, 53, 54, 55, 56, 111]
    finder = finder_of(packet(50), packet(51), packet(3), packet(53))
    assert finder.joints == []
    finder.see(packet(0))
    finder.see(packet(1))
    assert finder.joints == [Joint(end=54 * STEP, start=Fraction(0), shift=54 * STEP)]


def test_sound_stays_in_its_part_at_a_bad_stamp_of_a_picture() -> None:
    finder = finder_of(packet(50), packet(51), packet(3))
    clock = SoundClock(finder)
    assert [shift for stamp in (51, 4) for _, shift in clock.take(packet(stamp))] == [0, 49 * STEP]
    finder.see(packet(53))
    assert [shift for _, shift in clock.take(packet(53))] == [0]


def test_a_joint_is_where_coded_pictures_jump_back() -> None:
    finder = finder_of(packet(None), packet(0, 2), packet(1, 4), packet(2, 3))
    assert finder.joints == []
    assert finder.time == Fraction(2, 10)
    for one in (packet(0, 1), packet(1, 2), packet(-1, 0)):
        finder.see(one)
    # Pictures last until 5; the next part's first one stands at 1, and the last part's at 0.
    tenths = [(joint.end * 10, joint.start * 10, joint.shift * 10) for joint in finder.joints]
    assert tenths == [(5, 1, 4), (3, 0, 7)]
    assert finder_of(packet(3), packet(2)).joints == []
    assert finder_of(packet(3), packet(1)).joints == [
        Joint(end=4 * STEP, start=STEP, shift=3 * STEP)
    ]


def placed(finder: JointFinder, stamps: Sequence[int]) -> list[tuple[int, int]]:
    clock = SoundClock(finder)
    found = [row for stamp in stamps for row in clock.take(packet(stamp))]
    return [(one.dts, int(shift * 10)) for one, shift in found]


@pytest.mark.parametrize(("stamp", "shift"), [(42, 42), (70, 42), (72, 0), (99, 0)])
def test_sound_belongs_to_the_part_whose_pictures_are_near(stamp: int, shift: int) -> None:
    finder = finder_of(packet(90), packet(91), packet(50), packet(51))
    assert placed(finder, [stamp]) == [(stamp, shift)]


def test_the_first_sound_of_all_waits_for_the_pictures_of_its_part() -> None:
    finder = finder_of(packet(90), packet(91))
    clock = SoundClock(finder)
    assert list(clock.take(packet(50))) == []
    finder.see(packet(50))
    assert [shift * 10 for _, shift in clock.placed()] == [42]
    # A second of pictures ahead is what files have.
    assert placed(finder_of(packet(60)), [50]) == [(50, 0)]


def test_the_first_sound_of_all_may_come_in_the_middle_of_a_part() -> None:
    finder = finder_of(*(packet(at) for at in (0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4)))
    assert placed(finder, [4]) == [(4, 6)]
    assert placed(finder_of(*(packet(at) for at in (0, 1, 2, 3, 4, 5, 0))), [4]) == [(4, 0)]


def test_sound_that_goes_on_belongs_to_its_part_whatever_pictures_were_seen() -> None:
    finder = finder_of(*(packet(at) for at in range(6)))
    clock = SoundClock(finder)
    assert len(list(clock.take(packet(4)))) == 1
    for at in range(5):
        finder.see(packet(at))
    assert [shift for _, shift in clock.take(packet(5))] == [0]


def test_sound_that_runs_back_by_less_than_a_second_waits_too() -> None:
    clock = SoundClock(finder_of(packet(90)))
    assert len(list(clock.take(packet(90)))) == 1
    assert list(clock.take(packet(85))) == []


def test_sound_of_the_part_before_may_come_late() -> None:
    finder = finder_of(packet(90), packet(91), packet(50), packet(51))
    assert placed(finder, [90, 93, 48, 50, 90]) == [(90, 0), (93, 0), (48, 42), (50, 42), (90, 42)]


def test_sound_waits_for_the_pictures_of_its_part() -> None:
    finder = finder_of(packet(90))
    clock = SoundClock(finder)
    assert len(list(clock.take(packet(90)))) == 1
    assert list(clock.take(packet(49))) == []
    assert list(clock.take(packet(50))) == []
    finder.see(packet(91))
    assert list(clock.placed()) == []
    finder.see(packet(50))
    shifts = [(one.dts, shift * 10) for one, shift in clock.placed()]
    assert shifts == [(49, 42), (50, 42)]
    assert list(clock.placed()) == []


@pytest.mark.parametrize("ended", [False, True])
def test_sound_does_not_wait_for_ever(ended: bool) -> None:
    finder = finder_of(packet(90))
    clock = SoundClock(finder)
    assert len(list(clock.take(packet(90)))) == 1
    assert list(clock.take(packet(50))) == []
    finder.see(packet(100))
    assert list(clock.placed()) == []
    if not ended:
        finder.see(packet(101))
    assert [shift for _, shift in clock.placed(all_of_them=ended)] == [0]


class _Handed:
    """A track that writes down the stamps of what it is handed."""

    def __init__(self) -> None:
        self.stamps: list[tuple[int | None, int | None]] = []

    def take(self, one: Any) -> Iterator[tuple[Fraction, Any]]:
        self.stamps.append((one.dts, one.pts))
        yield Fraction(0), one


def handed(
    stamps: Sequence[int | None], finder: JointFinder | None = None, tick: Fraction = STEP
) -> tuple[list[int | None], SoundLane]:
    track = _Handed()
    lane = SoundLane(track, 3, finder, lambda: False)
    for stamp in stamps:
        one = packet(stamp, None if stamp is None else stamp + 2, 1)
        one.time_base = tick
        list(lane.take(one))
    assert all(pts == dts + 2 for dts, pts in track.stamps if dts is not None and pts is not None)
    return [dts for dts, _ in track.stamps], lane


def test_stamps_that_do_not_grow_are_set_right_and_nothing_is_lost() -> None:
    found, lane = handed([-5, 10, 10, 9, 20, None], tick=Fraction(1, 1_000))
    assert found == [-5, 10, 11, 12, 20, None]
    assert lane.notes == ()


def test_stamps_that_run_far_back_are_not() -> None:
    assert handed([100, 100])[0] == [100, 101]
    with pytest.raises(UnevenSoundError, match=r"runs backwards by 0\.20 s"):
        handed([100, 99])


def test_sound_of_a_part_without_a_second_stamp_has_the_first() -> None:
    track = _Handed()
    list(SoundLane(track, 1, finder_of(packet(0)), lambda: False).take(packet(5, None, 1)))
    assert track.stamps == [(5, 5)]


def test_what_waits_at_the_end_is_not_lost() -> None:
    finder = finder_of(packet(90), packet(50))
    assert handed([90, 50, 51, None], finder)[0] == [90, 91, 92, None]
    with pytest.raises(UnevenSoundError, match=r"runs backwards by 4\.10 s"):
        handed([90, 50, None], finder_of(packet(90)))


def test_what_overlaps_at_a_joint_is_left_out_and_told() -> None:
    finder = finder_of(packet(90), packet(50))
    found, lane = handed([90, 91, 92, 50, 51, 52, 53], finder)
    assert found == [90, 91, 92, 93, 94]
    assert lane.notes == (
        "Audio track 3: 0.20 s were left out where the joined parts of the file overlap.",
    )
    six = [90, 91, 92, 93, 94, 95]
    assert handed([*six, 50, 51, 52, 53, 54, 55], finder)[0] == [*six, 96]
    with pytest.raises(UnevenSoundError, match=r"runs backwards by 0\.60 s"):
        handed([*six, 96, 50], finder)


def test_sound_that_waits_goes_on_with_the_pictures_of_its_part() -> None:
    finder, track = finder_of(packet(90)), _Handed()
    lane = SoundLane(track, 1, finder, lambda: False)
    for stamp in (90, 50):
        list(lane.take(packet(stamp, stamp, 1)))
    finder.see(packet(91))
    assert list(lane.go_on()) == []
    finder.see(packet(50))
    assert len(list(lane.go_on())) == 1
    assert track.stamps == [(90, 90), (92, 92)]
