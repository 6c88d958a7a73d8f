"""Where in the picture: overlapping tiles scored like small clips, drawn as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.canonical import make_window
from vidigree.detect.classifier.geometry import Box, content_box
from vidigree.detect.classifier.model import ClassifierModel
from vidigree.detect.classifier.sampling import SAMPLE_RATE, SampledFrame

__all__ = [
    "CELLS",
    "HeatMap",
    "cells_of_tiles",
    "draw_heat_map",
    "heat_map",
    "tile_boxes",
]

CELLS = 4
"""Cells along each side of the map. A tile is two cells wide and high, one cell from the next."""

_WARM = 3.0
"""Log-likelihood ratio at which a colour is three quarters saturated (tanh 1)."""


@dataclass(frozen=True, kw_only=True)
class HeatMap:
    """Scores over the picture during one stretch of time.

    Attributes:
        start: Seconds from the first frame.
        end: Seconds from the first frame, exclusive.
        box: Top, bottom, left and right edge of the map as parts of the frame, [0, 1].
        cells: Natural-log likelihood ratio of each cell, rows from the top; the mean over the
            tiles that cover it. Tiles are smaller than what the weights were trained on, so read
            the differences between cells, not the level.
    """

    start: float
    end: float
    box: tuple[float, float, float, float]
    cells: tuple[tuple[float, ...], ...]

    @property
    def contrast(self) -> NDArray[np.float64]:
        """Each cell against the median of all; float64 (CELLS, CELLS)."""
        cells = np.array(self.cells)
        return np.asarray(cells - np.median(cells), dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Return the map as JSON values."""
        return {
            "start": self.start,
            "end": self.end,
            "box": [round(edge, 4) for edge in self.box],
            "cells": [[round(cell, 3) for cell in row] for row in self.cells],
        }


def tile_boxes(content: Box) -> list[Box]:
    """Return the tiles of a picture, rows first: (CELLS - 1) squared boxes of half its sides."""
    rows = np.linspace(content.top, content.bottom, CELLS + 1).round().astype(int)
    columns = np.linspace(content.left, content.right, CELLS + 1).round().astype(int)
    return [
        Box(int(rows[i]), int(rows[i + 2]), int(columns[j]), int(columns[j + 2]))
        for i in range(CELLS - 1)
        for j in range(CELLS - 1)
    ]


def heat_map(samples: Sequence[SampledFrame], model: ClassifierModel) -> HeatMap | None:
    """Score the tiles of one window.

    Args:
        samples: Its samples, the pictures bounded in size.
        model: Weights.

    Returns:
        The map; ``None`` where a tile is too small or there are no samples.
    """
    if not samples:
        return None
    height, width = samples[0].image.shape[:2]
    content = content_box([sample.image for sample in samples])
    kinds = tuple(sorted({block.view for block in model.blocks}))
    scores = []
    for box in tile_boxes(content):
        window = make_window(samples, kinds, box=box)
        if window is None:
            return None
        scores.append(float(model.llr(model.windows_members([window]))[0]))
    return HeatMap(
        start=samples[0].tick / SAMPLE_RATE,
        end=(samples[-1].tick + 1) / SAMPLE_RATE,
        box=(
            content.top / height,
            content.bottom / height,
            content.left / width,
            content.right / width,
        ),
        cells=cells_of_tiles(np.array(scores).reshape(CELLS - 1, CELLS - 1)),
    )


def cells_of_tiles(tiles: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    """Return for each cell the mean of the tiles that cover it; (3, 3) to CELLS rows."""
    total = np.zeros((CELLS, CELLS))
    count = np.zeros((CELLS, CELLS))
    for i in range(CELLS - 1):
        for j in range(CELLS - 1):
            total[i : i + 2, j : j + 2] += tiles[i, j]
            count[i : i + 2, j : j + 2] += 1
    return tuple(tuple(float(cell) for cell in row) for row in total / count)


def draw_heat_map(image: NDArray[np.uint8], found: HeatMap) -> NDArray[np.uint8]:
    """Lay the map over a frame: red speaks for synthesis, blue against it.

    Args:
        image: uint8 RGB (H, W, 3), a frame of the clip.
        found: The map.

    Returns:
        uint8 RGB (H, W, 3).
    """
    height, width = image.shape[:2]
    top, bottom, left, right = (
        round(edge * side)
        for edge, side in zip(found.box, (height, height, width, width), strict=True)
    )
    level = np.tanh(np.array(found.cells, dtype=np.float32) / _WARM)
    level = cv2.resize(level, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    colour = np.where(level[..., None] > 0, *_colours())
    strength = 0.65 * np.abs(level)[..., None]
    drawn = image.astype(np.float32)
    part = drawn[top:bottom, left:right]
    drawn[top:bottom, left:right] = part * (1 - strength) + colour * strength
    return np.clip(np.rint(drawn), 0, 255).astype(np.uint8)


def _colours() -> Sequence[NDArray[np.float32]]:
    return np.array([214, 40, 40], np.float32), np.array([38, 110, 196], np.float32)
