"""Where in a file the coded pictures and sounds lie (ISO/IEC 14496-12, sections 8.7 and 8.8).

Sample tables can point anywhere, into boxes that a signature leaves out as well. This module says
which byte ranges they point to; it decodes nothing and trusts no count before the box that holds
the table has room for it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from vidigree.media.container import Box
from vidigree.media.errors import TruncatedMediaError, UnsupportedMediaError
from vidigree.media.raw_sound import packet_of_sound, raw_sound_bytes

__all__ = ["SampleLayout", "sample_layout"]

MAX_TABLE_BYTES = 256 * 2**20
"""Largest sample table that is read; a day of video at 60 frames a second needs 20 MB."""

_MAX_REFERENCE_BYTES = 2**20
_LONGEST_DESCRIPTION = 256

_TABLES = frozenset({b"stco", b"co64", b"stsc", b"stsz", b"stz2", b"stsd", b"stts"})


@dataclass(frozen=True, eq=False, kw_only=True)
class SampleLayout:
    """Byte ranges that sample tables point to.

    Attributes:
        ranges: int64 of shape (N, 2): start and end of each run of samples, end exclusive.
        external: Number of data references to other files.
        in_order: Whether the runs of every track lie one behind the other, as every muxer puts
            them.
    """

    ranges: NDArray[np.int64]
    external: int
    in_order: bool = True

    @property
    def seamless(self) -> bool:
        """Whether all runs together touch and do not overlap.

        Then, sizes given, no offset could be another one.
        """
        rows = self.ranges[self.ranges[:, 1] > self.ranges[:, 0]]
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        return bool(np.all(rows[1:, 0] == rows[:-1, 1]))

    def outside(self, allowed: list[tuple[int, int]]) -> int:
        """Return how many bytes of samples lie outside ``allowed`` ranges.

        Args:
            allowed: Start and end of the ranges where samples may lie; they do not overlap.
        """
        total = float(np.sum(self.ranges[:, 1] - self.ranges[:, 0], dtype=np.float64))
        if not allowed or not len(self.ranges):
            return int(total)
        spans = np.array(sorted(allowed), np.int64)
        # Bytes of allowed ranges before each of them; both lists may be long, so no loop over one.
        before = np.concatenate([[0], np.cumsum(spans[:, 1] - spans[:, 0])])

        def allowed_before(position: NDArray[np.int64]) -> NDArray[np.int64]:
            index = np.searchsorted(spans[:, 0], position, side="right") - 1
            span = spans[np.maximum(index, 0)]
            part = np.clip(position - span[:, 0], 0, span[:, 1] - span[:, 0])
            return np.asarray(np.where(index < 0, 0, before[np.maximum(index, 0)] + part))

        inside = allowed_before(self.ranges[:, 1]) - allowed_before(self.ranges[:, 0])
        return max(0, int(total - float(np.sum(inside, dtype=np.float64))))


@dataclass
class _Track:
    """Tables of the track that is being walked."""

    tables: dict[bytes, Box] = field(default_factory=dict)


def sample_layout(stream: BinaryIO, boxes: list[Box]) -> SampleLayout:
    """Read all sample tables and fragment runs.

    Args:
        stream: The file.
        boxes: All its boxes, from :func:`vidigree.media.container.walk_boxes`.

    Raises:
        TruncatedMediaError: A table claims more entries than its box holds.
        UnsupportedMediaError: A table is larger than any real one.
    """
    found = [*_from_tables(stream, boxes), *_from_fragments(stream, boxes)]
    ranges = np.concatenate(found) if found else np.zeros((0, 2), np.int64)
    external = sum(_external_references(stream, box) for box in boxes if box.kind == b"dref")
    in_order = all(bool(np.all(np.diff(rows[:, 0]) > 0)) for rows in found)
    return SampleLayout(ranges=ranges, external=external, in_order=in_order)


def _from_tables(stream: BinaryIO, boxes: list[Box]) -> Iterator[NDArray[np.int64]]:
    tracks: list[_Track] = []
    for box in boxes:
        if box.kind == b"stbl":
            tracks.append(_Track())
        elif box.kind in _TABLES and box.path.endswith(f"/stbl/{box.kind.decode()}") and tracks:
            tracks[-1].tables[box.kind] = box
    for track in tracks:
        offsets = _chunk_offsets(stream, track)
        if len(offsets):
            yield np.stack([offsets, offsets + _chunk_sizes(stream, track, len(offsets))], axis=1)


def _chunk_offsets(stream: BinaryIO, track: _Track) -> NDArray[np.int64]:
    if b"co64" in track.tables:
        data = _payload(stream, track.tables[b"co64"])
        values = _table(data, 4, ">u8", 1)[:, 0]
        return np.asarray(np.minimum(values, np.uint64(2**62)), np.int64)
    if b"stco" in track.tables:
        return _table(_payload(stream, track.tables[b"stco"]), 4, ">u4", 1)[:, 0].astype(np.int64)
    return np.zeros(0, np.int64)


def _chunk_sizes(stream: BinaryIO, track: _Track, chunks: int) -> NDArray[np.int64]:
    """Return the bytes of every chunk: samples per chunk, summed over the sample sizes."""
    per_chunk = _samples_per_chunk(stream, track, chunks)
    ends = np.cumsum(per_chunk)
    if b"stsz" not in track.tables:
        return _compact_sizes(stream, track, ends)
    data = _payload(stream, track.tables[b"stsz"])
    if len(data) < 12:
        raise _short_table()
    uniform, count = struct.unpack_from(">II", data, 4)
    ends = np.minimum(ends, count)
    if uniform:
        samples = np.asarray(np.diff(ends, prepend=0), np.int64)
        description = _description(stream, track)
        in_packet, size = packet_of_sound(description)
        if size and _lasts_one_tick(stream, track):
            return -(-samples // in_packet) * size
        return samples * (raw_sound_bytes(description) or uniform)
    return _sums(_table(data, 8, ">u4", 1)[:, 0], ends)


def _description(stream: BinaryIO, track: _Track) -> bytes:
    if b"stsd" not in track.tables:
        return b""
    box = track.tables[b"stsd"]
    stream.seek(box.payload_offset)
    return stream.read(min(_LONGEST_DESCRIPTION, box.payload_size))


def _lasts_one_tick(stream: BinaryIO, track: _Track) -> bool:
    """Return whether every sample does; of a packet of sound each would last longer."""
    if b"stts" not in track.tables:
        return False
    rows = _table(_payload(stream, track.tables[b"stts"]), 4, ">u4", 2)
    return len(rows) == 1 and bool(rows[0, 1] == 1)


def _compact_sizes(stream: BinaryIO, track: _Track, ends: NDArray[np.int64]) -> NDArray[np.int64]:
    if b"stz2" not in track.tables:
        return np.zeros(len(ends), np.int64)
    data = _payload(stream, track.tables[b"stz2"])
    if len(data) < 12:
        raise _short_table()
    width, count = data[7], struct.unpack_from(">I", data, 8)[0]
    if width not in (4, 8, 16) or len(data) < 12 + (count * width + 7) // 8:
        raise _short_table()
    if width == 16:
        sizes = np.frombuffer(data, ">u2", count, 12)
    else:
        raw = np.frombuffer(data, np.uint8, (count * width + 7) // 8, 12)
        sizes = raw if width == 8 else np.stack([raw >> 4, raw & 15], axis=1).ravel()[:count]
    return _sums(sizes, np.minimum(ends, count))


def _sums(sizes: NDArray[np.unsignedinteger], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the sums of consecutive runs of ``sizes`` that end (exclusive) at ``ends``."""
    total = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    return np.asarray(np.diff(total[np.minimum(ends, len(sizes))], prepend=0), np.int64)


def _samples_per_chunk(stream: BinaryIO, track: _Track, chunks: int) -> NDArray[np.int64]:
    if b"stsc" not in track.tables:
        return np.zeros(chunks, np.int64)
    rows = _table(_payload(stream, track.tables[b"stsc"]), 4, ">u4", 3).astype(np.int64)
    if not len(rows):
        return np.zeros(chunks, np.int64)
    first = rows[:, 0] - 1
    if first[0] or np.any(np.diff(first) <= 0):
        # Every player makes something else of it.
        raise TruncatedMediaError(
            "A table of samples per chunk is not in order.",
            hint="The file is damaged; fetch it again.",
        )
    which = np.searchsorted(first, np.arange(chunks), side="right") - 1
    counts = rows[np.clip(which, 0, len(rows) - 1), 1]
    return np.asarray(np.minimum(counts, 2**31), np.int64)


def _from_fragments(stream: BinaryIO, boxes: list[Box]) -> Iterator[NDArray[np.int64]]:
    fragment: Box | None = None
    base, default_size, position = 0, 0, 0
    sizes: dict[int, int] = {}
    runs = []
    for box in boxes:
        if box.kind == b"trex":
            track, size = _track_default(_payload(stream, box))
            sizes[track] = size
        elif box.kind == b"moof":
            # Without another base, the first track's samples are counted from here.
            fragment, position = box, box.offset
        elif fragment is not None and box.kind == b"tfhd":
            header = _payload(stream, box)
            base, default_size = _fragment_header(header, fragment.offset, position, sizes)
            position = base
        elif fragment is not None and box.kind == b"trun":
            start, size = _run(_payload(stream, box), base, position, default_size)
            position = start + size
            runs.append((start, start + size))
    if runs:
        yield np.array(runs, np.int64).clip(0, 2**62)


def _track_default(data: bytes) -> tuple[int, int]:
    """Return the track and the default sample size of a ``trex`` box."""
    try:
        track, size = struct.unpack_from(">I8xI", data, 4)
    except struct.error as error:
        raise _short_table() from error
    return track, size


def _fragment_header(
    data: bytes, moof_offset: int, last_end: int, sizes: dict[int, int]
) -> tuple[int, int]:
    """Return base data offset and default sample size of a ``tfhd`` box.

    Args:
        data: Its payload.
        moof_offset: Where its fragment begins.
        last_end: Where the samples before it end, from which those of a further track are counted.
        sizes: Default sample sizes by track.
    """
    flags, cursor = _flags(data), 8
    base = moof_offset if flags & 0x020000 else last_end
    try:
        (track,) = struct.unpack_from(">I", data, 4)
        if flags & 0x01:
            (base,) = struct.unpack_from(">Q", data, cursor)
            cursor += 8
        cursor += 4 * bool(flags & 0x02) + 4 * bool(flags & 0x08)
        size = sizes.get(track, 0)
        if flags & 0x10:
            (size,) = struct.unpack_from(">I", data, cursor)
    except struct.error as error:
        raise _short_table() from error
    return min(base, 2**62), size


def _run(data: bytes, base: int, position: int, default_size: int) -> tuple[int, int]:
    """Return start and size of a ``trun`` box's samples."""
    flags, cursor = _flags(data), 8
    try:
        (count,) = struct.unpack_from(">I", data, 4)
        if flags & 0x01:
            (offset,) = struct.unpack_from(">i", data, cursor)
            position = base + offset
            cursor += 4
    except struct.error as error:
        raise _short_table() from error
    cursor += 4 * bool(flags & 0x04)
    present = [bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800)]
    if not present[1]:
        return position, count * default_size
    width = sum(present)
    if len(data) < cursor + 4 * width * count:
        raise _short_table()
    rows = np.frombuffer(data, ">u4", width * count, cursor).reshape(count, width)
    return position, int(rows[:, int(present[0])].sum(dtype=np.int64))


def _external_references(stream: BinaryIO, box: Box) -> int:
    """Return how many entries of a ``dref`` box point to another file."""
    if box.payload_size > _MAX_REFERENCE_BYTES:
        raise UnsupportedMediaError(
            f"A table of data references has {box.payload_size} bytes.",
            hint="Such a file is made to exhaust a reader; it is not looked at further.",
        )
    data = _payload(stream, box)
    cursor, found = 8, 0
    while cursor + 12 <= len(data):
        size = int.from_bytes(data[cursor : cursor + 4], "big")
        # Flag 1: the samples are in this very file.
        found += not data[cursor + 11] & 1
        if size < 12:
            break
        cursor += size
    return found


def _table(data: bytes, header: int, kind: str, columns: int) -> NDArray[np.unsignedinteger]:
    """Read a table of ``columns`` numbers whose row count stands in the last header word."""
    if len(data) < header + 4:
        raise _short_table()
    (count,) = struct.unpack_from(">I", data, header)
    width = np.dtype(kind).itemsize * columns
    if len(data) < header + 4 + count * width:
        raise _short_table()
    return np.frombuffer(data, kind, count * columns, header + 4).reshape(count, columns)


def _payload(stream: BinaryIO, box: Box) -> bytes:
    if box.payload_size > MAX_TABLE_BYTES:
        raise UnsupportedMediaError(
            f"A sample table of {box.payload_size} bytes is larger than any real one.",
            hint="Such a file is made to exhaust a reader; it is not looked at further.",
        )
    stream.seek(box.payload_offset)
    return stream.read(box.payload_size)


def _flags(data: bytes) -> int:
    return int.from_bytes(data[1:4], "big")


def _short_table() -> TruncatedMediaError:
    return TruncatedMediaError(
        "A sample table claims more entries than it holds.",
        hint="The file is damaged; fetch it again.",
    )
