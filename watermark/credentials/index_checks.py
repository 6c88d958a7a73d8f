"""Whether the index of a file is where we read it, or where only a player does.

Players look for tables of samples in more places than the specification names: in a compressed
index, in reference and metadata boxes, in sample descriptions, in padding where there is no other
(FFmpeg 8 plays them from there). Of samples that such a table points to nobody here can say whether
the signature covers them.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import BinaryIO

import numpy as np

from vidigree.media.container import Box

__all__ = ["strange_index"]

_TRACK = "/moov/trak"
_TABLES = f"{_TRACK}/mdia/minf/stbl"
_USUAL = {
    b"moov": "/moov",
    b"trak": _TRACK,
    b"mdia": f"{_TRACK}/mdia",
    b"minf": f"{_TRACK}/mdia/minf",
    b"stbl": _TABLES,
    b"stco": f"{_TABLES}/stco",
    b"co64": f"{_TABLES}/co64",
    b"stsc": f"{_TABLES}/stsc",
    b"stsz": f"{_TABLES}/stsz",
    b"stz2": f"{_TABLES}/stz2",
    b"mvex": "/moov/mvex",
    b"trex": "/moov/mvex/trex",
    b"moof": "/moof",
    b"traf": "/moof/traf",
    b"tfhd": "/moof/traf/tfhd",
    b"trun": "/moof/traf/trun",
    b"sidx": "/sidx",
}
# Of each of these a track has exactly one.
_ONE_EACH = ((b"mdia",), (b"minf",), (b"stbl",), (b"stco", b"co64"), (b"stsc",), (b"stsz", b"stz2"))
# Numbers and nothing else; no player looks for boxes in them.
_NUMBERS = frozenset(
    {b"stco", b"co64", b"stsc", b"stsz", b"stz2", b"stts", b"ctts", b"stss", b"sdtp", b"sbgp"}
    | {b"sgpd", b"subs", b"saiz", b"saio", b"senc", b"elst", b"mfhd", b"tfdt", b"free", b"skip"}
    | {b"uuid"}
)
# Boxes that are looked for boxes wherever they lie, also outside of an index.
_OPENED = frozenset({b"tref", b"wave", b"ilst", b"sinf", b"schi", b"meta", b"stsd"})
_HIDDEN = (b"stco", b"co64", b"trun", b"cmvd", b"sidx")
_SEGMENT = np.dtype([("size", ">u4"), ("more", ">u4", (2,))])

_MAX_LOOKED_THROUGH = 32 * 2**20


def strange_index(stream: BinaryIO, boxes: Sequence[Box]) -> str:
    """Say what keeps the places of the samples from being known; empty if nothing does.

    Args:
        stream: The file.
        boxes: Its boxes, in file order.
    """
    tracks: list[Counter[bytes]] = []
    left = _MAX_LOOKED_THROUGH
    for box in boxes:
        if box.kind == b"cmov":
            return "the index is compressed"
        if box.path != _USUAL.get(box.kind, box.path):
            return f"a {box.kind.decode()} box lies in an unusual place"
        if box.kind == b"trak":
            tracks.append(Counter())
        elif tracks and box.path.startswith(f"{_TRACK}/"):
            tracks[-1][box.kind] += 1
        if _may_hide(box):
            left -= box.payload_size
            if left < 0:
                return f"the index holds more than {_MAX_LOOKED_THROUGH} bytes beside its tables"
            if _hides(stream, box):
                return f"a {box.kind.decode('latin-1')!r} box holds a table of samples"
    if any(_tables_missing(track) for track in tracks):
        return "a track has no index, or several"
    return (
        _strange_padding(stream, boxes)
        or _strange_fragments(stream, boxes)
        or _strange_segments(stream, boxes)
    )


def _tables_missing(track: Counter[bytes]) -> bool:
    return any(sum(track[kind] for kind in kinds) != 1 for kinds in _ONE_EACH)


def _may_hide(box: Box) -> bool:
    """Say whether a player may look for boxes in a box that was not opened here."""
    if box.kind in _NUMBERS or box.kind in _USUAL:
        return False
    return box.kind in _OPENED or box.path.startswith(("/moov/", "/moof/"))


def _hides(stream: BinaryIO, box: Box) -> bool:
    stream.seek(box.payload_offset)
    content = stream.read(box.payload_size)
    return any(name in content for name in _HIDDEN)


def _strange_padding(stream: BinaryIO, boxes: Sequence[Box]) -> str:
    """Look for an index in padding, from which FFmpeg takes it where there is no other."""
    if any(box.kind == b"moov" for box in boxes):
        return ""
    padding = [box for box in boxes if box.kind in (b"free", b"hoov")]
    found = any(_start(stream, box, 8)[4:] in (b"mvhd", b"cmov") for box in padding)
    return "the index lies in padding" if found else ""


def _start(stream: BinaryIO, box: Box, length: int) -> bytes:
    stream.seek(box.payload_offset)
    return stream.read(min(length, box.payload_size))


def _strange_fragments(stream: BinaryIO, boxes: Iterable[Box]) -> str:
    """Look for what players and the specification read differently in fragments."""
    defaults: Counter[bytes] = Counter()
    first = True
    for box in boxes:
        if box.kind == b"trex":
            defaults[_start(stream, box, 8)[4:]] += 1
        elif box.kind == b"tfhd":
            first = True
        elif box.kind == b"trun":
            # Behind the run before it, or, in FFmpeg, where that one was counted from.
            if not first and not int.from_bytes(_start(stream, box, 4), "big") & 1:
                return "a run of samples does not say where it begins"
            first = False
    if defaults and max(defaults.values()) > 1:
        return "a track has its defaults twice"
    return ""


def _strange_segments(stream: BinaryIO, boxes: Sequence[Box]) -> str:
    """Look at where players go that jump to a time: to a box that we saw, or into one."""
    starts = {box.offset for box in boxes if box.path.count("/") == 1}
    end = max((box.end for box in boxes), default=0)
    left = _MAX_LOOKED_THROUGH
    for box in boxes:
        if box.kind != b"sidx":
            continue
        left -= box.payload_size
        if left < 0:
            return f"the lists of segments have more than {_MAX_LOOKED_THROUGH} bytes"
        places = _segments(_start(stream, box, box.payload_size), box.end)
        if not all(place in starts or place >= end for place in places):
            return "a list of segments points into a box"
    return ""


def _segments(data: bytes, end: int) -> list[int]:
    """Return where the segments of a ``sidx`` box begin, whose payload and end are given."""
    wide = bool(data[:1].strip(b"\0"))
    head = struct.Struct(">12xQQ2xH" if wide else ">12xII2xH")
    try:
        _, first, count = head.unpack_from(data)
        sizes = np.frombuffer(data, _SEGMENT, count, head.size)["size"]
    except (struct.error, ValueError):
        return [-1]
    behind = np.cumsum(sizes & np.uint32(0x7FFFFFFF), dtype=np.int64)
    return [end + first + int(place) for place in (0, *behind[:-1])]
