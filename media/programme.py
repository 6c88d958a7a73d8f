"""Tracks of a transport stream that its demuxer does not know at opening (ISO/IEC 13818-1, 2.4.4).

A programme says in a map, which is repeated, what tracks it has, and may say otherwise later. The
demuxer looks at the beginning and at the end of a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["PACKET", "SYNC", "late_tracks", "packet_step"]

SYNC, PACKET = 0x47, 188
"""First byte of every packet, and bytes of each."""

_SIZES = (188, 192, 204)  # plain, with a time in front, with a checksum behind
_BLOCK_PACKETS = 8_192
_PROGRAMMES, _MAP = 0, 2  # tables
_CURRENT = 0x01  # a table may also be sent ahead of the time from which it holds


def late_tracks(path: Path, known: Set[int]) -> int:
    """Return how many tracks the maps of a transport stream name beside those that are known.

    The file is read once, block by block; what is out of step in a block is passed over.

    Args:
        path: The file.
        known: Numbers of packets (PID) of the tracks that are known.
    """
    maps: set[int] = set()
    tracks: set[int] = set()
    for packet in _starts(path, maps):
        section = _section(packet)
        if not section[5:6] or not section[5] & _CURRENT:
            continue
        if _number(packet, 1):
            tracks |= set(_named(section))
        elif section[:1] == bytes([_PROGRAMMES]):
            rows = range(8, len(section) - 3, 4)
            maps |= {_number(section, at + 2) for at in rows if any(section[at : at + 2])}
    return len(tracks - known)


def _starts(path: Path, maps: Set[int]) -> Iterator[bytes]:
    """Yield the packets in which a table of programmes, or a map that is known by then, begins."""
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_PACKETS * PACKET):
            data = np.frombuffer(block, np.uint8)
            size, offset = packet_step(data)
            count = (len(data) - offset - PACKET) // size + 1
            places = offset + size * np.arange(max(0, count))
            numbers = (data[places + 1] & 0x1F).astype(int) << 8 | data[places + 2]
            begins = (data[places] == SYNC) & (data[places + 1] & 0x40 > 0)
            # The table comes before the maps that it names, if only in another block.
            for place in places[begins & (numbers == 0)]:
                yield block[place : place + PACKET]
            for place in places[begins & np.isin(numbers, list(maps))]:
                yield block[place : place + PACKET]


def packet_step(data: NDArray[np.uint8]) -> tuple[int, int]:
    """Return the distance of packets and where the first one begins, as most of them have it."""
    ranked = []
    for size in _SIZES:
        rows = data[: len(data) // size * size].reshape(-1, size)
        hits = (rows == SYNC).sum(axis=0)
        if len(rows):
            ranked.append((hits.max() * size, size, int(hits.argmax())))
    _, size, offset = max(ranked, default=(0, PACKET, 0))
    return size, offset


def _section(packet: bytes) -> bytes:
    """Return as much of the section that begins in a packet as is in it, without its checksum."""
    start = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    if not packet[3] & 0x10 or start >= len(packet):
        return b""
    start += 1 + packet[start]
    length = ((packet[start + 1] & 0x0F) << 8 | packet[start + 2]) if start + 3 < PACKET else 0
    return packet[start : start + max(0, length - 1)]


def _named(section: bytes) -> Iterator[int]:
    """Yield the tracks that a map names."""
    if section[:1] != bytes([_MAP]) or len(section) < 12:
        return
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    while at + 5 <= len(section):
        yield _number(section, at + 1)
        at += 5 + ((section[at + 3] & 0x0F) << 8 | section[at + 4])


def _number(data: bytes, at: int) -> int:
    return (data[at] & 0x1F) << 8 | data[at + 1]
