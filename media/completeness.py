"""Tells by a container's own sizes that a file ends early; decoders just stop, without a word.

Matroska and WebM (RFC 9559) say how long their segment is, or leave it open when they are recorded
live; then the clusters, or the blocks in them, say it. AVI (Microsoft's RIFF specification and the
OpenDML extensions) says how long each of its lists is. A GIF (GIF89a, section 27) ends with a
trailer. MP4 is told by its index, see :mod:`vidigree.media.reading`.

Only a file that contradicts itself is called cut. One that is damaged beyond this reading is left
to the decoder.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = ["damaged_places", "missing_bytes"]

_SEGMENT = 0x18538067
_CLUSTER = 0x1F43B675
_CHUNK = struct.Struct("<4sI")
_MAX_ELEMENTS = 1_000_000
_BLOCK = 1 << 20
_OPEN_RIFF = (0, 0xFFFFFFFF)
"""Sizes that a recorder writes first and replaces when it is done, if it can."""


def missing_bytes(path: Path, container: str) -> int:
    """Return how many bytes are missing at the end, at least; 0 if none are known to be.

    Args:
        path: The file.
        container: Name of the demuxer that took it.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        if "matroska" in container:
            return _after_matroska(stream, size)
        if container == "avi":
            return _after_avi(stream, size)
        if container == "gif":
            return _after_gif(stream)
    return 0


def damaged_places(path: Path, container: str) -> int:
    """Return at how many places something else stands where a part of the file should begin.

    Decoders go on at the next cluster of pictures and sound, without a word. Only Matroska and WebM
    tell.

    Args:
        path: The file.
        container: Name of the demuxer that took it.
    """
    if "matroska" not in container:
        return 0
    with path.open("rb") as stream:
        return _damaged_matroska(stream, path.stat().st_size)


def _damaged_matroska(stream: BinaryIO, end: int) -> int:
    position, places = 0, 0
    for _ in range(_MAX_ELEMENTS):
        if position >= end:
            break
        stream.seek(position)
        head = stream.read(12)
        name, name_length = _number(head, 4, marked=True)
        length, length_length = _number(head[name_length:], 8, marked=False)
        start = position + name_length + length_length
        if name == _SEGMENT:
            end = end if length is None else min(end, start + length)
            position = start
        elif not name_length or not length_length or start + (length or 0) > end:
            places += 1
            position = _next_cluster(stream, position + 1, end)
        elif length is None:  # recorded live: what lies in it says where it ends
            break
        else:
            position = start + length
    return places


def _next_cluster(stream: BinaryIO, position: int, end: int) -> int:
    """Return where the next cluster begins at this position or behind it, ``end`` if none does."""
    wanted = _CLUSTER.to_bytes(4, "big")
    while position + len(wanted) <= end:
        stream.seek(position)
        block = stream.read(min(_BLOCK, end - position))
        if wanted in block:
            return position + block.index(wanted)
        position += max(1, len(block) - len(wanted) + 1)
    return end


def _after_matroska(stream: BinaryIO, size: int) -> int:
    position = 0
    for _ in range(_MAX_ELEMENTS):
        if position >= size:
            return 0
        stream.seek(position)
        head = stream.read(12)
        name, name_length = _number(head, 4, marked=True)
        length, length_length = _number(head[name_length:], 8, marked=False)
        if not name_length or not length_length:
            # Fewer than 12 bytes are left: an element was begun and not ended.
            return 1 if len(head) < 12 and position else 0
        position += name_length + length_length
        if name in (_SEGMENT, _CLUSTER) and length is None:
            continue  # recorded live: what lies in it says where it ends
        if length is None:
            return 0
        position += length
        if position > size:
            return position - size
        if name == _SEGMENT:
            return 0
    return 0


def _number(data: bytes, most: int, *, marked: bool) -> tuple[int | None, int]:
    """Read a number of variable length (RFC 8794, section 4).

    Args:
        data: Where it begins.
        most: Most bytes it may have.
        marked: Whether the length marker is part of it, as in element names.

    Returns:
        The number, ``None`` for the reserved "unknown", and its length in bytes, 0 if it is none.
    """
    if not data or not data[0]:
        return None, 0
    length = 9 - data[0].bit_length()
    if length > most or length > len(data):
        return None, 0
    value = int.from_bytes(data[:length], "big")
    if marked:
        return value, length
    mask = (1 << (7 * length)) - 1
    return (None if value & mask == mask else value & mask), length


def _after_avi(stream: BinaryIO, size: int) -> int:
    """Walk the RIFF lists of a file; a large one has several, one behind the other."""
    position = 0
    while position + 12 <= size:
        stream.seek(position)
        kind, length = _CHUNK.unpack_from(stream.read(12))
        if kind != b"RIFF" or length in _OPEN_RIFF:
            return 0
        end: int = position + 8 + length
        if end > size:
            return end - size
        for chunk, chunk_end in _chunks(stream, position + 12, end):
            if chunk_end > size and chunk == b"LIST":
                return chunk_end - size
        position = end + length % 2
    return 0


def _chunks(stream: BinaryIO, position: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Yield kind and end of the chunks of one list."""
    for _ in range(_MAX_ELEMENTS):
        if position + 8 > end:
            return
        stream.seek(position)
        kind, length = _CHUNK.unpack(stream.read(8))
        yield kind, position + 8 + length
        position += 8 + length + length % 2


def _after_gif(stream: BinaryIO) -> int:
    """Walk the blocks of a GIF up to its trailer."""
    head = stream.read(13)
    if len(head) < 13 or head[:4] != b"GIF8":
        return 0
    _skip_palette(stream, head[10])
    while True:
        kind = stream.read(1)
        if kind == b"\x3b":
            return 0
        if kind == b"\x21":
            stream.read(1)
        elif kind == b"\x2c":
            place = stream.read(9)
            _skip_palette(stream, place[8] if len(place) == 9 else 0)
            stream.read(1)
        elif kind != b"\0":  # some writers pad with zeros
            return 1  # the end, or the middle of a picture whose beginning is gone
        else:
            continue
        while length := stream.read(1):
            if length == b"\0":
                break
            stream.seek(length[0], 1)
        else:
            return 1


def _skip_palette(stream: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        stream.seek(3 << ((flags & 7) + 1), 1)
