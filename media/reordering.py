"""Stamps of pictures in containers that do not say in which order they are shown.

AVI (Microsoft's RIFF specification) numbers pictures as they are coded. H.264 and HEVC code some of
them before others that are shown earlier, so that the stamps that come out of the decoder run to
and fro. All of them are right, and only in the wrong order.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

import av

__all__ = ["in_order", "says_no_order"]

_MOST_WAITING = 128
"""Pictures inside a decoder: 16 that wait to be shown, and one a thread."""


def says_no_order(container: Any, stream: Any) -> bool:
    """Return whether the stamps of decoded pictures may be in the order of coding."""
    return container.format.name == "avi" and stream.codec_context.name in ("h264", "hevc")


def in_order(container: Any, stream: Any) -> Iterator[av.VideoFrame]:
    """Decode a stream; give every picture the earliest stamp that no other had.

    Args:
        container: Open container, at its beginning.
        stream: Its video stream.
    """
    waiting: list[int] = []
    for packet in container.demux(stream):
        if packet.size and packet.pts is not None:
            heapq.heappush(waiting, packet.pts)
            if len(waiting) > _MOST_WAITING:
                # Of pictures that never came out.
                heapq.heappop(waiting)
        for frame in packet.decode():
            if waiting:
                frame.pts = heapq.heappop(waiting)
            yield frame
