"""Reads what a clip starts from, a picture or a clip, at the size and rate of the families."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.families.native import FPS, FRAMES, SIDE
from vidigree.media.errors import MediaError
from vidigree.media.reading import open_video

__all__ = ["read_clip", "read_still"]


def read_still(path: Path) -> NDArray[np.uint8]:
    """Return the middle square of a picture, uint8 (64, 64, 3) RGB.

    Raises:
        MediaError: It is no picture that OpenCV reads.
    """
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None
    except (OSError, cv2.error):
        image = None
    finally:  # OpenCV warns of damaged pictures on standard error by itself
        cv2.utils.logging.setLogLevel(level)
    if image is None:
        raise MediaError(
            f"{path} cannot be read as a picture.", hint="Give a PNG, JPEG or WebP file."
        )
    return _square(np.asarray(image, np.uint8))


def read_clip(path: Path) -> NDArray[np.uint8]:
    """Return the first two seconds of a clip, uint8 (F, 64, 64, 3) RGB, F at most 24.

    Frames are taken at the rate of the families, the nearest before each time.

    Raises:
        MediaError: The clip cannot be read.
    """
    frames: list[NDArray[np.uint8]] = []
    with open_video(path) as video:
        started: Fraction | None = None
        for frame in video:
            started = frame.time if started is None else started
            due = int((frame.time - started) * FPS) + 1
            if due > len(frames):
                frames += [_square(frame.image)] * (due - len(frames))
            if len(frames) >= FRAMES:
                break
    return np.stack(frames[:FRAMES])


def _square(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    middle = image[top : top + side, left : left + side]
    way = cv2.INTER_AREA if side >= SIDE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(middle, (SIDE, SIDE), interpolation=way), np.uint8)
