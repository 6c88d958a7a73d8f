"""Which looks a detector takes, in which order, and what it believes of them."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vidigree.media.frame import Frame
from vidigree.watermark.keyring import PUBLISHED_KEY, MarkKey
from vidigree.watermark.robust import RobustMark, detector
from vidigree.watermark.robust.budget import Look, share_of
from vidigree.watermark.robust.detector import Detector
from vidigree.watermark.robust.geometry import UNSCALED, Geometry

MESSAGE = SimpleNamespace(message=7, p_value=1e-20)
PRESENT = SimpleNamespace(message=None, p_value=1e-8)
PICTURE = np.random.default_rng(1).integers(0, 256, (64, 96, 3), dtype=np.uint8)


class Scripted(Detector):
    """A detector whose looks give what a test says; it keeps which were taken."""

    def __init__(self, answers: dict[Look, Any], *, trace: bool = False) -> None:
        super().__init__([PUBLISHED_KEY], Fraction(2))
        self.answers, self.trace = answers, trace
        self.taken: list[tuple[Look, int]] = []

    def _direct(self, parts: Any, picture: Any, look: Look) -> Any:
        self.taken.append((look, len(parts)))
        return self.answers.get(look), self.trace

    def _decode(self, trials: Any, parts: Any, looked: int, look: Look, turn: Any = None) -> Any:
        self.taken.append((look, looked))
        return self.answers.get(look)

    def _inside(self, stretches: Any) -> Any:
        self.taken.append((Look.INSIDE, len(stretches)))
        return self.answers.get(Look.INSIDE)

    def _searched_at(self, octave: float, view: Any) -> Any:
        return [_trial(9.0)], 100


@pytest.fixture
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let parts be the stretches themselves, and a sum be all of them."""
    monkeypatch.setattr(detector, "parts_of", list)
    monkeypatch.setattr(detector, "summed", lambda parts: parts)
    for name in ("learned_parts", "mixed_parts"):
        monkeypatch.setattr(detector, name, lambda stretches, most, **_: stretches[:most])
    monkeypatch.setattr(detector, "fine_picture", lambda stretches, _: stretches)
    monkeypatch.setattr(detector, "try_geometry", lambda *_: None)


def _find(finder: Scripted, count: int = 20, *, wide: bool = True) -> tuple[Any, list[Look]]:
    stretches: Any = list(range(count))
    return finder._find(stretches, wide=wide), [look for look, _ in finder.taken]


A, L, LL, IN = Look.AS_IT_IS, Look.LEARNED, Look.LEARNED_MORE, Look.INSIDE


@pytest.mark.usefixtures("_plain")
@pytest.mark.parametrize(
    ("answers", "trace", "count", "found", "taken"),
    [
        ({A: MESSAGE}, True, 20, MESSAGE, [A]),
        # Presence alone is looked at by the network, and no wider.
        ({A: PRESENT}, False, 20, PRESENT, [A, L]),
        ({A: PRESENT, L: MESSAGE}, True, 20, MESSAGE, [A, L]),
        ({A: PRESENT}, True, 20, PRESENT, [A, L, LL]),
        # Where a few stretches show a trace, more are looked at, if there are more.
        ({L: PRESENT, LL: MESSAGE}, True, 20, MESSAGE, [A, L, LL]),
        ({LL: MESSAGE}, True, 6, MESSAGE, [A, L, LL]),
        ({L: PRESENT}, True, 20, PRESENT, [A, L, LL]),
        ({L: PRESENT, LL: MESSAGE}, True, 5, PRESENT, [A, L]),
        ({L: PRESENT, LL: MESSAGE}, False, 20, PRESENT, [A, L]),
        ({IN: MESSAGE}, False, 20, MESSAGE, [A, L, IN]),
    ],
)
def test_looks_are_taken_until_one_gives_a_message(
    answers: dict[Look, Any], trace: bool, count: int, found: Any, taken: list[Look]
) -> None:
    assert _find(Scripted(answers, trace=trace), count) == (found, taken)


@pytest.mark.usefixtures("_plain")
def test_a_block_that_is_not_worth_more_is_looked_at_as_it_is() -> None:
    for answer in (None, PRESENT, MESSAGE):
        assert _find(Scripted({A: answer}), wide=False) == (answer, [A])


@pytest.mark.usefixtures("_plain")
def test_without_a_network_the_search_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "learned_parts", lambda *_: [])
    wide = [Look.WIDE, Look.COARSE, Look.FINE]
    assert _find(Scripted({})) == (None, [A, IN, *wide])


W, WW, C, CC, F = Look.WIDE, Look.WIDE_MORE, Look.COARSE, Look.COARSE_MORE, Look.FINE


@pytest.mark.usefixtures("_plain")
@pytest.mark.parametrize(
    ("answers", "count", "found", "taken"),
    [
        ({}, 20, None, [W, WW, C, CC, F]),
        ({W: MESSAGE}, 20, MESSAGE, [W]),
        ({W: PRESENT, WW: MESSAGE}, 20, MESSAGE, [W, WW]),
        ({W: PRESENT}, 20, PRESENT, [W, WW]),
        ({CC: MESSAGE}, 20, MESSAGE, [W, WW, C, CC]),
        # The network has seen all of five stretches at the working size, and none at the coarse.
        ({CC: MESSAGE}, 5, MESSAGE, [W, C, CC]),
        ({F: PRESENT}, 20, PRESENT, [W, WW, C, CC, F]),
    ],
)
def test_the_wide_search_goes_from_size_to_size(
    answers: dict[Look, Any],
    count: int,
    found: Any,
    taken: list[Look],
) -> None:
    finder = Scripted(answers)
    stretches: Any = list(range(count))
    assert finder._wide(stretches) == found
    assert [look for look, _ in finder.taken] == taken
    # What a look points to was chosen from all that it tried, and is charged for all of it.
    assert {looked for _, looked in finder.taken} == {100}


@pytest.mark.usefixtures("_plain")
def test_a_small_source_has_no_fine_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "fine_picture", lambda *_: None)
    monkeypatch.setattr(Scripted, "_searched_at", lambda *_: ([], 100))
    finder = Scripted({})
    assert finder._wide([]) is None
    assert finder.taken == []
    stretches: Any = list(range(20))
    assert finder._wide(stretches) is None
    # Where no geometry is worth it, the network is not asked.
    assert [look for look, _ in finder.taken] == [W, C]


def test_blocks_are_searched_widely_ever_more_seldom() -> None:
    finder, wide = Scripted({}), []
    for number in range(1, 130):
        finder._blocks = number
        if finder._wide_now(20):
            wide.append(number)
        assert finder._wide_now(3) is (number in wide)
        assert finder._wide_now(2) is (number == 1)
    assert wide == [1, 2, 3, 4, 8, 16, 32, 64, 128]


def _finding(message: int | None, trial: Any = None, p_value: float = 1e-20) -> Any:
    return SimpleNamespace(message=message, trial=trial, p_value=p_value, view=None)


class Several(Detector):
    """A detector that finds one mark after another; it keeps where it looked for them."""

    def __init__(self, messages: list[int | None]) -> None:
        super().__init__([PUBLISHED_KEY], Fraction(2))
        self.messages = messages
        self.asked: list[tuple[list[int], bool]] = []

    def _find(self, stretches: Any, *, wide: bool) -> Any:
        self.asked.append(([one.number for one in stretches], wide))
        return _finding(self.messages.pop(0)) if self.messages else None


def _several(
    monkeypatch: pytest.MonkeyPatch, count: int, messages: list[int | None], carry: dict[int, Any]
) -> Several:
    """Search one block, of which each message is carried by some stretches."""
    monkeypatch.setattr(
        detector,
        "carrying_runs",
        lambda rest, found: [[one for one in rest if one.number in carry[found.message]]],
    )
    monkeypatch.setattr(detector, "segments_of", lambda *_: ())
    finder = Several(messages)
    block: Any = [SimpleNamespace(number=number) for number in range(count)]
    marks = list(finder._search(block))
    assert {mark.finding.message for mark in marks} == {*[*carry][: len(marks)]}
    return finder


def test_of_several_marks_in_a_block_each_is_looked_for_where_no_other_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    carry = {7: {1, 2, 6}, 8: {0, 4}, 9: {3}, 10: {5}}
    finder = _several(monkeypatch, 9, [*carry], carry)
    # Widely at first only, and for three marks at most: what is left has its next block.
    assert finder.asked == [
        ([0, 1, 2, 3, 4, 5, 6, 7, 8], True),
        ([0, 3, 4, 5, 7, 8], False),
        ([3, 5, 7, 8], False),
    ]
    assert [known.message for known in finder._known] == [7, 8, 9]


@pytest.mark.parametrize(("left", "again"), [(3, True), (2, False), (0, False)])
def test_what_is_left_of_a_block_is_searched_if_it_is_a_second_and_a_half(
    monkeypatch: pytest.MonkeyPatch, left: int, again: bool
) -> None:
    finder = _several(monkeypatch, 4 + left, [7], {7: {0, 1, 2, 3}})
    assert [some for some, _ in finder.asked][1:] == [[*range(4, 4 + left)]] * again


def test_a_message_is_known_once(monkeypatch: pytest.MonkeyPatch) -> None:
    finder = _several(monkeypatch, 9, [7, 7], {7: {0}})
    assert [known.message for known in finder._known] == [7]


@pytest.mark.usefixtures("_plain")
def test_a_mark_that_is_known_is_looked_for_first(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = {7: 7.0, 8: 7.0, None: 99.0}
    monkeypatch.setattr(detector, "message_score_of", lambda _, known: scores[known.message])
    finder = Scripted({A: MESSAGE})
    seven, eight = _finding(7), _finding(8)
    # Presence is no message, however clear: there is nothing to know it again by.
    for known, found in (
        ([_finding(None)], MESSAGE),
        ([seven], seven),
        ([_finding(None), eight, seven], eight),
    ):
        finder._known, finder.taken = known, []
        assert finder._find([], wide=True) is found
        assert len(finder.taken) == (found is MESSAGE)
    # exp(-6.5 ** 2 / 2) is 7e-10, enough for one mark that is known and not for two.
    scores |= {7: 6.5, 8: 0.0}
    for known, found in (([seven], seven), ([seven, eight], MESSAGE)):
        finder._known = known
        assert finder._find([], wide=True) is found


@pytest.mark.slow
def test_every_search_of_a_file_is_paid_for_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, Look, int | None]] = []

    def share(search: int, look: Look, turn: int | None = None) -> float:
        asked.append((search, look, turn))
        return share_of(search, look, turn)

    monkeypatch.setattr(detector, "share_of", share)
    reader = Detector([PUBLISHED_KEY], Fraction(2))
    for index in range(46):  # two blocks, and a rest that is not searched widely
        reader.feed(Frame(image=PICTURE if index % 2 else PICTURE[::-1], time=Fraction(index, 2)))
        if index == 24:
            assert {search for search, *_ in asked} == {1}
    assert not reader.finish()
    assert {search for search, *_ in asked} == {1, 2, 3}
    assert max(Counter(asked).values()) == 1
    assert {look for search, look, _ in asked if search == 1} >= {A, L, W, C}
    assert sum(share_of(*one) for one in asked) < 1.0


def test_a_trace_is_as_rare_with_many_keys_as_with_one() -> None:
    for count in (1, 2, 100):
        keys = [MarkKey(key_id=str(index), secret=bytes(32)) for index in range(count)]
        trace = Detector(keys, Fraction(2))._trace
        assert count * math.exp(-(trace**2) / 2) == pytest.approx(math.exp(-(4.5**2) / 2))


def _trial(score: float, geometry: Geometry = UNSCALED[1], name: str = "") -> Any:
    return SimpleNamespace(
        key=PUBLISHED_KEY,
        carrier=None,
        geometry=geometry,
        lock=SimpleNamespace(score=score, shift=(0.0, 0.0)),
        spectrum=None,
        name=name,
    )


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Answer every decoding by the trial's name: a message, or a p-value; keep what was asked."""
    asked: list[Any] = []

    def decode(trial: Any, looked: int, decodes: int, share: float, parts: Any, **how: Any) -> Any:
        asked.append((trial.lock.score, looked, decodes, share, parts, how))
        says = trial.name
        return _finding(int(says), trial) if says.isdigit() else _finding(None, trial, float(says))

    monkeypatch.setattr(detector, "decode_trial", decode)
    return asked


def test_the_best_four_of_a_look_that_are_worth_it_are_decoded(decoded: list[Any]) -> None:
    finder = Detector([PUBLISHED_KEY], Fraction(2))
    finder._searches = 3
    scores = (5.0, 4.4, 6.0, 4.5, 8.0, 7.0)
    trials = [_trial(score, name="1.0") for score in scores]
    assert finder._decode(trials, [], 600, Look.INSIDE, 2) is None
    assert [row[0] for row in decoded] == [8.0, 7.0, 6.0, 5.0]
    share = share_of(3, Look.INSIDE, 2)
    assert {row[1:4] for row in decoded} == {(600, 4, share)}
    assert finder.looked == 600
    decoded.clear()
    assert finder._decode(trials[1:2] + trials[3:4], [], 40, W) is None
    assert [row[0] for row in decoded] == [4.5]
    assert finder.looked == 640


@pytest.mark.parametrize(("look", "whole"), [(look, look in {A, L, LL}) for look in Look])
def test_only_what_was_not_cut_may_be_whole(decoded: list[Any], look: Look, whole: bool) -> None:
    finder = Detector([PUBLISHED_KEY], Fraction(2))
    finder._searches = 1
    finder._decode([_trial(5.0, name="1.0")], [], 11, look)
    assert [row[-1] for row in decoded] == [{"whole": whole, "stay": False}]


@pytest.mark.parametrize(
    ("says", "message", "p_value", "asked"),
    [
        (("3", "4"), 3, 1e-20, 1),
        (("1e-7", "4"), 4, 1e-20, 2),
        (("1e-7", "1e-9", "1e-8"), None, 1e-9, 3),
        (("1e-6",), None, 1e-6, 1),
    ],
)
def test_the_first_message_counts_or_else_the_clearest_presence(
    decoded: list[Any], says: tuple[str, ...], message: int | None, p_value: float, asked: int
) -> None:
    finder = Detector([PUBLISHED_KEY], Fraction(2))
    finder._searches = 1
    trials = [_trial(9.0 - place, name=says[place]) for place in range(len(says))]
    found = finder._decode(trials, [], 11, W)
    assert found is not None
    assert (found.message, found.p_value, len(decoded)) == (message, p_value, asked)


def test_a_chance_match_is_no_mark(decoded: list[Any]) -> None:
    finder = Detector([PUBLISHED_KEY], Fraction(2))
    finder._searches = 1
    assert finder._decode([_trial(9.0, name="1.1e-6")], [], 11, W) is None
    assert len(decoded) == 1


def test_further_shifts_are_of_the_upright_picture_and_new(
    monkeypatch: pytest.MonkeyPatch, decoded: list[Any]
) -> None:
    found = [SimpleNamespace(score=s, shift=(s, 0.0)) for s in (9.0, 4.2, 4.0, 3.9, 3.8)]
    monkeypatch.setattr(detector, "find_shifts", lambda *_: found)
    monkeypatch.setattr(
        detector, "replace", lambda one, lock: SimpleNamespace(**{**vars(one), "lock": lock})
    )
    upright = _trial(9.0, UNSCALED[0], "1.0")
    upright.lock.shift = (9.0, 0.0)
    finder = Detector([PUBLISHED_KEY], Fraction(2))
    finder._searches = 1
    for look, scores in ((A, [9.0, 6.0, 4.2, 4.0, 3.9]), (W, [9.0, 6.0])):
        decoded.clear()
        finder._decode([upright, _trial(6.0, name="1.0")], [], 11, look)
        assert [row[0] for row in decoded] == scores
        assert {row[2] for row in decoded} == {len(scores)}
        assert [row[-1]["stay"] for row in decoded] == [score < 6 for score in scores]


def test_a_film_that_was_cut_is_searched_once_and_then_known(textured: Any) -> None:
    frames = textured(256, 384, 12, 8)
    marked = [
        frame[40:220, 60:340]
        for frame in RobustMark().embed(frames, 77, key=PUBLISHED_KEY, fps=Fraction(2))
    ]
    reader = Detector([PUBLISHED_KEY], Fraction(2))
    marks, looked = [], []
    for index in range(60):
        marks += reader.feed(Frame(image=marked[index % 12], time=Fraction(index, 2)))
        looked.append(reader.looked)
    marks += reader.finish()
    assert [mark.finding.message for mark in marks] == [77, 77, 77]
    assert looked[20] > 0
    assert reader.looked == looked[20]
    assert [mark.segments[0].start for mark in marks] == [0.0, 10.0, 20.0]
    assert marks[2].segments[-1].end == 30.0
    assert len(reader._known) == 1
