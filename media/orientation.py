"""Display orientation: the turn and mirroring that a container asks players to apply."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.media.container import open_media, walk_boxes
from vidigree.media.errors import TruncatedMediaError

__all__ = ["Orientation", "turns_nothing"]

_IDENTITY = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_MATRIX_OFFSETS = {0: 40, 1: 52}
"""Where the matrix of a track header begins in its payload, by the header's version."""


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways to lay a picture on a screen.

    Attributes:
        rotation: Degrees clockwise that the coded picture is turned: 0, 90, 180 or 270.
        mirrored: Whether the coded picture is mirrored left to right before it is turned.
    """

    rotation: int = 0
    mirrored: bool = False

    @classmethod
    def of(cls, frame: Any) -> Orientation:
        """Read the display matrix of a decoded frame; no matrix means upright.

        Source:
            ISO/IEC 14496-12, section 8.3.2 (track header matrix), as FFmpeg hands it on: nine
            32-bit numbers {a, b, u, c, d, v, x, y, w}, (x, y) -> (a x + c y, b x + d y).
        """
        side_data = frame.side_data.get("DISPLAYMATRIX")
        if side_data is None:
            return cls()
        a, b, _, c, d = struct.unpack("<5i", bytes(side_data)[:20])
        mirrored = a * d - b * c < 0
        if mirrored:
            a, b = -a, -b
        angle = np.degrees(np.arctan2(b, a))
        return cls(rotation=round(angle / 90) % 4 * 90, mirrored=mirrored)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height) as displayed, in pixels."""
        return (height, width) if self.rotation in (90, 270) else (width, height)

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the upright picture; ``image`` is uint8 (H, W, 3) or (H, W)."""
        if self.mirrored:
            image = image[:, ::-1]
        if self.rotation:
            image = np.rot90(image, -self.rotation // 90)
        return np.ascontiguousarray(image)


def turns_nothing(path: Path) -> bool:
    """Return whether no track of an MP4 asks players to turn or mirror its picture.

    Raises:
        MediaError: The file cannot be read, or is built to exhaust a reader.
    """
    try:
        with open_media(path) as stream:
            for box in walk_boxes(stream):
                if box.kind != b"tkhd":
                    continue
                stream.seek(box.payload_offset)
                data = stream.read(min(box.payload_size, 96))
                start = _MATRIX_OFFSETS.get(data[0] if data else -1)
                if start is None or data[start : start + len(_IDENTITY)] != _IDENTITY:
                    return False
    except TruncatedMediaError:
        return False
    return True
