"""Co-occurrences of quantised residuals: how neighbouring pixels depend on each other.

After Fridrich and Kodovsky, "Rich models for steganalysis of digital images" (2012), sections
II.A-C: fewer residuals, coarser quantisation (what survives compression), directions averaged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView
from vidigree.detect.classifier.features.patterns import (
    PATTERN_CLASSES,
    pattern_frequencies,
    three_levels,
)

__all__ = ["Cooccurrence"]

_ORDER = 4
_RESIDUALS = ("first", "second", "third")
_STEPS = (2.0, 6.0)
_MAX_FRAMES = 8


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
            for index in range(PATTERN_CLASSES)
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return square roots of pattern frequencies (300 features, in [0, 1])."""
        stride = max(1, len(view.luma) // _MAX_FRAMES)
        luma = view.luma[::stride]
        rows = np.stack([luma, luma.transpose(0, 2, 1)])
        parts = []
        for values in _residuals(rows):
            for step in _STEPS:
                levels = three_levels(values, step)
                parts += [_histogram(levels, axis) for axis in (3, 2)]
        return np.sqrt(np.concatenate(parts)).astype(np.float32)


def _residuals(rows: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield the differences along the last axis, each divided by its kernel's central weight."""
    first = np.diff(rows, axis=3)
    yield first
    second = np.diff(first, axis=3)
    yield second / np.float32(2)
    yield np.diff(second, axis=3) / np.float32(3)


def _histogram(levels: NDArray[np.uint8], axis: int) -> NDArray[np.float64]:
    length = levels.shape[axis] - _ORDER + 1
    every = (slice(None),) * axis
    return pattern_frequencies(
        [levels[(*every, slice(offset, offset + length))] for offset in range(_ORDER)]
    )
