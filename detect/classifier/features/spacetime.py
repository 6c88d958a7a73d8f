"""Patterns of coarse detail in space and time: does it move on, stay, or come and go?

The co-occurrences of steganalysis (see ``cooccurrence``) over two neighbours in a row and the same
two one frame later. At a quarter and an eighth of the canonical size a pattern spans what a camera
moves in a frame, and lossy encodes leave it as it is.
"""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView
from vidigree.detect.classifier.features.patterns import (
    PATTERN_CLASSES,
    pattern_frequencies,
    three_levels,
)

__all__ = ["SpaceTimePatterns"]

_SIDES = (64, 32)
_BLUR = 1.2
"""Standard deviation, in pixels, of the blur that is taken off: what is left is detail."""

_STEP = 1.5
"""Levels of 0-255 to one step; detail under half a step counts as none."""


class SpaceTimePatterns:
    """Histograms of a row's neighbouring pair of detail in successive frames, at two sizes.

    Pairs in a row only: pairs in a column, two frames' distance, frame differences in place of
    detail, coarser steps and a sixteenth of the size told less (on clips of held-out origins).
    """

    name: ClassVar[str] = "spacetime"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return ``size-class`` names."""
        return tuple(f"{side}-{index}" for side in _SIDES for index in range(PATTERN_CLASSES))

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return square roots of pattern frequencies (50 features, in [0, 1])."""
        if not view.steady:
            return np.full(len(self.names()), np.nan, np.float32)
        parts = []
        frames = list(view.luma)
        for side in _SIDES:
            frames = [
                cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA) for frame in frames
            ]
            detail = np.stack([frame - cv2.GaussianBlur(frame, (0, 0), _BLUR) for frame in frames])
            levels = three_levels(detail, _STEP)
            now, later = levels[:-1], levels[1:]
            parts.append(
                pattern_frequencies([now[..., :-1], now[..., 1:], later[..., :-1], later[..., 1:]])
            )
        return np.sqrt(np.concatenate(parts)).astype(np.float32)
