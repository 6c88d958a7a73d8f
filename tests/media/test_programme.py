"""Tracks that a transport stream names in the middle are counted, however it is packed."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fixtures.sounding_clips import Track, source

from vidigree.media.programme import late_tracks

FILLING = struct.pack(">BHB", 0x47, 0x1FFF, 0x10) + bytes(184)


def packet(
    number: int, section: bytes, *, adaptation: int = 0, begins: bool = True, holds: bool = True
) -> bytes:
    """Return a packet in which a section begins, if it holds one."""
    flags = 0x20 * bool(adaptation) | 0x10 * holds
    head = struct.pack(">BHB", 0x47, 0x4000 * begins | number, flags)
    if adaptation:
        head += bytes([adaptation - 1]) + bytes(adaptation - 1)
    return (head + b"\0" + section).ljust(188, b"\xff")


def section(table: int, payload: bytes, *, current: bytes = b"\0\0\xc1\0\0") -> bytes:
    """Return a section with the five bytes that all have in front, and a checksum."""
    return struct.pack(">BH", table, 0xB000 | (len(payload) + 9)) + current + payload + bytes(4)


def programmes(*maps: int) -> bytes:
    rows = [struct.pack(">HH", 0, 0xE010)]  # the network, which is no programme
    rows += [struct.pack(">HH", at, 0xE000 | number) for at, number in enumerate(maps, 1)]
    return section(0, b"".join(rows))


def programme(*tracks: int, told: int = 0) -> bytes:
    rows = [
        struct.pack(">BHH", 3, 0xE000 | number, 0xF000 | told) + bytes(told) for number in tracks
    ]
    return section(2, struct.pack(">HH", 0xE100, 0xF000 | told) + bytes(told) + b"".join(rows))


def not_yet(one: bytes) -> bytes:
    """Return a section that says of itself that it holds later."""
    return one[:5] + bytes([one[5] & 0xFE]) + one[6:]


STREAM = [
    packet(0, programmes(0x1000, 0x1001)),
    packet(0x1000, programme(0x100, 0x101)),
    FILLING,
    packet(0x1001, programme(0x200, told=6), adaptation=8),
    packet(0x1000, programme(0x100, 0x1F01, told=3)),
    packet(0x1002, programme(0x300)),  # a map of no programme
    packet(0x1000, programme(0x500), begins=False),
    packet(0x1000, programme(0x501), holds=False),
    packet(0x1000, programme(), adaptation=184),
    packet(0x1000, section(66, bytes(20))),
    packet(0, section(2, programme(0x400)[8:-4])),
]


@pytest.mark.parametrize(
    "pack",
    [
        lambda one: one,
        lambda one: bytes(4) + one,
        lambda one: one + bytes(16),
    ],
    ids=["188", "192", "204"],
)
def test_tracks_are_counted(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(b"".join(map(pack, STREAM)))
    assert late_tracks(path, {0x100}) == 3
    assert late_tracks(path, {0x100, 0x101, 0x200, 0x1F01}) == 0


def test_what_stands_in_a_later_block_or_behind_a_gap_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(b"cut" + STREAM[0] + FILLING * 10_000 + STREAM[1] + FILLING)
    assert late_tracks(path, set()) == 2


def test_a_long_map_is_read_as_far_as_its_first_packet(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(STREAM[0] + packet(0x1000, programme(*range(0x100, 0x150)))[:188] + FILLING)
    assert late_tracks(path, set()) == (188 - 5 - 12) // 5


def test_a_map_that_holds_later_names_nothing_yet(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    ahead = packet(0x1000, not_yet(programme(0x100, 0x101, 0x102)))
    path.write_bytes(STREAM[0] + ahead + STREAM[1] + FILLING)
    assert late_tracks(path, set()) == 2


def test_nothing_is_late_in_a_plain_file(tmp_path: Path) -> None:
    path = source(tmp_path / "a.ts", [Track("mp2")])
    assert late_tracks(path, {0x100, 0x101}) == 0
    assert late_tracks(path, {0x100}) == 1


def test_damage_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    random = np.random.default_rng(4)
    found = []
    for _ in range(100):
        data = bytearray(b"".join(STREAM))
        for place in random.integers(0, len(data), 30):
            data[place] = random.integers(256)
        path.write_bytes(data[: random.integers(len(data))])
        found.append(late_tracks(path, set()))
    path.write_bytes(b"".join(STREAM))
    assert {0, late_tracks(path, set())} <= set(found)
