"""A pause of the sound of a transport stream is told from packets that are missing."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from fixtures.sounding_clips import Track, carried, source

from vidigree.media.continuity import is_unbroken

SOUND = 0x101
PAUSE = 0.5


def pausing(path: Path, codec: str) -> Path:
    """Write a clip whose sound stops in the middle and goes on half a second later."""
    whole = source(path.with_name(f"whole-{path.name}"), [Track(codec)])
    with av.open(str(whole)) as sounding, av.open(str(path), "w") as out:
        streams = {one.index: out.add_stream_from_template(one) for one in sounding.streams}
        start = float(sounding.start_time or 0) / 1e6
        for packet in sounding.demux():
            if packet.dts is None:
                continue
            late = float(packet.dts * packet.time_base) - start > 0.7
            if packet.stream.type == "audio" and late:
                ticks = round(PAUSE / packet.time_base)
                packet.dts, packet.pts = packet.dts + ticks, packet.pts + ticks
            packet.stream = streams[packet.stream.index]
            out.mux(packet)
    return path


def without(path: Path, lost: Callable[[list[int]], list[int]]) -> Path:
    """Write a stream without some of the packets of its sound."""
    data = path.read_bytes()
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    sound = [n for n, one in enumerate(packets) if (one[1] & 0x1F) << 8 | one[2] == SOUND]
    gone = set(lost(sound))
    target = path.with_name(f"lossy-{path.name}")
    target.write_bytes(b"".join(one for n, one in enumerate(packets) if n not in gone))
    return target


@pytest.mark.parametrize("codec", ["aac", "ac3", "mp2"])
def test_a_pause_is_told_as_one(codec: str, tmp_path: Path) -> None:
    path = pausing(tmp_path / "pausing.ts", codec)
    (note,) = carried(path, tmp_path / "pausing.mp4")
    assert note == (
        "Audio track 1 pauses at 1 place, for 0.50 s in all; none of its packets is seen to be"
        " missing."
    )


@pytest.mark.parametrize("number", [1, 4, 16])
def test_what_is_missing_beside_a_pause_is_told(number: int, tmp_path: Path) -> None:
    """Sixteen packets leave no trace in the count, but in the length of what they were part of."""
    path = pausing(tmp_path / "pausing.ts", "ac3")
    lossy = without(path, lambda sound: sound[len(sound) // 4 :][:number])
    (note,) = carried(lossy, tmp_path / "lossy.mp4")
    assert note.startswith("The file lacks packets of its audio track 1 at ")


def piece(length: int, told: int | None = None) -> bytes:
    """Return a piece of sound of so many bytes behind its head."""
    return b"\0\0\1\xc0" + struct.pack(">H", length if told is None else told) + bytes(length)


def packets(
    *pieces: bytes, first: int = 14, flags: int = 0, field: bytes = b"", holds: bool = True
) -> list[bytes]:
    """Return packets that hold pieces, each in packets of its own, counted on."""
    found: list[bytes] = []
    for one in pieces:
        for at in range(0, len(one), 184 - len(field)):
            part = one[at : at + 184 - len(field)]
            filled = field
            if len(part) + len(field) < 184:
                room = 183 - len(part)
                filled = bytes([room]) + (field[1:2] or b"\0")[:room] + b"\xff" * (room - 1)
            control = (0x20 if filled else 0) | (0x10 if holds else 0)
            head = struct.pack(
                ">BHB",
                0x47,
                (0x4000 if at == 0 else 0) | flags | SOUND,
                control | (first + len(found)) % 16,
            )
            found.append(head + filled + part)
    return found


def unbroken(tmp_path: Path, *rows: bytes, before: bytes = b"", after: bytes = b"") -> bool:
    path = tmp_path / "a.ts"
    path.write_bytes(b"".join(before + row + after for row in rows))
    return is_unbroken(path, SOUND)


WHOLE = packets(*(piece(500) for _ in range(8)))  # 24 packets
OTHER = struct.pack(">BHB", 0x47, 0x4100, 0x10) + bytes(184)
TIME = struct.pack(">BHB", 0x47, SOUND, 0x20 | 3) + bytes([183, 0x10]) + bytes(182)
CUT = bytes([1, 0x80])  # an adaptation field that says that the count begins anew


def test_a_stream_that_counts_on_is_whole(tmp_path: Path) -> None:
    assert unbroken(tmp_path, *WHOLE)
    assert unbroken(tmp_path, OTHER, *WHOLE[1:], OTHER)  # from within a piece
    assert unbroken(tmp_path, *WHOLE[:5], OTHER, TIME, *WHOLE[5:])
    assert unbroken(tmp_path, *WHOLE[:5], WHOLE[4], *WHOLE[5:])  # sent twice
    assert unbroken(tmp_path, *WHOLE[:-1])  # cut within the last piece
    assert unbroken(tmp_path, *packets(piece(20), first=0, field=CUT), *packets(piece(9), first=1))


@pytest.mark.parametrize(("before", "after"), [(4, 0), (0, 16)])
def test_it_may_be_packed_with_times_or_checksums(before: int, after: int, tmp_path: Path) -> None:
    rows = [*WHOLE, *[OTHER] * 9_000, *packets(piece(500), first=14 + 24)]
    around = {"before": bytes(before), "after": bytes(after)}
    assert unbroken(tmp_path, *rows, **around)
    assert not unbroken(tmp_path, *rows[1:4], *rows[5:], **around)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [OTHER],
        [*WHOLE[:4], *WHOLE[5:]],
        [*WHOLE[:4], *WHOLE[20:]],  # sixteen
        [*WHOLE[:5], WHOLE[4], WHOLE[4], *WHOLE[5:]],
        [*packets(piece(20)), *packets(piece(20, told=0), first=15)],
        [*packets(piece(20)), *packets(piece(20, told=19), first=15)],
        [*packets(piece(20)), *packets(piece(20, told=21), first=15), *packets(piece(9), first=0)],
        [*packets(piece(20)), *packets(bytes(20), first=15)],
        [*packets(piece(20)), *packets(piece(20), first=15, flags=0x8000)],
        [*packets(piece(20)), *packets(piece(20), first=15, field=CUT)],
        [*WHOLE[:6], b"\0" * 188, *WHOLE[6:]],
        [*WHOLE, struct.pack(">BHBB", 0x47, SOUND, 0x30 | (14 + 24) % 16, 183) + bytes(183)],
        [*WHOLE[:6], b"\0" * 7, *WHOLE[6:]],
    ],
)
def test_what_is_missing_or_cannot_be_told_is_broken(rows: list[bytes], tmp_path: Path) -> None:
    assert not unbroken(tmp_path, *rows)


def test_a_file_that_is_gone_tells_nothing(tmp_path: Path) -> None:
    assert not is_unbroken(tmp_path / "none.ts", SOUND)
