"""Tags and XMP are added, and not a sample moves or changes."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidigree.media import OutputError, UnsupportedMediaError, VideoWriter, open_video
from vidigree.media.container import walk_boxes
from vidigree.media.metadata import XMP_BOX, write_metadata


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    random = np.random.default_rng(3)
    with VideoWriter(path, width=64, height=48, fps=Fraction(25)) as video:
        for _ in range(30):
            video.write(random.integers(0, 255, (48, 64, 3)).astype(np.uint8))
    return path


def packets(path: Path) -> list[tuple[int, int | None, bytes]]:
    """Every packet of every stream: what a player gets to see."""
    with av.open(str(path)) as container:
        return [
            (packet.stream.index, packet.pts, bytes(packet))
            for packet in container.demux()
            if packet.dts is not None
        ]


def tags(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        return dict(container.metadata)


def remuxed(clip: Path, out: Path, *, sound: bool = False, **options: str) -> Path:
    """Write the clip again with other muxer options, and with a second track if asked."""
    with av.open(str(clip)) as source, av.open(str(out), "w", options=options) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        noise = target.add_stream("aac", rate=48_000) if sound else None
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
        if noise is not None:
            for index in range(40):
                frame = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
                frame.rate, frame.pts = 48_000, index * 1024
                for plane in frame.planes:
                    plane.update(bytes(plane.buffer_size))
                target.mux(noise.encode(frame))
            target.mux(noise.encode(None))
    return out


def test_samples_stay_and_metadata_is_read_by_others(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    write_metadata(clip, out, tags={"AIGC": '{"Label":"1"}', "other": "ü"}, xmp=b"<x/>")
    assert packets(out) == packets(clip)
    assert tags(out)["AIGC"] == '{"Label":"1"}'
    assert tags(out)["other"] == "ü"
    with out.open("rb") as stream:
        (box,) = [box for box in walk_boxes(stream) if box.extended_type == XMP_BOX]
        stream.seek(box.payload_offset)
        assert stream.read(box.payload_size) == b"<x/>"
    with open_video(out) as after, open_video(clip) as before:
        for one, other in zip(after, before, strict=True):
            assert one.time == other.time
            np.testing.assert_array_equal(one.image, other.image)


@pytest.mark.parametrize("movflags", ["+faststart", "+write_colr"])
def test_index_in_front_and_behind(movflags: str, clip: Path, tmp_path: Path) -> None:
    source = remuxed(clip, tmp_path / "in.mp4", sound=True, movflags=movflags)
    write_metadata(source, tmp_path / "out.mp4", tags={"AIGC": "x" * 5000})
    assert packets(tmp_path / "out.mp4") == packets(source)
    assert len({index for index, _, _ in packets(source)}) == 2
    assert tags(tmp_path / "out.mp4")["AIGC"] == "x" * 5000


def test_64_bit_offsets_are_shifted_too(clip: Path, tmp_path: Path) -> None:
    data = bytearray(clip.read_bytes())
    with clip.open("rb") as stream:
        boxes = list(walk_boxes(stream))
    (table,) = [box for box in boxes if box.kind == b"stco"]
    (count,) = struct.unpack_from(">I", data, table.payload_offset + 4)
    offsets = struct.unpack_from(f">{count}I", data, table.payload_offset + 8)
    grown = 4 * count
    wide = struct.pack(">I4sII", 16 + 8 * count, b"co64", 0, count)
    wide += struct.pack(f">{count}Q", *(offset + grown for offset in offsets))
    data[table.offset : table.end] = wide
    for box in boxes:
        if box.kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            struct.pack_into(">I", data, box.offset, box.size + grown)
    source = tmp_path / "wide.mp4"
    source.write_bytes(data)
    assert packets(source) == packets(clip)
    write_metadata(source, tmp_path / "out.mp4", tags={"AIGC": "y"})
    assert packets(tmp_path / "out.mp4") == packets(clip)


def test_tags_replace_those_that_are_there(clip: Path, tmp_path: Path) -> None:
    write_metadata(clip, tmp_path / "a.mp4", tags={"AIGC": "first"})
    write_metadata(tmp_path / "a.mp4", tmp_path / "b.mp4", tags={"AIGC": "second"})
    assert tags(tmp_path / "b.mp4")["AIGC"] == "second"
    assert b"first" not in (tmp_path / "b.mp4").read_bytes()


def test_nothing_to_add_changes_nothing(clip: Path, tmp_path: Path) -> None:
    write_metadata(clip, tmp_path / "out.mp4", tags={})
    assert (tmp_path / "out.mp4").read_bytes() == clip.read_bytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(value=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_any_text_comes_back(value: str, clip: Path, tmp_path: Path) -> None:
    write_metadata(clip, tmp_path / "out.mp4", tags={"note": value})
    assert tags(tmp_path / "out.mp4")["note"] == value


def test_fragmented_file_is_refused(clip: Path, tmp_path: Path) -> None:
    source = remuxed(clip, tmp_path / "in.mp4", movflags="+frag_keyframe+empty_moov")
    with pytest.raises(UnsupportedMediaError, match="fragments"):
        write_metadata(source, tmp_path / "out.mp4", tags={"AIGC": "x"})


def test_chunk_table_that_lies_is_refused(clip: Path, tmp_path: Path) -> None:
    data = bytearray(clip.read_bytes())
    struct.pack_into(">I", data, data.index(b"stco") + 8, 2**31)
    (tmp_path / "in.mp4").write_bytes(data)
    with pytest.raises(UnsupportedMediaError, match="claims more chunks"):
        write_metadata(tmp_path / "in.mp4", tmp_path / "out.mp4", tags={"AIGC": "x"})


def test_folder_that_is_not_there_is_an_output_error(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_metadata(clip, tmp_path / "no" / "out.mp4", tags={"AIGC": "x"})


def test_user_data_that_does_not_stand_last_is_left_alone(clip: Path, tmp_path: Path) -> None:
    data = bytearray(clip.read_bytes())
    with clip.open("rb") as stream:
        boxes = {box.path: box for box in walk_boxes(stream)}
    held, track = boxes["/moov/udta"], boxes["/moov/trak"]
    moved = bytes(data[held.offset : held.end])
    del data[held.offset : held.end]
    data[track.offset : track.offset] = moved
    source, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
    source.write_bytes(data)
    with pytest.raises(UnsupportedMediaError, match="user data does not stand at the end"):
        write_metadata(source, out, tags={"AIGC": "x"})
    assert not out.exists()


def test_offsets_that_do_not_fit_any_more_are_refused(clip: Path, tmp_path: Path) -> None:
    data = bytearray(clip.read_bytes())
    with clip.open("rb") as stream:
        (table,) = [box for box in walk_boxes(stream) if box.kind == b"stco"]
    struct.pack_into(">I", data, table.payload_offset + 8, 2**32 - 1)
    source, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
    source.write_bytes(data)
    with pytest.raises(UnsupportedMediaError, match="4 GiB"):
        write_metadata(source, out, tags={"AIGC": "x" * 400})
    assert not out.exists()
    write_metadata(source, out, tags={}, xmp=b"<x/>")
