"""When a mark is there: runs of half seconds, segments, and readings of several marks."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from vidigree.watermark.keyring import PUBLISHED_KEY, MarkKey
from vidigree.watermark.method import MarkSegment
from vidigree.watermark.robust import RobustMark, timeline
from vidigree.watermark.robust.detector import BlockMark
from vidigree.watermark.robust.mark import RobustDetector
from vidigree.watermark.robust.payload import nonce_of
from vidigree.watermark.robust.significance import p_value
from vidigree.watermark.robust.timeline import carrying_runs, joined, segments_of

OTHER_KEY = MarkKey(key_id="other", secret=bytes(32))


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a stretch be its score, and a sum the root of the sum of squares."""
    monkeypatch.setattr(timeline, "summed", lambda parts: sum(one * one for one in parts) ** 0.5)
    monkeypatch.setattr(timeline, "score_of", lambda picture, _: picture)
    monkeypatch.setattr(
        timeline, "parts_of", lambda run: [part for one in run for part in one.parts]
    )


def _stretches(scores: list[float], starts: list[float] | None = None) -> Any:
    starts = starts or [0.5 * place for place in range(len(scores))]
    return [
        SimpleNamespace(start=start, end=start + 0.5, parts=[score])
        for start, score in zip(starts, scores, strict=True)
    ]


def _runs(scores: list[float], starts: list[float] | None = None) -> list[tuple[float, float]]:
    finding: Any = SimpleNamespace(view=None)
    runs = carrying_runs(_stretches(scores, starts), finding)
    return [(run[0].start, run[-1].end) for run in runs]


@pytest.mark.parametrize(
    ("scores", "runs"),
    [
        ([9.0, 9.0, 9.0], [(0.0, 1.5)]),
        ([9.0, 9.0, 0.0, 0.0, 9.0], [(0.0, 1.0), (2.0, 2.5)]),
        # A single weak one is taken along between two, and at neither end.
        ([9.0, 0.0, 9.0, 9.0], [(0.0, 2.0)]),
        ([0.0, 9.0, 9.0, 0.0], [(0.5, 1.5)]),
        # Of the stronger half's 10, 4 is not enough.
        ([10.0, 10.0, 4.1, 4.1, 4.1], [(0.0, 2.5)]),
        ([10.0, 10.0, 10.0, 10.0, 4.0, 4.0], [(0.0, 2.0)]),
        ([10.0, 10.0, 10.0, 10.0, 4.1, 4.1], [(0.0, 3.0)]),
        # Two deviations are chance, whatever the others have.
        ([2.1, 2.1, 2.0, 2.0], [(0.0, 1.0)]),
        # Together they carry it.
        ([1.0, 1.5, 0.5], [(0.0, 1.5)]),
        ([1.0], [(0.0, 0.5)]),
        ([9.0, 9.0], [(0.0, 1.0)]),
    ],
)
def test_a_mark_is_where_it_is_seen(scores: list[float], runs: list[tuple[float, float]]) -> None:
    assert _runs(scores) == runs


def test_what_is_not_next_to_each_other_is_no_run() -> None:
    assert _runs([9.0, 9.0, 9.0], [0.0, 0.5, 3.0]) == [(0.0, 1.0), (3.0, 3.5)]
    assert _runs([9.0, 9.0], [0.0, 0.5 + 1e-9]) == [(0.0, 1.0 + 1e-9)]


def test_a_segment_has_the_p_value_of_its_run_among_all_runs() -> None:
    first, second = _stretches([3.0, 4.0]), _stretches([5.0], [9.0])
    finding: Any = SimpleNamespace(message=7, view=None)
    one, two = segments_of([first, second], finding)
    assert (one.start, one.end, one.message) == (0.0, 1.0, 7)
    assert (two.start, two.end, two.message) == (9.0, 9.5, 7)
    assert one.p_value == two.p_value == p_value(5.0, 4.0)
    (alone,) = segments_of([second], finding)
    assert alone.p_value == p_value(5.0, 2.0)


def test_a_mark_is_looked_for_where_it_was_found() -> None:
    stretches = _stretches([9.0, 9.0, 9.0, 9.0])
    # Seen whole, all of them would carry it; in the view, the first two do.
    held = dict(zip([one.start for one in stretches], (9.0, 8.0, 0.0, 0.0), strict=True))
    view = SimpleNamespace(parts=lambda some: [held[one.start] for one in some])
    finding: Any = SimpleNamespace(message=7, view=view)
    (run,) = carrying_runs(stretches, finding)
    assert [one.start for one in run] == [0.0, 0.5]
    (segment,) = segments_of([run], finding)
    assert segment.p_value == p_value((9.0**2 + 8.0**2) ** 0.5, 2.0)


def _segment(start: float, end: float, message: int | None = 7, p: float = 1e-9) -> MarkSegment:
    return MarkSegment(start=start, end=end, p_value=p, message=message)


def test_segments_of_one_message_that_touch_are_one() -> None:
    assert joined([]) == ()
    later = _segment(10.0, 20.0, p=1e-12)
    assert joined([later, _segment(0.0, 10.0)]) == (_segment(0.0, 20.0, p=1e-12),)
    inside = _segment(2.0, 3.0, p=1e-3)
    assert joined([_segment(0.0, 10.0), inside]) == (_segment(0.0, 10.0),)
    apart = (_segment(0.0, 9.5), later)
    assert joined(apart) == apart
    for message in (8, None):
        other = (_segment(0.0, 10.0, message), later)
        assert joined(other) == other


def _mark(
    message: int | None,
    p: float,
    start: float,
    key: MarkKey = PUBLISHED_KEY,
    view: Any = None,
    **geometry: Any,
) -> BlockMark:
    shape = {"scale": (1.0, 1.0), "rotation": 0.0, "mirrored": False, **geometry}
    trial = SimpleNamespace(
        key=key, geometry=SimpleNamespace(**shape), lock=SimpleNamespace(shift=(10.0, 20.0))
    )
    finding: Any = SimpleNamespace(
        message=message, p_value=p, trial=trial, bit_confidence=(), view=view
    )
    return BlockMark(finding=finding, segments=(_segment(start, start + 10.0, message),))


def _read(*marks: BlockMark) -> Any:
    detector = RobustDetector([PUBLISHED_KEY, OTHER_KEY], Fraction(24))
    detector._marks += marks
    return detector.finish()


def test_every_message_of_every_key_has_a_reading_the_strongest_first() -> None:
    found = _read(_mark(1, 1e-9, 0.0), _mark(2, 1e-20, 10.0), _mark(1, 1e-15, 20.0, OTHER_KEY))
    assert [(one.message, one.key_id) for one in found] == [
        (2, PUBLISHED_KEY.key_id),
        (1, "other"),
        (1, PUBLISHED_KEY.key_id),
    ]
    assert all(one.present for one in found)


def test_presence_alone_counts_with_the_strongest_mark_of_its_key() -> None:
    found = _read(
        _mark(None, 1e-40, 0.0), _mark(1, 1e-9, 10.0), _mark(None, 1e-30, 30.0, OTHER_KEY)
    )
    assert [(one.message, one.key_id) for one in found] == [
        (1, PUBLISHED_KEY.key_id),
        (None, "other"),
    ]
    assert [one.p_value for one in found] == [1e-9, 1e-30]
    # Where the message was not read, the segment has none.
    assert [part.message for part in found[0].segments] == [None, 1]
    (alone,) = _read(_mark(None, 1e-8, 0.0), _mark(None, 1e-9, 10.0))
    assert (alone.message, alone.p_value, alone.present) == (None, 1e-9, True)


def test_nothing_found_is_told_with_what_was_looked_at() -> None:
    (nothing,) = RobustMark().detector(keys=[PUBLISHED_KEY], fps=Fraction(24)).finish()
    assert (nothing.present, nothing.frames_used, nothing.segments) == (False, 0, ())
    assert nothing.message is None


@pytest.mark.parametrize(
    ("degrees", "told"),
    [(0.0, 0.0), (180.0, 180.0), (-180.0, 180.0), (190.0, -170.0), (360.0, 0.0), (540.0, 180.0)],
)
def test_rotation_is_told_within_half_a_turn(degrees: float, told: float) -> None:
    (found,) = _read(_mark(7, 1e-9, 0.0, rotation=degrees, scale=(0.5, 2.0)))
    assert found.rotation == told
    assert found.scale == pytest.approx(1.0)


def test_where_a_picture_was_cut_is_told_of_upright_ones() -> None:
    (found,) = _read(_mark(7, 1e-9, 0.0))
    x, y = nonce_of(7, PUBLISHED_KEY)
    assert found.offset == pytest.approx(((128 * x - 10) % 128 / 256, (128 * y - 20) % 128 / 256))
    assert _read(_mark(7, 1e-9, 0.0, rotation=0.09))[0].offset is not None
    for turned in ({"rotation": 0.11}, {"rotation": -0.11}, {"mirrored": True}):
        assert _read(_mark(7, 1e-9, 0.0, **turned))[0].offset is None
    assert _read(_mark(None, 1e-9, 0.0))[0].offset is None


def test_of_a_mark_in_a_part_of_the_picture_neither_size_nor_turn_is_told() -> None:
    (found,) = _read(_mark(7, 1e-9, 0.0, view=SimpleNamespace(), mirrored=True))
    assert (found.scale, found.rotation, found.offset) == (None, None, None)
    assert found.mirrored
