"""Files that end early are told by their containers' own sizes; whole ones never are."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from vidigree.media import TruncatedMediaError, open_video, reading
from vidigree.media.completeness import damaged_places, missing_bytes


def write(path: Path, codec: str, pixels: str, live: bool = False) -> Path:
    options = {"live": "1"} if live else {}
    random = np.random.default_rng(3)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=12)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pixels
        for _ in range(24):
            image = random.integers(0, 255, (64, 96, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixels)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


KINDS = {
    "mkv": ("libx264", "yuv420p"),
    "webm": ("libvpx", "yuv420p"),
    "avi": ("mpeg4", "yuv420p"),
    "gif": ("gif", "rgb8"),
}


def frames(path: Path) -> int:
    with open_video(path) as video:
        return sum(1 for _ in video)


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_file_is_read(tmp_path: Path, kind: str) -> None:
    assert frames(write(tmp_path / f"a.{kind}", *KINDS[kind])) == 24


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.5, 0.9, 1.0])
def test_a_cut_file_is_truncated(tmp_path: Path, kind: str, share: float) -> None:
    whole = write(tmp_path / f"a.{kind}", *KINDS[kind]).read_bytes()
    cut = tmp_path / f"cut.{kind}"
    cut.write_bytes(whole[: min(len(whole) - 1, int(len(whole) * share))])
    with pytest.raises(TruncatedMediaError, match="truncated"):
        frames(cut)


def test_a_live_recording_without_sizes_is_legal(tmp_path: Path) -> None:
    live = write(tmp_path / "live.webm", *KINDS["webm"], live=True)
    assert b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" in live.read_bytes()[:400]
    assert frames(live) == 24


def test_a_live_recording_cut_in_a_block_is_truncated(tmp_path: Path) -> None:
    whole = write(tmp_path / "live.webm", *KINDS["webm"], live=True).read_bytes()
    cut = tmp_path / "cut.webm"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(TruncatedMediaError):
        frames(cut)


def clustered(path: Path) -> list[int]:
    """Write a Matroska file of eight pictures, each in a cluster; return where these begin."""
    with av.open(str(path), "w", options={"cluster_time_limit": "1"}) as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuvj420p"
        for level in range(8):
            image = np.full((64, 96, 3), 20 * level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    data, cluster = path.read_bytes(), b"\x1f\x43\xb6\x75"
    places = [at for at in range(len(data)) if data[at : at + 4] == cluster]
    # The last one is that of the index at the beginning.
    return sorted(places)[-8:]


def test_clusters_that_are_damaged_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    begins = clustered(path)
    with open_video(path) as video:
        assert (sum(1 for _ in video), video.notes) == (8, ())
    data = bytearray(path.read_bytes())
    for number in (2, 5):
        data[begins[number] : begins[number] + 4] = bytes(4)
    path.write_bytes(data)
    with open_video(path) as video:
        assert sum(1 for _ in video) == 6
        (note,) = video.notes
    assert "is damaged at 2 places" in note
    # A cluster that says that it is longer than the file.
    data[begins[7] + 4 : begins[7] + 6] = b"\x10\xff"
    path.write_bytes(data)
    assert damaged_places(path, "matroska,webm") == 3
    assert damaged_places(path, "avi") == 0


def test_a_file_is_looked_through_for_damage_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clustered(tmp_path / "a.mkv")
    looked: list[object] = []
    monkeypatch.setattr(reading, "damaged_places", lambda *file: len(looked.append(file) or looked))
    with open_video(tmp_path / "a.mkv") as video:
        assert len(video.notes) == 1
        assert video.notes == video.notes
    assert len(looked) == 1


def test_a_live_recording_is_not_damaged(tmp_path: Path) -> None:
    live = write(tmp_path / "live.webm", *KINDS["webm"], live=True)
    assert damaged_places(live, "matroska,webm") == 0


def chunk(kind: bytes, payload: bytes, *, size: int | None = None) -> bytes:
    length = len(payload) if size is None else size
    return kind + struct.pack("<I", length) + payload + bytes(len(payload) % 2)


def test_lists_of_an_avi_are_found_behind_chunks_of_odd_length(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    cut = chunk(b"LIST", b"movi", size=104)
    path.write_bytes(chunk(b"RIFF", b"AVI " + chunk(b"JUNK", b"odd") + cut))
    assert missing_bytes(path, "avi") == 100
    # Only lists: a chunk of another kind may say what it wants.
    path.write_bytes(chunk(b"RIFF", b"AVI " + chunk(b"JUNK", b"odd", size=104)))
    assert missing_bytes(path, "avi") == 0


def test_the_next_part_of_an_avi_is_found_behind_one_of_odd_length(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    path.write_bytes(chunk(b"RIFF", b"AVI odd") + chunk(b"RIFF", b"AVIX", size=11))
    assert missing_bytes(path, "avi") == 7


def test_zeros_between_the_blocks_of_a_gif_are_legal(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gif", *KINDS["gif"])
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes(3) + whole[-1:])
    assert missing_bytes(path, "gif") == 0


@pytest.mark.parametrize("kind", KINDS)
def test_damage_never_crashes_the_check(
    tmp_path: Path, kind: str, mutations: Callable[[bytes], list[bytes]]
) -> None:
    whole = write(tmp_path / f"a.{kind}", *KINDS[kind]).read_bytes()
    path = tmp_path / f"b.{kind}"
    names = {"mkv": "matroska,webm", "webm": "matroska,webm"}
    for data in mutations(whole):
        path.write_bytes(data)
        assert missing_bytes(path, names.get(kind, kind)) >= 0
        assert damaged_places(path, names.get(kind, kind)) >= 0


@pytest.fixture
def mutations() -> Callable[[bytes], list[bytes]]:
    def make(whole: bytes) -> list[bytes]:
        random = np.random.default_rng(8)
        found = [whole[:size] for size in range(0, 200, 7)]
        for _ in range(60):
            data = bytearray(whole)
            for place in random.integers(0, min(400, len(data)), 8):
                data[place] = random.integers(256)
            found.append(bytes(data))
        return found

    return make
