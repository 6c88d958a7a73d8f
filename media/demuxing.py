"""Coded packets of an open file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["demuxed"]


def demuxed(container: Any, *streams: Any) -> Iterator[Any]:
    """Yield the packets of streams, and an empty one for each at its end.

    Args:
        container: Open container.
        streams: Those of its streams that are wanted.
    """
    packets = container.demux(*streams)
    while True:
        try:
            packet = next(packets, None)
        except IndexError:
            # PyAV asks for a stream that it does not know, as it began in the middle of the file;
            # the end markers of those that it knows have come by then.
            return
        if packet is None:
            return
        yield packet
