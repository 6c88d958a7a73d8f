"""What a track sounds like whose sound begins so late that nothing was known of it at opening."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av.error

from vidigree.media.demuxing import demuxed
from vidigree.media.opening import open_container

__all__ = ["first_sound"]


def first_sound(path: Path, index: int) -> Any:
    """Return the first frame of sound of a track; ``None`` if there is none.

    The file is read as far as that frame, and nothing of it is kept.

    Args:
        path: The file.
        index: Of the track's stream.

    Raises:
        MediaError: The file cannot be read.
    """
    with open_container(path) as container:
        for packet in demuxed(container, container.streams[index]):
            try:
                frames = packet.decode()
            except MemoryError:
                raise  # says nothing of the file
            except (av.error.FFmpegError, ValueError):
                continue  # sound that begins in the middle of a packet
            if frames:
                return frames[0]
    return None
