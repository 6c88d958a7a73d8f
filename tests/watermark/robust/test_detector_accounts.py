"""Everything that a look tries is counted: what chose a geometry is charged for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from vidigree.watermark.keyring import PUBLISHED_KEY, MarkKey
from vidigree.watermark.robust import detector
from vidigree.watermark.robust.budget import Look
from vidigree.watermark.robust.detector import Detector
from vidigree.watermark.robust.geometry import RIGHT_ANGLES, UNSCALED, Geometry

KEYS = [PUBLISHED_KEY, MarkKey(key_id="other", secret=bytes(32))]


def _trial(score: float, geometry: Geometry = UNSCALED[0]) -> Any:
    return SimpleNamespace(geometry=geometry, lock=SimpleNamespace(score=score))


@dataclass
class _Found:
    view: Any = None


class Counting(Detector):
    """A detector that keeps what it would decode, and finds what a test says."""

    def __init__(self) -> None:
        super().__init__(KEYS, Fraction(2))
        self.asked: list[tuple[list[float], int, Look, int | None]] = []
        self.found: dict[int | None, Any] = {}

    def _decode(self, trials: Any, parts: Any, looked: int, look: Look, turn: Any = None) -> Any:
        self.asked.append(([one.lock.score for one in trials], looked, look, turn))
        return self.found.get(turn)


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> Counting:
    monkeypatch.setattr(detector, "summed", lambda parts: parts)
    monkeypatch.setattr(
        detector,
        "try_unscaled",
        lambda view, key, _, some: [
            _trial(view + place + (key is KEYS[1]), one) for place, one in enumerate(some)
        ],
    )
    # Refining looks at nine geometries, and finds one that is better by a half.
    monkeypatch.setattr(
        detector, "refine", lambda _, trial, __: (_trial(trial.lock.score + 0.5), 9)
    )
    return Counting()


def test_a_look_at_the_picture_as_it_is_counts_every_geometry_and_key(finder: Counting) -> None:
    parts: Any = -6.5
    found, trace = finder._direct(parts, parts, Look.LEARNED)
    ((scores, looked, look, turn),) = finder.asked
    assert (found, looked, look, turn) == (None, 2 * len(UNSCALED), Look.LEARNED, None)
    assert len(scores) == looked
    # The best is 4.5, and with two keys a trace is a little more.
    assert trace is False
    assert finder._direct(parts + 0.5, parts + 0.5, Look.LEARNED)[1] is True


def test_every_picture_in_the_picture_is_a_turn_of_its_own(
    monkeypatch: pytest.MonkeyPatch, finder: Counting
) -> None:
    views = [SimpleNamespace(parts=lambda _, level=level: level) for level in (0.0, 10.0, 20.0)]
    monkeypatch.setattr(detector, "straight_views", lambda _: iter(views[:1]))
    monkeypatch.setattr(detector, "inset_views", lambda _: iter(views[1:]))
    assert finder._inside([]) is None
    # The best of eight geometries and two keys is climbed from, and any might have been.
    counted = 2 * len(RIGHT_ANGLES) * 10
    assert finder.asked == [
        ([8.5], counted, Look.INSIDE, 1),
        ([18.5], counted, Look.INSIDE, 2),
        ([28.5], counted, Look.INSIDE, 3),
    ]
    finder.asked.clear()
    finder.found = {2: _Found()}
    # Whoever looks for the mark again has to look there.
    assert finder._inside([]) == _Found(view=views[1])
    assert [turn for *_, turn in finder.asked] == [1, 2]


@pytest.mark.parametrize(
    ("scores", "best"),
    [([5.0, 7.0, 6.0], [7.5, 6.5]), ([4.5, 4.6], [5.1]), ([4.5, 4.4], [])],
)
def test_the_wide_search_counts_what_it_tries(
    monkeypatch: pytest.MonkeyPatch, finder: Counting, scores: list[float], best: list[float]
) -> None:
    some = [Geometry(rotation=30.0), Geometry(), Geometry(rotation=30.0, scale=(2.0, 2.0))]
    turned: list[float] = []
    monkeypatch.setattr(detector, "upright", lambda _, octave: [replace(some[1], rotation=octave)])
    monkeypatch.setattr(
        detector, "try_scales", lambda _, key, *__: [_trial(s) for s in scores if key is KEYS[0]]
    )
    monkeypatch.setattr(
        detector, "candidates", lambda *_: [SimpleNamespace(geometry=one) for one in some]
    )
    monkeypatch.setattr(detector, "upright_picture", lambda _, one: turned.append(one.rotation))
    monkeypatch.setattr(
        detector, "try_both_ways", lambda *all_: [_trial(1.0, one) for one in (*all_[3], *all_[3])]
    )
    view: Any = 0.0
    found, looked = finder._searched_at(1.0, view)
    assert [trial.lock.score for trial in found] == best
    # Of both keys three candidates, each both ways; each is charged for the longer climb.
    assert looked == (len(scores) + 2 * 3 * 2) * (10 if best else 1)
    # Two of them share their rotation, for which a picture is turned once.
    assert turned == [0.0, 30.0] * 2


def test_the_wide_search_is_at_three_sizes(
    monkeypatch: pytest.MonkeyPatch, finder: Counting
) -> None:
    monkeypatch.setattr(
        detector,
        "mixed_parts",
        lambda _, most, coarse=False: ["coarse" if coarse else "usual", most],
    )
    monkeypatch.setattr(detector, "fine_picture", lambda _, most: f"fine {most}")
    seen: list[tuple[float, Any]] = []
    monkeypatch.setattr(
        Counting, "_searched_at", lambda _, octave, view: seen.append((octave, view)) or ([], 1)
    )
    assert finder._wide([]) is None
    # Scales of two thirds to one and a half are found at each; together .33 to 3.5.
    assert seen == [(1.0, ["usual", 5]), (2.3, ["coarse", 5]), (0.5, [(1.0, "fine 12")])]
