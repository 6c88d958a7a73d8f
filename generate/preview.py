"""A small picture of a clip in the making, beside its output, gone when the making ends.

It must not be a way to get an unmarked clip out: it is one still of at most 160 pixels, says
PREVIEW across its middle, replaces the one before, and is deleted before the clip is stamped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.media.output import output_error
from vidigree.media.progress import Progress

__all__ = ["PreviewFile", "Previewing", "preview_beside", "preview_path"]

_LONGEST_SIDE: Final = 160
_LABEL: Final = "PREVIEW"


@runtime_checkable
class Previewing(Protocol):
    """A :class:`~vidigree.media.progress.Progress` that can show a picture as well."""

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """Report progress."""

    def show(self, picture: NDArray[np.uint8]) -> None:
        """Show ``picture``, uint8 (H, W, 3) RGB."""


def preview_path(output: Path) -> Path:
    """Return where the preview of a clip is kept: ``NAME.preview.jpg`` beside it."""
    return output.with_suffix(".preview.jpg")


@contextmanager
def preview_beside(output: Path, progress: Progress) -> Iterator[PreviewFile]:
    """Keep ``NAME.preview.jpg`` beside ``output`` up to date meanwhile, and delete it then.

    Args:
        output: The clip that is being made.
        progress: Told of progress as before.

    Raises:
        OutputError: Somewhere in between, the picture cannot be written.
    """
    preview = PreviewFile(preview_path(output), progress)
    try:
        yield preview
    finally:
        preview.path.unlink(missing_ok=True)


class PreviewFile:
    """A picture that is replaced by each that is shown.

    Attributes:
        path: Where it is.
        is_shown: Whether there was one.
    """

    def __init__(self, path: Path, progress: Progress) -> None:
        self.path = path
        self.is_shown = False
        self._progress = progress

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """Report progress."""
        self._progress(step, done, total)

    def show(self, picture: NDArray[np.uint8]) -> None:
        """Write ``picture``, uint8 (H, W, 3) RGB, small and labelled.

        Raises:
            OutputError: It cannot be written.
        """
        _, encoded = cv2.imencode(".jpg", cv2.cvtColor(_labelled(picture), cv2.COLOR_RGB2BGR))
        try:
            self.path.write_bytes(encoded.tobytes())
        except OSError as error:
            raise output_error(self.path, error) from error
        self.is_shown = True


def _labelled(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    shrink = _LONGEST_SIDE / max(height, width)
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    scale = size[0] / 150
    place = (round(0.1 * size[0]), round(size[1] / 2 + 10 * scale))
    for colour, thickness in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        cv2.putText(small, _LABEL, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thickness)
    return np.asarray(small, np.uint8)
