"""An index that a player reads and we do not leaves open whether its samples are signed."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import av
import pytest

from vidigree.media.container import walk_boxes
from vidigree.watermark.credentials import (
    ManifestRequest,
    SigningIdentity,
    TrustSettings,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.container_checks import check_container
from vidigree.watermark.credentials.index_checks import strange_index

Change = Callable[[bytes], bytes]
STRANGE = ("vidigree.container.strangeIndex", "unknown")
CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def _parts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = 0
    while offset < len(data):
        (size,) = struct.unpack_from(">I", data, offset)
        yield data[offset + 4 : offset + 8], data[offset : offset + size]
        offset += size


def _edited(boxes: bytes, target: bytes, change: Change) -> bytes:
    """Change every box of one kind within the boxes of an index, and all sizes around it."""
    out = b""
    for kind, box in _parts(boxes):
        if kind == target:
            out += change(box)
        elif kind in CONTAINERS:
            out += _box(kind, _edited(box[8:], target, change))
        else:
            out += box
    return out


def _file(clip: Path, holder: bytes = b"mdat", change: Change = bytes, kind: bytes = b"") -> bytes:
    """Return the clip with its samples in a box before the index, which is changed."""
    parts = dict(_parts(clip.read_bytes()))
    first = len(parts[b"ftyp"]) + 8

    def moved(box: bytes) -> bytes:
        (count,) = struct.unpack_from(">I", box, 12)
        old = struct.unpack_from(f">{count}I", box, 16)
        new = struct.pack(f">{count}I", *(offset - old[0] + first for offset in old))
        return box[:16] + new

    moov = _edited(parts[b"moov"], b"stco", moved)
    moov = _edited(moov, kind, change) if kind else change(moov)
    return parts[b"ftyp"] + _box(holder, parts[b"mdat"][8:]) + moov


def _compressed(moov: bytes) -> bytes:
    content = struct.pack(">I", len(moov)) + zlib.compress(moov)
    return _box(b"moov", _box(b"cmov", _box(b"dcom", b"zlib") + _box(b"cmvd", content)))


def _in(name: bytes) -> Change:
    return lambda box: _box(name, box)


PLAYED: dict[str, tuple[bytes, Change]] = {
    "compressed": (b"", _compressed),
    **{
        f"{kind.decode()} in {name.decode()}": (kind, _in(name))
        for kind in (b"stbl", b"minf", b"mdia", b"stco")
        for name in (b"tref", b"wave", b"ilst", b"sinf", b"schi", b"udta", b"edts", b"dinf")
    },
    "two of one table": (b"stco", lambda box: box + box),
    "tables in two": (b"stco", lambda box: box + _box(b"stbl", b"")),
}


@pytest.mark.parametrize("holder", [b"mdat", b"emsg", b"mfra"])
@pytest.mark.parametrize("name", PLAYED)
def test_samples_that_only_a_player_finds_are_told(
    clip: Path, tmp_path: Path, name: str, holder: bytes
) -> None:
    """They are played, wherever they lie."""
    path, (kind, change) = tmp_path / "x.mp4", PLAYED[name]
    path.write_bytes(_file(clip, holder, change, kind))
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 16
    assert STRANGE in [(row.code, row.breaks) for row in check_container(path, None)]


def test_index_in_its_place_is_not_strange(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(_file(clip))
    assert check_container(path, None) == ()


def _run(offset_flag: int) -> bytes:
    return _box(b"trun", struct.pack(">II", offset_flag, 0) + bytes(4 * offset_flag))


def _fragment(*runs: bytes) -> bytes:
    return _box(b"moof", _box(b"traf", _box(b"tfhd", bytes(8)) + b"".join(runs)))


def _defaults(*tracks: int) -> bytes:
    boxes = [_box(b"trex", struct.pack(">II16x", 0, track)) for track in tracks]
    return _box(b"moov", _box(b"mvex", b"".join(boxes)))


def _segments(first: int, sizes: list[int], version: int = 0) -> bytes:
    head = struct.pack(">B11xQQ" if version else ">B11xII", version, 0, first)
    rows = b"".join(struct.pack(">III", size, 0, 0) for size in sizes)
    return _box(b"sidx", head + struct.pack(">2xH", len(sizes)) + rows)


def _strange(data: bytes) -> str:
    stream = BytesIO(data)
    return strange_index(stream, list(walk_boxes(stream)))


@pytest.mark.parametrize("kind", [b"stco", b"stsc", b"stsz", b"stbl", b"minf", b"mdia"])
def test_track_has_each_table_once(clip: Path, kind: bytes) -> None:
    assert _strange(_file(clip)) == ""
    for change in (lambda _: b"", lambda box: box + box):
        told = _strange(_file(clip, change=change, kind=kind))
        assert told == "a track has no index, or several"


def test_tables_of_one_track_do_not_stand_in_for_those_of_another(clip: Path) -> None:
    def two(track: bytes) -> bytes:
        none = _edited(track, b"stco", lambda _: b"")
        both = _edited(track, b"stco", lambda box: box + box)
        return none + both

    assert _strange(_file(clip, change=lambda box: box + box, kind=b"trak")) == ""
    assert "no index" in _strange(_file(clip, change=two, kind=b"trak"))


@pytest.mark.parametrize(
    ("boxes", "strange"),
    [
        (_box(b"moof", _box(b"traf", _box(b"tfhd", b"") + _box(b"trun", b""))), False),
        (_box(b"traf", _box(b"trun", b"")), True),
        (_box(b"moof", _box(b"trun", b"")), True),
        (_box(b"trun", b""), True),
        (_box(b"moov", _box(b"moof", b"")), True),
        (_box(b"moov", _box(b"mvex", _box(b"trex", b""))), False),
        (_box(b"moov", _box(b"trex", b"")), True),
        (_box(b"ilst", _box(b"moov", _box(b"stco", b""))), True),
        (_box(b"meta", bytes(4) + _box(b"trun", b"")), True),
        (_box(b"meta", bytes(4) + _box(b"iloc", b"")), False),
        (_box(b"moof", _box(b"abcd", _box(b"trun", b""))), True),
        (_box(b"moov", _box(b"udta", _box(b"meta", _box(b"co64", b"")))), True),
        (_box(b"moov", _box(b"udta", _box(b"meta", _box(b"ilst", b"a title")))), False),
        (_box(b"mdat", b"stco co64 trun"), False),
        (_box(b"free", _box(b"stco", b"")), False),
        (_box(b"abcd", _box(b"stco", b"")), False),
        (_box(b"moov", _box(b"free", _box(b"stco", b""))), False),
        (_box(b"free", _box(b"mvhd", b"")), True),
        (_box(b"hoov", _box(b"cmov", b"")), True),
        (_box(b"free", b"mvhd"), False),
        (_box(b"moov", b"") + _box(b"free", _box(b"mvhd", b"")), False),
        (_fragment(_run(1), _run(1), _run(0)), True),
        (_fragment(_run(1), b"", _run(1)), False),
        (_fragment(_run(0)) + _fragment(_run(0)), False),
        (_fragment(_run(0), _box(b"trun", b"")), True),
        (_defaults(1, 2), False),
        (_defaults(1, 2, 1), True),
        (_segments(0, [24, 100]) + _box(b"styp", bytes(16)) + _fragment(_run(1)), False),
        (_segments(24, [100]) + _box(b"styp", bytes(16)) + _fragment(_run(1)), False),
        (_segments(24, [100], 1) + _box(b"styp", bytes(16)) + _fragment(_run(1)), False),
        (_segments(0, [32, 100]) + _box(b"emsg", _fragment(_run(1))), True),
        (_segments(8, [100]) + _box(b"emsg", _fragment(_run(1))), True),
        (_segments(8, [100], 1) + _box(b"emsg", _fragment(_run(1))), True),
        (_box(b"sidx", bytes(22) + b"\0\1"), True),
        (_box(b"sidx", b""), True),
        (_box(b"moov", _segments(0, [])), True),
        (_box(b"meta", bytes(4) + _segments(0, [])), True),
    ],
)
def test_tables_are_looked_for_where_players_look(boxes: bytes, strange: bool) -> None:
    assert bool(_strange(_box(b"ftyp", b"isom") + boxes)) is strange


@pytest.mark.parametrize(("size", "told"), [(32 << 20, False), ((32 << 20) + 1, True)])
def test_what_is_looked_through_is_bounded(size: int, told: bool) -> None:
    half = _box(b"abcd", bytes(size // 2))
    data = _box(b"moov", half + _box(b"abcd", bytes(size - size // 2)))
    assert _strange(data).startswith("the index holds more than") is told


@pytest.mark.parametrize("kind", [b"free", b"hoov"])
def test_index_in_padding_is_told(clip: Path, tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(_file(clip, b"emsg", lambda moov: moov[:4] + kind + moov[8:]))
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 16
    assert STRANGE in [(row.code, row.breaks) for row in check_container(path, None)]


@pytest.mark.parametrize("first", [[2], [1, 1], [1, 3, 2]])
def test_chunks_that_are_not_in_order_leave_their_samples_open(
    clip: Path, tmp_path: Path, first: list[int]
) -> None:
    rows = b"".join(struct.pack(">III", chunk, 1, 1) for chunk in first)
    table = _box(b"stsc", struct.pack(">II", 0, len(first)) + rows)
    path = tmp_path / "x.mp4"
    path.write_bytes(_file(clip, change=lambda _: table, kind=b"stsc"))
    found = [(row.code, row.breaks) for row in check_container(path, None)]
    assert found == [("vidigree.container.damaged", "unknown")]


def test_signature_over_a_strange_index_leaves_integrity_open(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    source, signed = tmp_path / "x.mp4", tmp_path / "signed.mp4"
    kind, change = PLAYED["stbl in tref"]
    source.write_bytes(_file(clip, change=change, kind=kind))
    sign_file(source, signed, request=request_for_clip, identity=identity)
    reading = read_credentials(signed, trust=TrustSettings.load())
    assert (reading.content_binding, reading.integrity) == ("match", "unknown")
    assert STRANGE[0] in reading.codes.failure
