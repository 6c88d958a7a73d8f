"""How a fingerprint goes along the time of a clip: what it looks at, parts of it, and alignment."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any, cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.media.frame import Frame
from vidigree.watermark.fingerprint import (
    VIEWS,
    Fingerprint,
    Fingerprinter,
    fingerprint_frames,
    similarity,
)


def _picture(seed: int) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (96, 72), interpolation=cv2.INTER_CUBIC), np.uint8)


def _fingerprint(*codes: int | None) -> Fingerprint:
    """Return a fingerprint of moments that have these contents; ``None`` is a flat one."""
    bits = [
        np.random.default_rng(code or 0).integers(0, 256, (len(VIEWS), 16), np.uint8)
        for code in codes
    ]
    return Fingerprint(
        bits=np.array(bits, np.uint8).reshape(len(codes), len(VIEWS), 16),
        structured=np.array([code is not None for code in codes], bool),
        step=Fraction(1, 2),
    )


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        (0.0, 5.0, range(10)),
        (1.0, 3.0, range(2, 6)),
        (0.9, 3.1, range(2, 6)),
        (0.6, 2.9, range(2, 5)),
        (1.1, 1.2, [3]),
        (4.6, 9.0, [9]),
        (80.0, 90.0, [9]),
        (0.0, 0.1, [0]),
    ],
)
def test_part_has_the_moments_that_lie_whole_in_it(
    start: float, end: float, kept: list[int]
) -> None:
    whole = _fingerprint(*range(1, 11))
    whole = replace(whole, structured=np.arange(10) % 2 == 0)
    part = whole.between(start, end)
    assert np.array_equal(part.bits, whole.bits[list(kept)])
    assert np.array_equal(part.structured, whole.structured[list(kept)])
    assert part.step == whole.step


def test_part_is_told_by_the_times_of_frames_where_they_are_known() -> None:
    """Two seconds of 24 frames, a pause of four seconds, and two seconds of 24 frames again."""
    times = [Fraction(n, 24) + (4 if n >= 48 else 0) + 7 for n in range(96)]
    builder = Fingerprinter(Fraction(96, 8))
    for time in times:
        builder.feed(Frame(image=_picture(int(time * 24)), time=time))
    whole = builder.finish()
    # By the average rate every moment is six frames long, a quarter of a second.
    assert len(whole.bits) == 16
    assert whole.begins[:9] == pytest.approx([0.25 * n for n in range(8)] + [6.0])
    assert whole.begins[9:] == pytest.approx([6.0 + 0.25 * n for n in range(1, 8)])
    for start, end, kept in (
        (0.0, 2.0, range(7)),
        (6.0, 8.3, range(8, 16)),
        (1.0, 6.6, range(4, 10)),
    ):
        part = whole.between(start, end)
        assert np.array_equal(part.bits, whole.bits[list(kept)])
        assert part.begins == whole.begins[kept[0] : kept[-1] + 1]
    # What was kept in a ledger has no times but those of the rate.
    again = Fingerprint.from_bytes(whole.to_bytes())
    assert np.array_equal(again.between(6.0, 8.0).bits, whole.bits[12:16])


def test_part_of_a_long_clip_is_told_by_its_times() -> None:
    frames = (Frame(image=_picture(n % 3), time=Fraction(n)) for n in range(300))
    builder = Fingerprinter(2)
    for frame in frames:
        builder.feed(frame)
    whole = builder.finish()
    assert (whole.step, len(whole.begins)) == (Fraction(2), 75)
    assert whole.begins == pytest.approx([4.0 * n for n in range(75)])
    assert len(whole.between(40.0, 60.0).bits) == 5


def test_part_of_nothing_is_nothing() -> None:
    assert len(_fingerprint().between(0, 1).bits) == 0


def test_part_of_a_thinned_clip_is_told_in_its_own_steps() -> None:
    whole = replace(_fingerprint(*range(1, 11)), step=Fraction(4))
    assert np.array_equal(whole.between(8, 20).bits, whole.bits[2:5])


class _Watched:
    """A frame that tells whether its luma was asked for."""

    def __init__(self, time: Fraction) -> None:
        self.time = time
        self.asked = False

    @property
    def luma(self) -> NDArray[np.uint8]:
        self.asked = True
        return np.zeros((8, 8), np.uint8)


@pytest.mark.parametrize(("fps", "stride"), [(1, 1), (15, 1), (22, 1), (24, 2), (60, 4), (240, 16)])
def test_few_frames_of_a_second_are_looked_at(fps: int, stride: int) -> None:
    builder, frames = Fingerprinter(fps), [_Watched(Fraction(n, fps)) for n in range(2 * fps)]
    for frame in frames:
        builder.feed(cast("Frame", frame))
    assert [number for number, frame in enumerate(frames) if frame.asked] == [
        *range(0, 2 * fps, stride)
    ]
    assert len(builder.finish().bits) == (4 if fps > 1 else 3)


def test_moment_of_a_long_clip_is_the_first_half_second_of_its_step() -> None:
    pictures = [_picture(seed) for seed in range(6)]
    frames = [pictures[number % 6] for number in range(300)]
    long, short = fingerprint_frames(frames, 2), fingerprint_frames(frames[:100], 2)
    assert (long.step, len(long.bits)) == (Fraction(2), 75)
    assert np.array_equal(long.bits[:25], short.bits[::4])
    # What comes after the thinning is taken as what came before it.
    assert np.array_equal(long.bits[70:], fingerprint_frames(frames[280:], 2).bits[::4])
    assert similarity(long, short) == 1.0


@pytest.mark.parametrize(("moments", "step"), [(128, 1), (129, 2), (256, 2), (257, 4)])
def test_clip_is_thinned_when_it_has_too_many_moments(moments: int, step: int) -> None:
    picture = _picture(1)
    found = fingerprint_frames((picture for _ in range(moments)), 2)
    assert found.step == Fraction(step, 2)
    assert len(found.bits) == -(-moments // step)
    assert found.structured.all()


X, Y = range(100, 110), range(200, 210)


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        ([*X], True),
        ([*X[5:], *Y[:5]], True),
        ([*X[6:], *Y[:6]], False),
        ([*Y[:5], *X[:5]], True),
        ([*X[3:7]], True),
        ([*Y, *X], True),
        ([X[0]], True),
        ([*Y], False),
        ([*X[::-1]], False),
    ],
)
def test_half_of_the_shorter_clip_must_overlap(other: list[int], alike: bool) -> None:
    likeness = similarity(_fingerprint(*X), _fingerprint(*other))
    assert likeness == similarity(_fingerprint(*other), _fingerprint(*X))
    assert likeness == 1.0 if alike else likeness < 0.6


def test_match_of_few_moments_counts_as_few() -> None:
    one = _fingerprint(1, 2, 3, 4, *[None] * 6)
    once = _fingerprint(*[None] * 6, 4, 11, 12, 13)
    twice = _fingerprint(*[None] * 6, 3, 4, 12, 13)
    assert similarity(one, once) == pytest.approx(0.5)
    assert similarity(one, twice) == 1.0
    assert similarity(one, _fingerprint(*[None] * 7, 4, *[None] * 2)) == 1.0
    assert similarity(one, _fingerprint(*[None] * 10)) == 0.0


def test_thinned_copy_is_compared_at_its_own_moments() -> None:
    fine = _fingerprint(*X)
    coarse = replace(_fingerprint(*X[::4]), step=Fraction(2))
    assert similarity(fine, coarse) == similarity(coarse, fine) == 1.0
    assert similarity(fine, replace(_fingerprint(*X[::4]), step=Fraction(1))) < 0.6


@pytest.mark.parametrize(("contrast", "usable"), [(0, False), (1, False), (8, True), (60, True)])
def test_picture_without_structure_is_flat(contrast: int, usable: bool) -> None:
    wave = np.sin(np.linspace(0, 9, 96))[None, :, None] * np.ones((72, 1, 3))
    image = (128 + contrast * wave).astype(np.uint8)
    assert fingerprint_frames([image] * 12, 24).usable is usable


def test_no_frames_in_a_moment_leave_it_flat() -> None:
    found = fingerprint_frames([_picture(1)] * 3, Fraction(1, 2))
    assert found.structured.tolist() == [moment % 4 == 0 for moment in range(9)]


def _barred(level: int, rows: int) -> list[NDArray[np.uint8]]:
    image = np.full((192, 192, 3), level, np.uint8)
    image[rows : 192 - rows] = cv2.resize(_picture(5), (192, 192 - 2 * rows))
    return [image] * 12


def _is_cut(level: int, rows: int) -> bool:
    """Say whether the view without bars is another one than the whole picture."""
    bits: Any = fingerprint_frames(_barred(level, rows), 24).bits[0]
    return not np.array_equal(bits[0], bits[1])


def test_only_black_bars_that_leave_enough_are_cut_off() -> None:
    assert [_is_cut(level, 40) for level in (0, 16, 40, 90)] == [True, True, False, False]
    assert [_is_cut(0, rows) for rows in (0, 20, 60, 90)] == [False, True, True, False]
