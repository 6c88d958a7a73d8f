"""Boxes are walked without trusting a single number in them."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidigree.media.container import MAX_BOXES, MAX_DEPTH, is_iso_media, open_media, walk_boxes
from vidigree.media.errors import (
    MediaError,
    MediaNotFoundError,
    TruncatedMediaError,
    UnsupportedMediaError,
)
from vidigree.media.sample_layout import SampleLayout, sample_layout


def box(kind: bytes, payload: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def full(kind: bytes, payload: bytes, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", flags) + payload)


def kinds(data: bytes) -> list[str]:
    return [found.path for found in walk_boxes(io.BytesIO(data))]


def test_boxes_come_in_file_order_parents_first() -> None:
    data = box(b"ftyp", b"isom") + box(b"moov", box(b"trak", box(b"tkhd")) + box(b"udta"))
    assert kinds(data) == ["/ftyp", "/moov", "/moov/trak", "/moov/trak/tkhd", "/moov/udta"]


def test_size_zero_means_to_the_end() -> None:
    data = box(b"ftyp", b"isom") + struct.pack(">I4s", 0, b"mdat") + b"x" * 20
    assert [found.size for found in walk_boxes(io.BytesIO(data))] == [12, 28]


def test_a_zero_may_end_user_data_and_nothing_else() -> None:
    user = box(b"udta", box(b"name", b"x") + bytes(4))
    assert kinds(box(b"moov", user) + box(b"free")) == [
        "/moov",
        "/moov/udta",
        "/moov/udta/name",
        "/free",
    ]
    for damaged in (box(b"udta", b"\0\0\0\1"), box(b"trak", bytes(4)), box(b"udta", bytes(3))):
        with pytest.raises(TruncatedMediaError):
            kinds(box(b"moov", damaged))


def test_large_size_is_read() -> None:
    data = struct.pack(">I4sQ", 1, b"mdat", 20) + b"abcd"
    (found,) = walk_boxes(io.BytesIO(data))
    assert (found.header_size, found.payload_size) == (16, 4)


def test_extended_type_is_read() -> None:
    (found,) = walk_boxes(io.BytesIO(box(b"uuid", bytes(range(16)) + b"rest")))
    assert found.extended_type == bytes(range(16))
    assert found.payload_size == 4


@pytest.mark.parametrize("size", [2, 7, 100, 2**31])
def test_size_that_does_not_fit_is_truncated(size: int) -> None:
    with pytest.raises(TruncatedMediaError, match="do not fit"):
        kinds(struct.pack(">I4s", size, b"moov") + b"\0" * 8)


def test_header_cut_short_is_truncated() -> None:
    with pytest.raises(TruncatedMediaError, match="inside a box header"):
        kinds(box(b"ftyp") + b"\0\0\0")


def test_nesting_has_a_limit() -> None:
    data = b""
    for _ in range(MAX_DEPTH + 2):
        data = box(b"moov", data)
    with pytest.raises(UnsupportedMediaError, match="deep"):
        kinds(data)


def test_number_of_boxes_has_a_limit() -> None:
    with pytest.raises(UnsupportedMediaError, match="boxes"):
        kinds(box(b"free") * (MAX_BOXES + 1))


@given(st.binary(max_size=400))
def test_any_bytes_end_in_boxes_or_in_our_errors(data: bytes) -> None:
    try:
        found = list(walk_boxes(io.BytesIO(data)))
        sample_layout(io.BytesIO(data), found)
    except MediaError:
        return
    assert all(row.end <= len(data) for row in found)


TABLE_KINDS = [b"stco", b"co64", b"stsc", b"stsz", b"stz2", b"dref", b"tfhd", b"trun"]


@given(st.lists(st.tuples(st.sampled_from(TABLE_KINDS), st.binary(max_size=60)), max_size=6))
def test_any_tables_end_in_ranges_or_in_our_errors(tables: list[tuple[bytes, bytes]]) -> None:
    inner = b"".join(box(kind, payload) for kind, payload in tables)
    data = box(b"moov", box(b"trak", box(b"stbl", inner))) + box(b"moof", box(b"traf", inner))
    try:
        layout = sample_layout(io.BytesIO(data), list(walk_boxes(io.BytesIO(data))))
    except MediaError:
        return
    assert layout.ranges.shape[1] == 2
    assert layout.outside([]) >= 0


def _track(
    *, offsets: list[int], sizes: list[int], per_chunk: int, external: bool = False
) -> bytes:
    def numbers(*values: int) -> bytes:
        return struct.pack(f">{len(values)}I", *values)

    tables = full(b"stco", numbers(len(offsets), *offsets))
    tables += full(b"stsc", numbers(1, 1, per_chunk, 1))
    tables += full(b"stsz", numbers(0, len(sizes), *sizes))
    reference = full(b"dref", numbers(1) + full(b"url ", b"", flags=0 if external else 1))
    media = box(b"dinf", reference) + box(b"stbl", tables)
    return box(b"moov", box(b"trak", box(b"mdia", box(b"minf", media))))


def _layout(data: bytes) -> list[tuple[int, int]]:
    stream = io.BytesIO(data)
    ranges = sample_layout(stream, list(walk_boxes(stream))).ranges
    return [(int(start), int(end)) for start, end in ranges]


def test_chunks_are_as_long_as_their_samples() -> None:
    data = _track(offsets=[100, 500], sizes=[10, 20, 30], per_chunk=2)
    assert _layout(data) == [(100, 130), (500, 530)]


def test_chunk_that_begins_inside_and_ends_outside_is_counted() -> None:
    data = _track(offsets=[100], sizes=[50], per_chunk=1)
    stream = io.BytesIO(data)
    layout = sample_layout(stream, list(walk_boxes(stream)))
    assert layout.outside([(90, 120)]) == 30
    assert layout.outside([(90, 200)]) == 0


def test_samples_in_another_file_are_counted() -> None:
    stream = io.BytesIO(_track(offsets=[], sizes=[], per_chunk=1, external=True))
    assert sample_layout(stream, list(walk_boxes(stream))).external == 1


def test_fragment_runs_start_at_their_moof() -> None:
    header = full(b"tfhd", struct.pack(">II", 1, 7), flags=0x10)
    run = full(b"trun", struct.pack(">Ii", 3, 200), flags=0x01)
    padding = box(b"free", b"\0" * 32)
    data = padding + box(b"moof", box(b"traf", header + run))
    assert _layout(data) == [(240, 261)]


def _trex(track: int, size: int) -> bytes:
    return full(b"trex", struct.pack(">5I", track, 1, 0, size, 0))


def _fragment(*tracks: tuple[int, int, bytes]) -> bytes:
    """Return a fragment: flags and number of each track, and what more its header says."""
    return box(
        b"moof",
        b"".join(
            box(
                b"traf",
                full(b"tfhd", struct.pack(">I", track) + more, flags=flags)
                + full(b"trun", struct.pack(">Ii", 3, 200), flags=0x01)
                + full(b"trun", struct.pack(">I", 2)),
            )
            for flags, track, more in tracks
        ),
    )


def test_samples_of_a_fragment_are_as_long_as_their_track_says() -> None:
    extends = box(b"moov", box(b"mvex", _trex(1, 7) + _trex(2, 11)))
    start = len(extends)
    own = struct.pack(">I", 5)
    for fragment, size in (
        (_fragment((0, 1, b"")), 7),
        (_fragment((0, 2, b"")), 11),
        (_fragment((0x10, 2, own)), 5),
        (_fragment((0, 3, b"")), 0),
    ):
        first, then = start + 200, start + 200 + 3 * size
        assert _layout(extends + fragment) == [(first, then), (then, then + 2 * size)]


def test_samples_of_a_further_track_are_counted_from_where_its_flags_say() -> None:
    size = struct.pack(">I", 10)
    base = struct.pack(">QI", 9_000, 10)
    for flags, more, start in (
        (0x10, size, 250 + 200),
        (0x10 | 0x020000, size, 200),
        (0x10 | 0x01, base, 9_200),
    ):
        found = _layout(_fragment((0x10, 1, size), (flags, 2, more)))
        assert found[:2] == [(200, 230), (230, 250)]
        assert found[2:] == [(start, start + 30), (start + 30, start + 50)]
    # In the next fragment they are counted from its own beginning again.
    one = _fragment((0x10, 1, size))
    assert _layout(one + one)[2:] == [
        (len(one) + 200, len(one) + 230),
        (len(one) + 230, len(one) + 250),
    ]


@pytest.mark.parametrize("kind", [b"trex", b"tfhd"])
def test_header_of_a_track_that_is_too_short_is_truncated(kind: bytes) -> None:
    data = box(b"moof", box(b"traf", full(kind, b"abc")))
    with pytest.raises(TruncatedMediaError):
        _layout(data)


@pytest.mark.parametrize(
    "flags", ["", "+omit_tfhd_offset", "+default_base_moof", "+separate_moof", "+dash"]
)
def test_samples_of_fragments_are_found_as_a_muxer_writes_them(tmp_path: Path, flags: str) -> None:
    path = tmp_path / "x.mp4"
    options = {"movflags": f"frag_keyframe+empty_moov{flags}"}
    with av.open(str(path), "w", options=options) as container:
        video = container.add_stream("mpeg4", rate=8)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=48_000)
        for number in range(32):
            picture = np.full((48, 64, 3), 7 * number, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture)))
            silence = av.AudioFrame.from_ndarray(np.zeros((2, 6_000), np.float32), "fltp")
            silence.rate, silence.pts = 48_000, 6_000 * number
            container.mux(sound.encode(silence))
        container.mux([*video.encode(None), *sound.encode(None)])
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux() if packet.size]
    with path.open("rb") as stream:
        ranges = sample_layout(stream, list(walk_boxes(stream))).ranges
    assert len(packets) > 32
    assert int(np.sum(ranges[:, 1] - ranges[:, 0])) == sum(size for _, size in packets)
    for position, size in packets:
        inside = (ranges[:, 0] <= position) & (position + size <= ranges[:, 1])
        assert inside.any()


def test_table_with_more_entries_than_bytes_is_truncated() -> None:
    data = box(b"moov", box(b"trak", box(b"stbl", full(b"stco", struct.pack(">I", 10**9)))))
    with pytest.raises(TruncatedMediaError, match="more entries"):
        _layout(data)


def test_text_is_not_iso_media() -> None:
    assert not is_iso_media(io.BytesIO(b"hello, this is text"))
    assert is_iso_media(io.BytesIO(box(b"ftyp", b"isom")))


def test_missing_file_and_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFoundError):
        open_media(tmp_path / "missing.mp4")
    with pytest.raises(MediaError, match="cannot be read"):
        open_media(tmp_path)


def test_order_and_seams_of_chunks_are_seen() -> None:
    def layout(offsets: list[int], sizes: list[int]) -> tuple[bool, bool]:
        stream = io.BytesIO(_track(offsets=offsets, sizes=sizes, per_chunk=1))
        found = sample_layout(stream, list(walk_boxes(stream)))
        return found.in_order, found.seamless

    assert layout([100, 110, 130], [10, 20, 30]) == (True, True)
    assert layout([110, 100, 130], [20, 10, 30]) == (False, True)
    assert layout([100, 111, 131], [10, 20, 30]) == (True, False)
    assert layout([100, 105, 125], [10, 20, 30]) == (True, False)


def _outside_one_by_one(ranges: list[tuple[int, int]], allowed: list[tuple[int, int]]) -> int:
    good = {byte for start, end in allowed for byte in range(start, end)}
    return sum(byte not in good for start, end in ranges for byte in range(start, end))


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=8)


@given(SPANS, SPANS)
def test_bytes_outside_are_counted_as_one_would_by_hand(
    samples: list[tuple[int, int]], boxes: list[tuple[int, int]]
) -> None:
    ranges = [(start, start + size) for start, size in samples]
    allowed, end = [], 0
    for gap, size in boxes:
        allowed.append((end + gap, end + gap + size))
        end += gap + size
    layout = SampleLayout(ranges=np.array(ranges, np.int64).reshape(-1, 2), external=0)
    assert layout.outside(allowed) == _outside_one_by_one(ranges, allowed)


@pytest.mark.timeout(20)
def test_many_samples_and_many_boxes_cost_little() -> None:
    starts = np.arange(2_000_000, dtype=np.int64) * 3
    layout = SampleLayout(ranges=np.stack([starts, starts + 3], axis=1), external=0)
    allowed = [(number * 60, number * 60 + 60) for number in range(100_000)]
    assert layout.outside(allowed) == 0
