"""Patterns of four levels, and which of them count as one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["PATTERN_CLASSES", "pattern_frequencies", "three_levels"]

_ORDER = 4
_LEVELS = 3


def _classes() -> tuple[NDArray[np.int64], int]:
    """Map each of the 81 patterns to its class under change of sign and of direction."""
    codes: dict[tuple[int, ...], int] = {}
    table = []
    for pattern in itertools.product((-1, 0, 1), repeat=_ORDER):
        negative = tuple(-value for value in pattern)
        key = min(pattern, pattern[::-1], negative, negative[::-1])
        table.append(codes.setdefault(key, len(codes)))
    return np.array(table, dtype=np.int64), len(codes)


_CLASS_OF, PATTERN_CLASSES = _classes()


def three_levels(values: NDArray[np.float32], step: float) -> NDArray[np.uint8]:
    """Return 1 where a value is about zero, 0 where it is below, 2 above: by more than half a step.

    Args:
        values: float32 of any shape.
        step: Above 0, in the unit of the values.
    """
    scaled = values / np.float32(step)
    return np.asarray(1 + (scaled > 0.5).view(np.uint8) - (scaled < -0.5).view(np.uint8))


def pattern_frequencies(cells: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """Return how often each class of patterns occurs, float64 (PATTERN_CLASSES,), sum 1.

    Args:
        cells: The four levels of every pattern, 0, 1 or 2 with 1 for none: uint8 arrays of one
            shape. A pattern, its negative and either of them read backwards are one class.
    """
    code = cells[0]
    for cell in cells[1:]:
        code = code * np.uint8(_LEVELS) + cell  # 80 at most
    counts = np.zeros(_LEVELS**_ORDER)
    # OpenCV counts bytes many times faster than NumPy, exactly up to 2^24 of them.
    for part in code.reshape(len(code), -1):
        counts += cv2.calcHist([part], [0], None, [len(counts)], [0, len(counts)]).ravel()
    folded = np.bincount(_CLASS_OF, weights=counts, minlength=PATTERN_CLASSES)
    return np.asarray(folded / folded.sum(), dtype=np.float64)
