"""Boxes of an ISO base media file (ISO/IEC 14496-12): MP4, MOV and their kin, read defensively.

The file may be hostile. Nothing here follows a size before it is checked against the file, nests
deeper than :data:`MAX_DEPTH`, or keeps more than a few numbers per box.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vidigree.media.errors import (
    MediaError,
    MediaNotFoundError,
    TruncatedMediaError,
    UnsupportedMediaError,
)

__all__ = ["MAX_BOXES", "MAX_DEPTH", "Box", "is_iso_media", "open_media", "walk_boxes"]

MAX_DEPTH = 16
"""Deepest nesting of boxes that is followed; real files stay under 10."""

MAX_BOXES = 100_000
"""Most boxes that one file may have; an hour in one-second fragments has about 40,000."""

_CONTAINERS = frozenset(
    {
        b"moov",
        b"trak",
        b"mdia",
        b"minf",
        b"dinf",
        b"stbl",
        b"moof",
        b"traf",
        b"mvex",
        b"edts",
        b"udta",
    }
)
_FIRST_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"pnot"})
_HEADER = struct.Struct(">I4s")


@dataclass(frozen=True, kw_only=True)
class Box:
    """Where one box lies.

    Attributes:
        kind: Four-character type.
        path: Types from the root, e.g. ``"/moov/trak"``; untrusted bytes as Latin-1.
        offset: Position of the header in bytes.
        size: Whole size in bytes, header included.
        header_size: Bytes before the payload (8, 16, and 16 more for a ``uuid`` box).
        extended_type: The 16 bytes that name a ``uuid`` box, else empty.
    """

    kind: bytes
    path: str
    offset: int
    size: int
    header_size: int
    extended_type: bytes = b""

    @property
    def payload_offset(self) -> int:
        """Position of the payload in bytes."""
        return self.offset + self.header_size

    @property
    def payload_size(self) -> int:
        """Size of the payload in bytes."""
        return self.size - self.header_size

    @property
    def end(self) -> int:
        """Position after the last byte."""
        return self.offset + self.size


def open_media(path: Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        MediaNotFoundError: There is no such file.
        MediaError: It is a folder or cannot be read.
    """
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise MediaNotFoundError(f"There is no file {path}.", hint="Check the path.") from error
    except OSError as error:
        raise MediaError(
            f"{path} cannot be read: {error.strerror or error}.",
            hint="Give a file that you may read.",
        ) from error


def is_iso_media(stream: BinaryIO) -> bool:
    """Return whether the stream begins like an ISO base media file; the position is kept."""
    position = stream.tell()
    head = stream.read(8)
    stream.seek(position)
    return len(head) == 8 and head[4:] in _FIRST_BOXES


def walk_boxes(stream: BinaryIO) -> Iterator[Box]:
    """Yield every box in file order, parents before children.

    Args:
        stream: Seekable stream; its position is moved.

    Raises:
        TruncatedMediaError: A box runs past its parent or the end of the file.
        UnsupportedMediaError: Boxes are nested too deeply or are too many.
    """
    end = stream.seek(0, 2)
    # (position, end, path): a stack instead of recursion, so that depth is a number, not a crash.
    stack: list[tuple[int, int, str]] = [(0, end, "")]
    seen = 0
    while stack:
        position, limit, path = stack.pop()
        if position >= limit or _ends_user_data(stream, position, limit, path):
            continue
        box = _read_box(stream, position, limit, path)
        seen += 1
        if seen > MAX_BOXES:
            raise UnsupportedMediaError(
                f"The file has more than {MAX_BOXES} boxes.",
                hint="Such a file is made to exhaust a reader; it is not looked at further.",
            )
        yield box
        stack.append((box.end, limit, path))
        if box.kind in _CONTAINERS:
            if len(stack) >= MAX_DEPTH:
                raise UnsupportedMediaError(
                    f"The file's boxes are nested more than {MAX_DEPTH} deep.",
                    hint="Such a file is made to exhaust a reader; it is not looked at further.",
                )
            stack.append((box.payload_offset, box.end, box.path))


def _ends_user_data(stream: BinaryIO, position: int, limit: int, path: str) -> bool:
    """Return whether this is the 32-bit zero that QuickTime lets end a list of user data."""
    if limit - position != 4 or not path.endswith("/udta"):
        return False
    stream.seek(position)
    return stream.read(4) == bytes(4)


def _read_box(stream: BinaryIO, position: int, limit: int, path: str) -> Box:
    stream.seek(position)
    head = stream.read(min(32, limit - position))
    if len(head) < 8:
        raise TruncatedMediaError(
            f"The file ends inside a box header at byte {position}.",
            hint="Fetch the file again; it is not complete.",
        )
    size, kind = _HEADER.unpack_from(head)
    header_size = 8
    if size == 1 and len(head) >= 16:
        (size,) = struct.unpack_from(">Q", head, 8)
        header_size = 16
    elif size == 0:
        size = limit - position
    extended_type = b""
    if kind == b"uuid":
        extended_type = head[header_size : header_size + 16]
        header_size += 16
    if size < header_size or position + size > limit:
        raise TruncatedMediaError(
            f"The box at byte {position} claims {size} bytes, which do not fit.",
            hint="The file is cut short or damaged; fetch it again.",
        )
    return Box(
        kind=kind,
        path=f"{path}/{kind.decode('latin-1')}",
        offset=position,
        size=size,
        header_size=header_size,
        extended_type=extended_type,
    )
