"""Reads what a clip starts from, a picture or a clip, at the size and rate of the families."""

from __future__ import annotations

import warnings
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engine import RequestWarning
from vidigree.generate.engines.families.native import FPS, FRAMES, SIDE
from vidigree.generate.engines.pictures import cut_note, read_picture, tell_clear
from vidigree.media.reading import open_video

__all__ = ["read_clip", "read_still"]


def read_still(path: Path) -> NDArray[np.uint8]:
    """Return the middle square of a picture, uint8 (64, 64, 3) RGB.

    A :class:`RequestWarning` tells of what is cut off.

    Raises:
        MediaError: It is no picture that is read.
        EngineError: Pillow is not installed.
    """
    picture = np.asarray(read_picture(path), np.uint8)
    _tell(*cut_note(path, picture.shape[1::-1]))
    return _square(picture)


def read_clip(path: Path) -> NDArray[np.uint8]:
    """Return the first two seconds of a clip, uint8 (F, 64, 64, 3) RGB, F at most 24.

    Frames are taken at the rate of the families, the nearest before each time. A
    :class:`RequestWarning` tells of what is cut off, and of a clip that goes on after that.

    Raises:
        MediaError: The clip cannot be read.
    """
    frames: list[NDArray[np.uint8]] = []
    with open_video(path, as_shown=True) as video:
        tell_clear(path, video.info)
        _tell(*cut_note(path, (video.info.width, video.info.height)))
        started: Fraction | None = None
        for frame in video:
            started = frame.time if started is None else started
            due = int((frame.time - started) * FPS) + 1
            missing = min(due, FRAMES) - len(frames)
            if missing > 0:
                frames += [_square(frame.image)] * missing
            if due > FRAMES:
                seconds = FRAMES / FPS
                _tell(
                    f"The first {seconds:.1f} s of {path.name} were used: the model makes no more."
                )
                break
    return np.stack(frames)


def _tell(*notes: str) -> None:
    for note in notes:
        warnings.warn(note, RequestWarning, stacklevel=3)


def _square(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    middle = image[top : top + side, left : left + side]
    way = cv2.INTER_AREA if side >= SIDE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(middle, (SIDE, SIDE), interpolation=way), np.uint8)
