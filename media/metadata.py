"""Add metadata to a finished MP4 without touching its samples: container tags and an XMP packet.

Tags go where FFmpeg writes them with ``use_metadata_tags``: ``moov/udta/meta`` with handler
``mdta`` (QuickTime File Format, metadata atoms). XMP goes into a ``uuid`` box at the end (XMP
specification part 3). A remux by another tool may drop either.
"""

from __future__ import annotations

import shutil
import struct
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from vidigree.media.container import Box, open_media, walk_boxes
from vidigree.media.errors import UnsupportedMediaError
from vidigree.media.output import output_error

__all__ = ["XMP_BOX", "write_metadata"]

XMP_BOX = uuid.UUID("be7acfcb-97a9-42e8-9c71-999491e3afac").bytes
"""Extended type of the box that holds an XMP packet."""

_MAX_INDEX_BYTES = 512 * 2**20
_UTF8 = 1  # well-known data type of a tag's value


def write_metadata(
    source: Path, destination: Path, *, tags: Mapping[str, str], xmp: bytes = b""
) -> None:
    """Copy an MP4 and add tags and an XMP packet; every sample stays as it is.

    Args:
        source: MP4 with its index in one ``moov`` box, such as our encoder writes.
        destination: File to write.
        tags: Container tags by key; they replace those that are there.
        xmp: XMP packet; empty for none.

    Raises:
        MediaError: ``source`` cannot be read.
        UnsupportedMediaError: ``source`` is fragmented, or too large to be indexed this way.
        OutputError: ``destination`` cannot be written.
    """
    with open_media(source) as reading:
        boxes = list(walk_boxes(reading))
        index = _index(boxes, source)
        moov = _with_tags(reading, index, boxes, tags) if tags else _read(reading, index)
        _shift_chunks(moov, index, boxes, len(moov) - index.size)
        try:
            with destination.open("wb") as writing:
                reading.seek(0)
                _copy(reading, writing, index.offset)
                writing.write(moov)
                reading.seek(index.end)
                shutil.copyfileobj(reading, writing, 2**20)
                if xmp:
                    writing.write(_box(b"uuid", XMP_BOX + xmp))
        except OSError as error:
            raise output_error(destination, error) from error


def _index(boxes: Sequence[Box], source: Path) -> Box:
    found = [box for box in boxes if box.path == "/moov"]
    fragmented = any(box.path == "/moof" for box in boxes)
    if len(found) != 1 or fragmented or found[0].size > _MAX_INDEX_BYTES:
        raise UnsupportedMediaError(
            f"{source} is no MP4 whose metadata can be changed.",
            hint="Only files with one index (moov) and no fragments can be tagged.",
        )
    return found[0]


def _with_tags(
    stream: BinaryIO, index: Box, boxes: Sequence[Box], tags: Mapping[str, str]
) -> bytearray:
    """Return the moov box with our user data in place of the old, which held the muxer's name."""
    moov = _read(stream, index)
    for box in reversed([box for box in boxes if box.path == "/moov/udta"]):
        if box.end != index.end:
            # What follows would move, and chunk offsets in it with it.
            raise UnsupportedMediaError(
                "The file's user data does not stand at the end of its index.",
                hint="Remux it with FFmpeg first.",
            )
        del moov[box.offset - index.offset :]
    moov += _box(b"udta", _metadata_box(tags))
    struct.pack_into(">I", moov, 0, len(moov))
    return moov


def _metadata_box(tags: Mapping[str, str]) -> bytes:
    keys = b"".join(_box(b"mdta", key.encode()) for key in tags)
    items = b"".join(
        _box(struct.pack(">I", number), _box(b"data", struct.pack(">II", _UTF8, 0) + text.encode()))
        for number, text in enumerate(tags.values(), 1)
    )
    handler = struct.pack(">II4s12xB", 0, 0, b"mdta", 0)
    return _box(
        b"meta",
        bytes(4)
        + _box(b"hdlr", handler)
        + _box(b"keys", struct.pack(">II", 0, len(tags)) + keys)
        + _box(b"ilst", items),
    )


def _shift_chunks(moov: bytearray, index: Box, boxes: Sequence[Box], delta: int) -> None:
    """Add ``delta`` to the offset of every chunk that lies behind the index."""
    for box in boxes:
        if box.kind not in (b"stco", b"co64") or not box.path.startswith("/moov/trak/"):
            continue
        code, width = (">I", 4) if box.kind == b"stco" else (">Q", 8)
        start = box.payload_offset - index.offset
        (count,) = struct.unpack_from(">I", moov, start + 4)
        if 8 + count * width > box.payload_size:
            raise UnsupportedMediaError("A chunk table claims more chunks than it holds.")
        for place in range(start + 8, start + 8 + count * width, width):
            (offset,) = struct.unpack_from(code, moov, place)
            if offset >= index.end:
                if width == 4 and offset + delta >= 2**32:
                    raise UnsupportedMediaError(
                        "The file is just below 4 GiB, and its 32-bit index has no room for tags.",
                        hint="Encode it at a lower quality, or in two parts.",
                    )
                struct.pack_into(code, moov, place, offset + delta)


def _read(stream: BinaryIO, box: Box) -> bytearray:
    stream.seek(box.offset)
    return bytearray(stream.read(box.size))


def _copy(reading: BinaryIO, writing: BinaryIO, size: int) -> None:
    while size:
        block = reading.read(min(size, 2**20))
        writing.write(block)
        size -= len(block)


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload
