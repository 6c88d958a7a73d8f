"""Samples of uncompressed sound are as long as players take them to be."""

from __future__ import annotations

import struct
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest

from vidigree.media.container import walk_boxes
from vidigree.media.raw_sound import raw_sound_bytes
from vidigree.media.sample_layout import sample_layout

SAMPLES = 1000


def _sound(path: Path, codec: str) -> bytes:
    with av.open(str(path), "w", format="mov") as container:
        stream = container.add_stream(codec, rate=8000, layout="stereo")
        kind = stream.codec_context.format.name
        frame = av.AudioFrame(format=kind, layout="stereo", samples=SAMPLES)
        frame.sample_rate, frame.pts, frame.time_base = 8000, 0, Fraction(1, 8000)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


@pytest.mark.parametrize("size", [None, 1, 7])
@pytest.mark.parametrize(
    "codec",
    [
        *("pcm_s8", "pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32be"),
        *("pcm_f32be", "pcm_f64le", "pcm_mulaw", "pcm_alaw"),
    ],
)
def test_description_counts_and_not_the_table(tmp_path: Path, codec: str, size: int | None) -> None:
    data = bytearray(_sound(tmp_path / "x.mov", codec))
    boxes = list(walk_boxes(BytesIO(data)))
    (table,) = (box for box in boxes if box.kind == b"stsz")
    if size is not None:
        struct.pack_into(">I", data, table.payload_offset + 4, size)
    with av.open(BytesIO(data)) as container:
        played = sum(packet.size for packet in container.demux())
    assert played >= 2 * SAMPLES
    ranges = sample_layout(BytesIO(data), boxes).ranges
    assert int(np.diff(ranges).sum()) == played


@pytest.mark.parametrize(
    "description",
    [
        b"",
        bytes(8),
        struct.pack(">8xI4s8xH6xHH", 36, b"mp4a", 0, 2, 16),
        struct.pack(">8xI4s8xH6xHH", 36, b"lpcm", 2, 2, 16),
        struct.pack(">8xI4s8xH6xI", 86, b"raw ", 0, 512),
    ],
)
def test_what_is_not_raw_sound_has_no_size(description: bytes) -> None:
    assert raw_sound_bytes(description) == 0
