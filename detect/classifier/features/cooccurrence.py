"""Co-occurrences of quantised residuals: how neighbouring pixels depend on each other.

After Fridrich and Kodovsky, "Rich models for steganalysis of digital images" (2012), sections
II.A-C: fewer residuals, coarser quantisation (what survives compression), directions averaged.
"""

from __future__ import annotations

import itertools
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView

__all__ = ["Cooccurrence"]

_ORDER = 4
_LEVELS = 3
_RESIDUALS = ("first", "second", "third")
_STEPS = (2.0, 6.0)
_MAX_FRAMES = 8


def _classes() -> tuple[NDArray[np.int64], int]:
    """Map each of the 81 patterns to its class under change of sign and of direction."""
    codes: dict[tuple[int, ...], int] = {}
    table = []
    for pattern in itertools.product((-1, 0, 1), repeat=_ORDER):
        negative = tuple(-value for value in pattern)
        key = min(pattern, pattern[::-1], negative, negative[::-1])
        table.append(codes.setdefault(key, len(codes)))
    return np.array(table, dtype=np.int64), len(codes)


_CLASS_OF, _CLASSES = _classes()


class Cooccurrence:
    """Histograms of four neighbouring residuals, along and across the residual's direction."""

    name: ClassVar[str] = "cooccurrence"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return ``residual-step-direction-class`` names."""
        return tuple(
            f"{residual}-q{step:g}-{direction}-{index}"
            for residual in _RESIDUALS
            for step in _STEPS
            for direction in ("along", "across")
            for index in range(_CLASSES)
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return square roots of pattern frequencies (300 features, in [0, 1])."""
        stride = max(1, len(view.luma) // _MAX_FRAMES)
        luma = view.luma[::stride]
        rows = np.stack([luma, luma.transpose(0, 2, 1)])
        parts = []
        for residual in _RESIDUALS:
            values = _residual(rows, residual)
            for step in _STEPS:
                levels = (np.clip(np.rint(values / step), -1, 1) + 1).astype(np.int16)
                parts += [_histogram(levels, axis) for axis in (3, 2)]
        return np.sqrt(np.concatenate(parts)).astype(np.float32)


def _residual(rows: NDArray[np.float32], kind: str) -> NDArray[np.float32]:
    """Return a difference along the last axis, divided by its kernel's central weight."""
    first = np.diff(rows, axis=3)
    if kind == "first":
        return first
    second = np.diff(first, axis=3)
    if kind == "second":
        return second / np.float32(2)
    return np.diff(second, axis=3) / np.float32(3)


def _histogram(levels: NDArray[np.int16], axis: int) -> NDArray[np.float64]:
    length = levels.shape[axis] - _ORDER + 1
    code = np.zeros(1, dtype=np.int16)
    for offset in range(_ORDER):
        part = levels.take(range(offset, offset + length), axis=axis)
        code = code * _LEVELS + part
    counts = np.bincount(code.ravel(), minlength=_LEVELS**_ORDER)
    folded = np.bincount(_CLASS_OF, weights=counts, minlength=_CLASSES)
    return np.asarray(folded / folded.sum(), dtype=np.float64)
