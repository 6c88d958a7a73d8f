"""Where in time: scores of windows that overlap and never mix two shots, and stretches of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.canonical import (
    SHORTEST_WINDOW,
    WINDOW_FRAMES,
    CanonicalWindow,
    make_window,
)
from vidigree.detect.classifier.geometry import bounded, centre_box, content_box
from vidigree.detect.classifier.sampling import SAMPLE_RATE, SampledFrame, nearest_frames
from vidigree.detect.classifier.shots import ShotSample, shots
from vidigree.media.reading import Frame

__all__ = [
    "LEAST_EVIDENCE",
    "WHOLE_EVIDENCE",
    "CurvePoint",
    "ShotWindow",
    "Stretch",
    "curve_step",
    "shot_windows",
    "stretches",
]

SHORTEST_STEP = 8
"""Ticks from one window to the next: one second, half a window."""

_MOST_POINTS = 120
LEAST_EVIDENCE = 1.0
"""How far a part must stand above its level, in nats; chosen on self-made splices.

Of a clip of several parts, any of which could be the one, the logarithm of their number more.
"""

WHOLE_EVIDENCE = 2.0
"""How far above even odds, in nats, a clip must be on average for most of it to be named."""

_LEVEL_SHARE = 0.25
"""How much of what the other takes of a clip stand below even odds is their common level.

All of it finds more inserts, but names most scenes that another camera filmed, too.
"""
_SWITCH_AT_CUT = 0.0
_SWITCH_WITHIN = 4.0
"""What it costs, in nats, to change between real and synthetic at a cut and inside a shot."""


@dataclass(frozen=True)
class ShotWindow:
    """A canonical window inside one shot.

    Attributes:
        shot: Number of the shot, from 0.
        take: Number of the take, from 0; see :class:`.ShotSample`.
        window: The window.
        samples: The samples it was made of, their pictures bounded in size.
    """

    shot: int
    take: int
    window: CanonicalWindow
    samples: tuple[SampledFrame, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """The score of one window of the curve.

    Attributes:
        start: Seconds from the first frame.
        end: Seconds from the first frame, exclusive.
        shot: Number of the shot, from 0.
        take: Number of the take, from 0: shots that go on after something in between share it.
        llr: Natural-log likelihood ratio, synthetic over real, of this window alone, by the member
            that compares parts of one clip; not a part of the clip's own ratio.
    """

    start: float
    end: float
    shot: int
    take: int
    llr: float


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A part of the clip that speaks for synthesis.

    Attributes:
        start: Seconds from the first frame.
        end: Seconds from the first frame, exclusive.
        llr: Mean log-likelihood ratio of its windows.
    """

    start: float
    end: float
    llr: float


def curve_step(seconds: float) -> int:
    """Return the ticks between windows, so that about _MOST_POINTS cover a clip of this length."""
    return SHORTEST_STEP * max(1, math.ceil(seconds * SAMPLE_RATE / (SHORTEST_STEP * _MOST_POINTS)))


def shot_windows(
    frames: Iterable[Frame],
    *,
    kinds: Sequence[str],
    step: int = SHORTEST_STEP,
    made: Iterable[CanonicalWindow] = (),
) -> Iterator[ShotWindow]:
    """Yield overlapping windows of every shot; at most one window of frames is held in memory.

    Args:
        frames: The clip in display order.
        kinds: The views to make.
        step: Ticks from the start of a window to the start of the next one in the same shot.
        made: Windows of this clip that were made already; those of the same samples are yielded
            again, with what they hold.
    """
    known = {
        (window.start, window.end): window
        for window in made
        # One that was cut anew past a blank may leave out what lies between two windows.
        if window.num_frames == round((window.end - window.start) * SAMPLE_RATE)
        and window.views.keys() >= set(kinds)
    }
    held: list[ShotSample] = []
    current, fresh, skip = 0, 0, 0
    for part in shots(nearest_frames(frames)):
        if part.shot != current:
            yield from _rest(held, fresh, kinds, known)
            current, held, fresh, skip = part.shot, [], 0, 0
        if skip:
            skip -= 1
            continue
        image = bounded(part.sample.image)
        held.append(replace(part, sample=replace(part.sample, image=image)))
        fresh += 1
        if len(held) == WINDOW_FRAMES:
            yield from _made(held, kinds, known)
            held, fresh, skip = held[step:], 0, max(0, step - WINDOW_FRAMES)
    yield from _rest(held, fresh, kinds, known)


_Known = Mapping[tuple[float, float], CanonicalWindow]
"""Windows by start and end, in seconds."""


def _rest(
    held: list[ShotSample], fresh: int, kinds: Sequence[str], known: _Known
) -> Iterator[ShotWindow]:
    if len(held) >= SHORTEST_WINDOW and fresh >= SHORTEST_WINDOW:
        yield from _made(held, kinds, known)


def _made(held: list[ShotSample], kinds: Sequence[str], known: _Known) -> Iterator[ShotWindow]:
    samples = tuple(part.sample for part in held)
    window = known.get((samples[0].tick / SAMPLE_RATE, (samples[-1].tick + 1) / SAMPLE_RATE))
    if window is None:
        # Nobody asks for the quality of a part of a clip, which is measured where no box is told.
        box = centre_box(content_box([sample.image for sample in samples]))
        window = make_window(samples, kinds, box=box)
    if window is not None:
        yield ShotWindow(held[0].shot, held[0].take, window, samples)


def stretches(
    points: Sequence[CurvePoint], *, threshold: float = LEAST_EVIDENCE
) -> tuple[Stretch, ...]:
    """Return the parts of a clip that speak for synthesis.

    Each window is called real or synthetic by the likeliest sequence (Viterbi, 1967) of two
    states whose change is cheap at a cut and dear inside a shot. The windows of one take speak with
    half their own voice and half the take's mean, since one window is uncertain.

    What was put into a clip is the smaller part of it. So a take that is more than half of the clip
    is named only where the clip on average is ``WHOLE_EVIDENCE`` above even odds; the others must
    stand ``threshold`` above their level, and the logarithm of their number more, since any of
    them could be the one by chance. Their level is judged a little by the other takes of the clip
    where those look real: footage of one camera shares its level.

    Args:
        points: The curve in order.
        threshold: How far above its level a window of a smaller part must be, in nats; most of a
            clip is never named for less.
    """
    if not points:
        return ()
    evidence = _evidence(points, threshold)
    states = _likeliest(evidence, [point.shot for point in points])
    found: list[Stretch] = []
    for first, last in _runs(states):
        part = points[first : last + 1]
        llr = float(np.mean([point.llr for point in part]))
        found.append(Stretch(start=part[0].start, end=part[-1].end, llr=llr))
    return tuple(found)


def _evidence(points: Sequence[CurvePoint], threshold: float) -> NDArray[np.float64]:
    """Return how far each window (n,) stands above what is asked of it, in nats times windows."""
    llr = np.array([point.llr for point in points])
    take = np.array([point.take for point in points])
    length = np.array([point.end - point.start for point in points]) * SAMPLE_RATE
    share = _shares(points)
    means = {own: float(llr[take == own].mean()) for own in share}
    smaller = [own for own in share if share[own] <= 0.5]
    asked = {own: threshold + math.log(len(smaller)) for own in smaller}
    whole = max(threshold, WHOLE_EVIDENCE)
    overall = sum(share[own] * means[own] for own in share)
    above = np.zeros(len(points))
    for own in share:
        here = take == own
        least = asked.get(own, whole if overall >= whole else math.inf)
        above[here] = (llr[here] + means[own]) / 2 - _level(llr[~here]) - least
    return np.asarray(above * length / WINDOW_FRAMES, dtype=np.float64)


def _shares(points: Sequence[CurvePoint]) -> dict[int, float]:
    """Return the share of each take in the seconds that windows cover; the sum is 1."""
    ends: dict[tuple[int, int], tuple[float, float]] = {}
    for point in points:
        key = (point.take, point.shot)
        start, end = ends.get(key, (point.start, point.end))
        ends[key] = (min(start, point.start), max(end, point.end))
    seconds: dict[int, float] = {}
    for (take, _), (start, end) in ends.items():
        seconds[take] = seconds.get(take, 0.0) + end - start
    total = sum(seconds.values())
    return {take: length / total for take, length in seconds.items()}


def _level(others: NDArray[np.float64]) -> float:
    """Return the level that the other takes of a clip suggest, in nats, at most 0."""
    return _LEVEL_SHARE * min(0.0, float(np.median(others))) if len(others) else 0.0


def _likeliest(evidence: NDArray[np.float64], shot: Sequence[int]) -> NDArray[np.bool_]:
    best = np.array([0.0, evidence[0]])
    came: list[tuple[int, int]] = []
    for index in range(1, len(evidence)):
        cost = _SWITCH_WITHIN if shot[index] == shot[index - 1] else _SWITCH_AT_CUT
        options = [(best[state], best[1 - state] - cost) for state in (0, 1)]
        came.append(
            tuple(
                state if options[state][0] >= options[state][1] else 1 - state for state in (0, 1)
            )  # type: ignore[arg-type]
        )
        best = np.array([max(options[0]), max(options[1]) + evidence[index]])
    state = int(best[1] > best[0])
    states = [state]
    for origin in reversed(came):
        state = origin[state]
        states.append(state)
    return np.array(states[::-1], dtype=np.bool_)


def _runs(states: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], states, [False]]).astype(int)))
    return [(int(first), int(after) - 1) for first, after in edges.reshape(-1, 2)]
