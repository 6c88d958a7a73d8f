"""Shots and takes: where a clip is cut, and which of its shots go on after something in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.sampling import SampledFrame

__all__ = ["ShotSample", "shots"]

_SIDE = 24
_MEMORY = 8
_SMALLEST_CHANGE = 12.0
"""Mean change of a small luma picture, in levels of 0-255, below which nothing is a cut."""
_FACTOR = 3.0
"""How many times the usual change of the shot so far a cut must be."""
_FACTOR_AFTER = 2.0
"""How many times the change right after it a cut must be; fast motion goes on, a cut does not."""

_ALIKE = 0.8
"""Least correlation of two small pictures of one take."""
_MOST_TAKES = 32
"""How many takes are remembered; the one that was seen longest ago is forgotten first."""


@dataclass(frozen=True)
class ShotSample:
    """A sample and where it belongs.

    Attributes:
        shot: Number of the shot, from 0: what lies between two cuts.
        take: Number of the take, from 0: shots that go on where an earlier one was interrupted
            share it, as the two parts of a clip do that something was inserted into.
        sample: The sample.
    """

    shot: int
    take: int
    sample: SampledFrame


def shots(samples: Iterable[SampledFrame]) -> Iterator[ShotSample]:
    """Number the shots of a clip by its hard cuts; dissolves and fades are not found.

    A cut is a change of the small picture that is large in itself, against the median of the
    changes before it in the same shot, and against the change that follows. Samples that repeat
    the one before do not count. One moment is held back to look ahead.

    A shot whose first small picture is close to the last one of an earlier take, so that no cut
    would be seen between the two, belongs to that take.

    Args:
        samples: The clip's samples in order.

    Yields:
        The samples in order, with their shot and take.
    """
    shot = 0
    takes = _Takes()
    usual: deque[float] = deque(maxlen=_MEMORY)
    held: list[SampledFrame] = []
    picture = np.zeros((_SIDE, _SIDE), np.float32)
    change = 0.0

    def released(after: float) -> Iterator[ShotSample]:
        nonlocal shot
        cut = _judged(change, after, usual)
        shot += cut
        take = takes.number(picture, cut=bool(cut))
        yield from (ShotSample(shot, take, old) for old in held)

    for sample, small, next_change in _changes(samples):
        if sample.repeated:
            held.append(sample)
            continue
        if held:
            yield from released(next_change)
        held, picture, change = [sample], small, next_change
    if held:
        yield from released(0.0)


class _Takes:
    """Remembers the last small picture of every take, and tells which one a shot goes on with."""

    def __init__(self) -> None:
        self._last: dict[int, NDArray[np.float32]] = {}
        self._current = 0
        self._count = 1

    def number(self, small: NDArray[np.float32], *, cut: bool) -> int:
        """Return the take of the next picture; ``cut`` says that it begins a shot."""
        if cut:
            earlier = [take for take in self._last if take != self._current]
            near = [take for take in earlier if _goes_on(self._last[take], small)]
            if near:
                self._current = min(near, key=lambda take: _distance(self._last[take], small))
            else:
                self._current, self._count = self._count, self._count + 1
        self._last.pop(self._current, None)  # to be the latest again
        self._last[self._current] = small
        if len(self._last) > _MOST_TAKES:
            del self._last[next(iter(self._last))]
        return self._current


def _goes_on(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Whether no cut would be seen between two small pictures, dark ones and flat ones apart."""
    if _distance(before, after) > _SMALLEST_CHANGE:
        return False
    spreads = float(before.std() * after.std())
    shared = float(((before - before.mean()) * (after - after.mean())).mean())
    return shared > _ALIKE * spreads


def _distance(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    return float(np.abs(first - second).mean())


def _judged(change: float, after: float, usual: deque[float]) -> int:
    """Return 1 and forget the shot at a cut; 0 and remember the change otherwise."""
    median = float(np.median(usual)) if usual else 0.0
    if change > max(_SMALLEST_CHANGE, _FACTOR * median, _FACTOR_AFTER * after):
        usual.clear()
        return 1
    usual.append(change)
    return 0


def _changes(
    samples: Iterable[SampledFrame],
) -> Iterator[tuple[SampledFrame, NDArray[np.float32], float]]:
    """Yield each sample, its small picture, and how much that differs from the one before.

    The difference is 0 at first.
    """
    before: NDArray[np.float32] | None = None
    for sample in samples:
        small = _small(sample.image)
        yield sample, small, 0.0 if before is None else _distance(small, before)
        before = small


def _small(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    size = (_SIDE, _SIDE)
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
