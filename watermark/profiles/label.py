"""The visible label: burnt into the frames before they are marked, at the top left."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import UsageError
from vidigree.watermark.credentials import Action
from vidigree.watermark.credentials.untrusted_text import bounded_text
from vidigree.watermark.profiles.lettering import draw_text

__all__ = ["LABEL_HEIGHT", "TimedFrame", "VisibleLabel", "fitting_label"]

TimedFrame = tuple[NDArray[np.uint8], Fraction | None]

LABEL_HEIGHT = Fraction(1, 20)
"""Height of the letters as a share of the shorter side: the least that GB 45438-2025 allows."""

_LEAST_PIXELS = 10  # below that nobody can read it
_SHOWN = 64  # characters of a label in an error
_BACKGROUND = 0.35  # what is left of the picture behind the letters


@dataclass(frozen=True, kw_only=True)
class VisibleLabel:
    """A label for frames of one size.

    Attributes:
        text: What it says.
        seconds: How long from the start it is shown; ``None`` means to the end.
        letters: Height of a capital letter in pixels.
        ink: float32 of shape (H, W), 0 to 1: the box in the corner, letters white.
    """

    text: str
    seconds: Fraction | None
    letters: int
    ink: NDArray[np.float32]

    def burn(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a copy of the frame with the label.

        Args:
            image: uint8 RGB of shape (height, width, 3).
        """
        height, width = self.ink.shape
        labelled = image.copy()
        corner = labelled[:height, :width].astype(np.float32) * _BACKGROUND
        ink = self.ink[..., None]
        labelled[:height, :width] = (corner * (1 - ink) + 255 * ink).round().astype(np.uint8)
        return labelled

    def on(self, frames: Iterable[TimedFrame], fps: Fraction) -> Iterator[TimedFrame]:
        """Label a stream of frames.

        Args:
            frames: uint8 RGB frames with their times in seconds; ``None`` means one step after the
                frame before.
            fps: Frames per second.
        """
        for index, (image, time) in enumerate(frames):
            shown = self.seconds is None or (index / fps if time is None else time) < self.seconds
            yield (self.burn(image) if shown else image), time

    def action(self) -> Action:
        """Return the record of it for the manifest."""
        until = "" if self.seconds is None else f", first {float(self.seconds):g} seconds"
        return Action(
            label="c2pa.addedText",
            description=f"Visible label {self.text!r}, top left{until}.",
            digital_source_type="algorithmicMedia",
        )


def fitting_label(
    texts: tuple[str, ...], *, width: int, height: int, seconds: Fraction | None
) -> VisibleLabel:
    """Return a label with the first of the texts that fits into the picture.

    Args:
        texts: Texts, the preferred one first.
        width: Frame width in pixels.
        height: Frame height in pixels.
        seconds: How long it is shown; ``None`` means to the end.

    Raises:
        UsageError: None of them fits, or one cannot be drawn.
    """
    letters = max(_LEAST_PIXELS, math.ceil(LABEL_HEIGHT * min(width, height)))
    margin = max(3, letters // 2)
    for text in texts:
        drawn = draw_text(text, letters)
        if drawn.shape[1] + 2 * margin <= width and drawn.shape[0] + 2 * margin <= height:
            ink = np.pad(drawn, margin)
            return VisibleLabel(text=text, seconds=seconds, letters=letters, ink=ink)
    raise UsageError(
        f"The label {bounded_text(texts[-1], _SHOWN)!r} does not fit into {width} x {height}"
        " pixels.",
        hint="Make a larger clip, a shorter label, or leave it to the player with --no-label.",
    )
