"""What is opened as a video, and with which words the rest is refused."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from fixtures.sounding_clips import Track, source

from vidigree.media import (
    MediaError,
    NotAVideoError,
    TruncatedMediaError,
    UnsupportedMediaError,
    UsageError,
    open_video,
    probe,
)


def cover() -> bytes:
    data = io.BytesIO()
    with av.open(data, "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuvj420p"
        grey = np.full((32, 32, 3), 99, np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))
    return data.getvalue()


def with_cover(path: Path, clip: Path, kinds: tuple[str, ...]) -> Path:
    """Write a clip again behind a cover picture, only with tracks of some kinds."""
    with av.open(str(clip)) as whole, av.open(str(path), "w") as out:
        picture = out.add_stream("mjpeg")
        picture.width, picture.height, picture.pix_fmt = 32, 32, "yuvj420p"
        picture.disposition = av.stream.Disposition.attached_pic
        kept = [stream for stream in whole.streams if stream.type in kinds]
        streams = {stream.index: out.add_stream_from_template(stream) for stream in kept}
        packet = av.Packet(cover())
        packet.pts = packet.dts = 0
        packet.stream = picture
        out.mux(packet)
        for packet in whole.demux(kept):
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    return path


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    clip = source(tmp_path / "a.mp4", [Track("aac")])
    info = probe(with_cover(tmp_path / "b.mp4", clip, ("video", "audio")))
    assert (info.width, info.height, info.codec) == (96, 64, "h264")
    with pytest.raises(NotAVideoError, match="no video track"):
        open_video(with_cover(tmp_path / "c.mp4", clip, ("audio",)))


def test_a_codec_that_nobody_knows_is_named_as_the_reason(tmp_path: Path) -> None:
    clip = source(tmp_path / "a.mp4", [])
    path = tmp_path / "b.mp4"
    path.write_bytes(clip.read_bytes().replace(b"avc1\0\0\0\0", b"zzz1\0\0\0\0"))
    with pytest.raises(UnsupportedMediaError, match="cannot be decoded"):
        open_video(path)


@pytest.mark.parametrize(
    ("boxes", "error"),
    [
        ((b"mdat",), TruncatedMediaError),
        ((b"mdat", b"moov"), NotAVideoError),
    ],
)
def test_an_index_is_looked_for_behind_a_box_of_64_bits(
    tmp_path: Path, boxes: tuple[bytes, ...], error: type[MediaError]
) -> None:
    path = tmp_path / "a.mp4"
    large = [struct.pack(">I4sQ", 1, kind, 116) + bytes(100) for kind in boxes]
    path.write_bytes(struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + b"".join(large))
    with pytest.raises(error):
        open_video(path)


def test_an_index_that_asks_for_absurdly_much_memory_is_damage(tmp_path: Path) -> None:
    data = bytearray(source(tmp_path / "a.mp4", []).read_bytes())
    times = data.index(b"stts") + 8
    data[times : times + 12] = struct.pack(">III", 0x7FFFFFFF, 0x7FFFFFFF, 1)
    path = tmp_path / "b.mp4"
    path.write_bytes(data)
    with pytest.raises(NotAVideoError, match="not a video that can be read"):
        open_video(path)


def test_names_that_lead_nowhere_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name is too long"):
        open_video(tmp_path / ("a" * 300))
    loop = tmp_path / "loop.mp4"
    loop.symlink_to(loop)
    with pytest.raises(MediaError, match="cannot be opened: Too many"):
        open_video(loop)
