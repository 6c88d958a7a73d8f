"""Thumbnails of a clip for reports: evenly spaced frames as small JPEG pictures."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.media.reading import open_video

__all__ = ["Picture", "thumbnails"]

_WIDTH = 240
_QUALITY = 78


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One thumbnail.

    Attributes:
        time: Seconds from the start.
        jpeg: The picture, a JPEG file.
    """

    time: float
    jpeg: bytes

    def to_dict(self) -> dict[str, Any]:
        """Return the thumbnail as JSON values, the picture in base64."""
        return {"time": self.time, "jpeg": base64.b64encode(self.jpeg).decode("ascii")}


def thumbnails(path: Path, count: int) -> list[Picture]:
    """Return evenly spaced thumbnails, from the middle of each part of the clip.

    Args:
        path: The clip.
        count: Number of thumbnails, at least 1; a clip without a known duration gives its first
            frame only.

    Raises:
        MediaError: The clip cannot be read.
    """
    pictures: list[Picture] = []
    with open_video(path) as reader:
        duration = reader.info.duration or Fraction(0)
        wanted = [duration * (2 * index + 1) / (2 * count) for index in range(count)]
        for frame in reader:
            while wanted and frame.time >= wanted[0]:
                wanted.pop(0)
                if not pictures or pictures[-1].time != float(frame.time):
                    pictures.append(Picture(time=float(frame.time), jpeg=_jpeg(frame.image)))
            if not wanted:
                break
    return pictures


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    import cv2

    height, width = image.shape[:2]
    size = (_WIDTH, max(1, round(height * _WIDTH / width)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    return bytes(data)
