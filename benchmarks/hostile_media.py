"""Files that decoders should fear: damaged, truncated, lying about themselves, or no video."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

__all__ = ["CLIP_FORMATS", "hostile_files", "write_clip"]

CLIP_FORMATS = {
    "mp4": ("mp4", "libx264", "yuv420p"),
    "mov": ("mov", "libx264", "yuv420p"),
    "mkv": ("matroska", "libx264", "yuv420p"),
    "webm": ("webm", "libvpx", "yuv420p"),
    "avi": ("avi", "mpeg4", "yuv420p"),
    "gif": ("gif", "gif", "rgb8"),
}


def write_clip(
    path: Path, how: tuple[str, str, str], *, size: tuple[int, int] = (160, 120), frames: int = 24
) -> Path:
    """Write a small moving texture."""
    container, codec, pixels = how
    width, height = size
    ramp = np.add.outer(np.arange(height), np.arange(width)).astype(np.uint32)
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=Fraction(12))
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        for number in range(frames):
            image = np.stack([(ramp * k + 9 * number) % 251 for k in (1, 3, 7)], -1)
            frame = av.VideoFrame.from_ndarray(image.astype(np.uint8), format="rgb24")
            output.mux(stream.encode(frame.reformat(format=pixels)))
        output.mux(stream.encode(None))
    return path


def box(kind: bytes, content: bytes = b"", size: int | None = None) -> bytes:
    """Return an ISO base media box; ``size`` is what it claims, right or not."""
    return struct.pack(">I", len(content) + 8 if size is None else size) + kind + content


FTYP = box(b"ftyp", b"mp42\0\0\0\0mp42isom")


def hostile_files(folder: Path, count: int, chance: random.Random) -> Iterator[tuple[str, Path]]:
    """Yield ``count`` files with the kind of each; ``chance`` decides where damage goes."""
    clips = {
        suffix: write_clip(folder / f"source.{suffix}", how).read_bytes()
        for suffix, how in CLIP_FORMATS.items()
    }
    fixed = [*bombs(clips), *wrong_kinds(), *strange_sizes(folder, clips)]
    number = 0
    for kind, suffix, content in fixed:
        yield kind, _write(folder / f"{number:03d}-{kind.replace(' ', '-')}{suffix}", content)
        number += 1
    makers: list[tuple[str, Callable[[bytes, random.Random], bytes]]] = [
        ("mutated", overwrite),
        ("truncated", truncate),
        ("mutated", shuffle),
        ("truncated", hole),
    ]
    while number < count:
        kind, make = makers[number % len(makers)]
        suffix = chance.choice(list(clips))
        path = folder / f"{number:03d}-{kind}.{suffix}"
        yield kind, _write(path, make(clips[suffix], chance))
        number += 1


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def overwrite(content: bytes, chance: random.Random) -> bytes:
    """Replace a tenth to a half of the bytes, header and index included."""
    damaged = bytearray(content)
    for _ in range(int(len(damaged) * chance.uniform(0.1, 0.5))):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    return bytes(damaged)


def shuffle(content: bytes, chance: random.Random) -> bytes:
    """Put blocks of 64 bytes in another order."""
    blocks = [content[start : start + 64] for start in range(0, len(content), 64)]
    chance.shuffle(blocks)
    return b"".join(blocks)


def truncate(content: bytes, chance: random.Random) -> bytes:
    """Keep a beginning."""
    return content[: max(1, int(len(content) * chance.uniform(0.01, 0.85)))]


def hole(content: bytes, chance: random.Random) -> bytes:
    """Take out a third somewhere: the rest slides up."""
    start = chance.randrange(len(content) * 2 // 3)
    return content[:start] + content[start + len(content) // 3 :]


def bombs(clips: dict[str, bytes]) -> Iterator[tuple[str, str, bytes]]:
    """Small files that make a careless reader recurse, allocate or loop."""
    for depth in (100, 1000, 20_000):
        nested = b""
        for _ in range(depth):
            nested = box(b"moov", nested)
        yield "bomb", ".mp4", FTYP + nested
    for kind in (b"moov", b"mdat", b"uuid", b"free"):
        yield "bomb", ".mp4", FTYP + box(kind, b"\0" * 64, size=0xFFFFFFFF)
        huge = struct.pack(">I", 1) + kind + struct.pack(">Q", 2**63 - 1)
        yield "bomb", ".mp4", FTYP + huge + b"\0" * 64
        yield "bomb", ".mp4", FTYP + box(kind, size=4) * 999
    for table in (b"stts", b"stsz", b"stco", b"ctts"):
        position = clips["mp4"].find(table)
        if position > 0:
            damaged = bytearray(clips["mp4"])
            count = position + (12 if table == b"stsz" else 8)
            # The first entry lies as well: a count alone is cut down to the table by readers.
            damaged[count : count + 8] = b"\x7f\xff\xff\xff" * 2
            yield "bomb", ".mp4", bytes(damaged)
    store = box(b"uuid", bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + b"\0" * 4)
    yield "bomb", ".mp4", FTYP + store * 5000
    jumbf = b""
    for _ in range(3000):
        jumbf = box(b"jumb", box(b"jumd", b"\0" * 17) + jumbf)
    content = bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + b"\0\0\0\0manifest\0" + b"\0" * 8
    yield "bomb", ".mp4", FTYP + box(b"uuid", content + jumbf) + clips["mp4"][24:]
    yield "bomb", ".mkv", b"\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xfe" + b"\0" * 99
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("clip.mp4", bytes(40 << 20))
    yield "bomb", ".mp4", packed.getvalue()
    yield "bomb", ".mp4", gzip.compress(bytes(40 << 20))


def wrong_kinds() -> Iterator[tuple[str, str, bytes]]:
    """No videos, and text that tells a reader to open something else."""
    secret = "file:///etc/passwd"
    texts = {
        "playlist": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{secret}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile '{secret}'\n",
        "session": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        "page": "<!doctype html><script>alert(1)</script>",
        "subtitles": "1\n00:00:00,000 --> 00:00:02,000\nno video\n",
        "script": "#!/bin/sh\nrm -rf /\n",
        "drawing": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>',
        "manifest": f'<?xml version="1.0"?><MPD><BaseURL>{secret}</BaseURL></MPD>',
    }
    for text in texts.values():
        for suffix in (".mp4", ".webm"):
            yield "wrong kind", suffix, text.encode()
    for content in (
        b"\0",
        b"\0" * 100_000,
        b"%PDF-1.7\n%%EOF",
        b"PK\x05\x06" + bytes(18),
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(64),
        b"RIFF\x24\0\0\0WAVEfmt " + bytes(20),
        b"\x7fELF" + bytes(60),
        b"ID3\x04" + bytes(4096),
        b"\x80\x04\x95" + bytes(99),
    ):
        yield "wrong kind", ".mp4", content


def strange_sizes(folder: Path, clips: dict[str, bytes]) -> Iterator[tuple[str, str, bytes]]:
    """Pictures of nothing, and of far too much."""
    for width, height in ((0, 0), (0, 120), (65535, 65535), (10_000, 10_000)):
        yield "0 and 10,000 px", ".gif", _gif(width, height)
        yield "0 and 10,000 px", ".mp4", _sized_mp4(clips["mp4"], width, height)
        yield "0 and 10,000 px", ".avi", _sized_avi(clips["avi"], width, height)
    wide = write_clip(folder / "wide.mkv", ("matroska", "mpeg4", "yuv420p"), size=(8000, 16))
    yield "0 and 10,000 px", ".mkv", wide.read_bytes()
    tiny = write_clip(folder / "tiny.mp4", CLIP_FORMATS["mp4"], size=(2, 2))
    yield "0 and 10,000 px", ".mp4", tiny.read_bytes()
    large = write_clip(
        folder / "large.mkv", ("matroska", "ffv1", "gray"), size=(10_000, 10_000), frames=1
    )
    yield "0 and 10,000 px", ".mkv", large.read_bytes()


def _gif(width: int, height: int) -> bytes:
    screen = b"GIF89a" + struct.pack("<HH", width, height) + b"\xf0\0\0" + b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHH", 0, 0, width, height) + b"\0\x02\x02\x4c\x01\0"
    return screen + frame * 3 + b";"


def _sized_mp4(clip: bytes, width: int, height: int) -> bytes:
    damaged = bytearray(clip)
    entry = damaged.find(b"avc1", damaged.find(b"stsd"))
    damaged[entry + 28 : entry + 32] = struct.pack(">HH", width & 0xFFFF, height & 0xFFFF)
    header = damaged.find(b"tkhd")
    damaged[header + 80 : header + 88] = struct.pack(">HHHH", width, 0, height, 0)
    # The size in the codec's own parameters is damaged as well, else it is simply right.
    parameters = damaged.find(b"avcC")
    damaged[parameters + 14 : parameters + 26] = b"\xff" * 12
    return bytes(damaged)


def _sized_avi(clip: bytes, width: int, height: int) -> bytes:
    damaged = bytearray(clip)
    header = damaged.find(b"avih")
    damaged[header + 40 : header + 48] = struct.pack("<II", width, height)
    form = damaged.find(b"strf")
    damaged[form + 12 : form + 20] = struct.pack("<II", width, height)
    # The sizes in the codec's own headers are damaged as well, else they are simply right.
    return bytes(damaged).replace(b"\0\0\1\x20", bytes(4)).replace(b"\0\0\1\xb6", bytes(4))
