"""Samples of sound are as long as players take them to be."""

from __future__ import annotations

import struct
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest

from vidigree.media.container import walk_boxes
from vidigree.media.raw_sound import packet_of_sound, raw_sound_bytes
from vidigree.media.sample_layout import sample_layout

SAMPLES = 1000


def _sound(path: Path, codec: str, layout: str = "stereo") -> bytes:
    with av.open(str(path), "w", format="mov") as container:
        stream = container.add_stream(codec, rate=8000, layout=layout)
        kind = stream.codec_context.format.name
        frame = av.AudioFrame(format=kind, layout=layout, samples=SAMPLES)
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


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_packets_of_compressed_sound(tmp_path: Path, layout: str, old: bool) -> None:
    """The ``old`` way is QuickTime's: a table of sizes that counts what a packet holds."""
    data = bytearray(_sound(tmp_path / "x.mov", "adpcm_ima_qt", layout))
    boxes = list(walk_boxes(BytesIO(data)))
    tables = {box.kind: box.payload_offset for box in boxes}
    packets = struct.unpack_from(">I", data, tables[b"stsz"] + 8)[0]
    if old:
        size = 34 * (1 + (layout == "stereo"))
        struct.pack_into(">II", data, tables[b"stsz"] + 4, 1, 64 * packets)
        struct.pack_into(">II", data, tables[b"stts"] + 8, 64 * packets, 1)
        struct.pack_into(">I", data, tables[b"stsc"] + 12, 64 * packets)
        struct.pack_into(">3I", data, tables[b"stsd"] + 44, 64, 34, size)
    with av.open(BytesIO(data)) as container:
        played = sum(packet.size for packet in container.demux())
    assert played >= 34 * (SAMPLES // 64)
    ranges = sample_layout(BytesIO(data), boxes).ranges
    assert int(np.diff(ranges).sum()) == played


@pytest.mark.parametrize("numbers", [(0, 64, 34), (1, 1, 34), (1, 64, 0), (2, 64, 34)])
def test_what_is_no_packet_of_sound(numbers: tuple[int, int, int]) -> None:
    version, samples, size = numbers
    description = struct.pack(">8xI4s8xH18xI4xI", 52, b"ima4", version, samples, size)
    assert packet_of_sound(description) == (1, 0)
    assert packet_of_sound(description[:-1]) == (1, 0)


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
