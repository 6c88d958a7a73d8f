"""Shots: where a clip is cut, so that no window mixes two of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.sampling import SampledFrame

__all__ = ["shots"]

_SIDE = 24
_MEMORY = 8
_SMALLEST_CHANGE = 12.0
"""Mean change of a small luma picture, in levels of 0-255, below which nothing is a cut."""
_FACTOR = 3.0
"""How many times the usual change of the shot so far a cut must be."""
_FACTOR_AFTER = 2.0
"""How many times the change right after it a cut must be; fast motion goes on, a cut does not."""


def shots(samples: Iterable[SampledFrame]) -> Iterator[tuple[int, SampledFrame]]:
    """Number the shots of a clip by its hard cuts; dissolves and fades are not found.

    A cut is a change of the small picture that is large in itself, against the median of the
    changes before it in the same shot, and against the change that follows. Samples that repeat
    the one before do not count. One moment is held back to look ahead.

    Args:
        samples: The clip's samples in order.

    Yields:
        The number of the shot, from 0, and the sample.
    """
    shot = 0
    usual: deque[float] = deque(maxlen=_MEMORY)
    held: list[SampledFrame] = []
    change = 0.0
    for sample, next_change in _changes(samples):
        if sample.repeated:
            held.append(sample)
            continue
        if held:
            shot += _judged(change, next_change, usual)
            yield from ((shot, old) for old in held)
        held, change = [sample], next_change
    if held:
        shot += _judged(change, 0.0, usual)
        yield from ((shot, old) for old in held)


def _judged(change: float, after: float, usual: deque[float]) -> int:
    """Return 1 and forget the shot at a cut; 0 and remember the change otherwise."""
    median = float(np.median(usual)) if usual else 0.0
    if change > max(_SMALLEST_CHANGE, _FACTOR * median, _FACTOR_AFTER * after):
        usual.clear()
        return 1
    usual.append(change)
    return 0


def _changes(samples: Iterable[SampledFrame]) -> Iterator[tuple[SampledFrame, float]]:
    """Yield each sample and how much its small picture differs from the one before; 0 at first."""
    before: NDArray[np.float32] | None = None
    for sample in samples:
        small = _small(sample.image)
        yield sample, 0.0 if before is None else float(np.abs(small - before).mean())
        before = small


def _small(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    size = (_SIDE, _SIDE)
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
