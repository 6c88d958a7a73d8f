"""Patterns of four levels, and which of them count as one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["PATTERN_CLASSES", "pattern_frequencies"]

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


def pattern_frequencies(cells: Sequence[NDArray[np.int16]]) -> NDArray[np.float64]:
    """Return how often each class of patterns occurs, float64 (PATTERN_CLASSES,), sum 1.

    Args:
        cells: The four levels of every pattern, 0, 1 or 2 with 1 for none: int16 arrays of one
            shape. A pattern, its negative and either of them read backwards are one class.
    """
    code = np.zeros(1, dtype=np.int16)
    for cell in cells:
        code = code * _LEVELS + cell
    counts = np.bincount(code.ravel(), minlength=_LEVELS**_ORDER)
    folded = np.bincount(_CLASS_OF, weights=counts, minlength=PATTERN_CLASSES)
    return np.asarray(folded / folded.sum(), dtype=np.float64)
