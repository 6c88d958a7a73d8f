"""Which levels and colours lie beside and upon each other, in the coarse picture.

Joint histograms of pairs at an eighth of the canonical size, where encodes change little. Alone
they tell little, for they lean on content; beside the other groups they say which of the training
clips a window can be compared with. So they have half a group's say in a distance.
"""

from __future__ import annotations

import itertools
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView

__all__ = ["Palette"]

_SIDE = 32
_LUMA = np.linspace(16, 236, 8)
_CHROMA = np.array([-40, -16, -6, -1.5, 1.5, 6, 16, 40])
"""Centres of the bins, finer around grey. What is outside counts with the last one."""

_PLANES = ("y", "cb", "cr")
_BINS = len(_LUMA)
_BESIDE = tuple((plane, plane) for plane in _PLANES)
_UPON = tuple(itertools.combinations(_PLANES, 2))


class Palette:
    """Joint histograms of a row's neighbours in each plane, and of two planes in one place."""

    name: ClassVar[str] = "palette"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return ``relation-plane-plane-bin-bin`` names."""
        pairs = [
            *(("beside", *pair) for pair in _BESIDE),
            *(("upon", *pair) for pair in _UPON),
        ]
        return tuple(
            f"{relation}-{first}-{second}-{row}-{column}"
            for relation, first, second in pairs
            for row in range(_BINS)
            for column in range(_BINS)
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return square roots of joint frequencies (384 features, in [0, 1])."""
        if not view.steady:
            return np.full(len(self.names()), np.nan, np.float32)
        memberships = {
            "y": _memberships(_coarse(view.luma), _LUMA),
            "cb": _memberships(_coarse(view.chroma[0]) - 128, _CHROMA),
            "cr": _memberships(_coarse(view.chroma[1]) - 128, _CHROMA),
        }
        parts = [_joint(planes[:, :, :-1], planes[:, :, 1:]) for planes in memberships.values()]
        parts += [_joint(memberships[first], memberships[second]) for first, second in _UPON]
        return np.sqrt(np.concatenate(parts)).astype(np.float32)


def _coarse(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.stack(
        [cv2.resize(plane, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for plane in planes]
    )


def _memberships(planes: NDArray[np.float32], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much each value belongs to each bin: one or two neighbouring ones, sum 1.

    Shared out in proportion to the distance from the centres, so that a small change of a value
    is a small change of the histogram.
    """
    place = np.interp(planes, centres, np.arange(len(centres)))
    distance = np.abs(place[..., None] - np.arange(len(centres)))
    return np.asarray(np.maximum(1 - distance, 0), dtype=np.float64)


def _joint(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = left.reshape(-1, _BINS)
    return np.asarray(rows.T @ right.reshape(-1, _BINS) / len(rows), dtype=np.float64).ravel()
