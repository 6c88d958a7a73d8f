"""Pictures stand as players show them: every turn and mirroring that a track header asks for."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.media import VideoWriter, open_video
from vidigree.media.orientation import turns_nothing
from vidigree.media.reading import probe_container

WIDTH, HEIGHT = 64, 48
UPRIGHT = (1, 0, 0, 1)
TURNS = [
    UPRIGHT,
    (0, 1, -1, 0),
    (-1, 0, 0, -1),
    (0, -1, 1, 0),
    (-1, 0, 0, 1),
    (1, 0, 0, -1),
    (0, 1, 1, 0),
    (0, -1, -1, 0),
]
"""a, b, c, d: a coded point (x, y) is shown at (a x + c y, b x + d y), moved into view."""


def corners() -> NDArray[np.uint8]:
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    image[: HEIGHT // 2, : WIDTH // 2] = (200, 30, 40)
    image[HEIGHT // 2 :, : WIDTH // 2] = (30, 200, 40)
    image[: HEIGHT // 2, WIDTH // 2 :] = (30, 40, 200)
    return image


def shown(turn: Sequence[int]) -> NDArray[np.uint8]:
    """Return the corners as shown, point by point."""
    a, b, c, d = turn
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    to_x, to_y = a * x + c * y, b * x + d * y
    to_x, to_y = to_x - to_x.min(), to_y - to_y.min()
    result = np.zeros((to_y.max() + 1, to_x.max() + 1, 3), np.uint8)
    result[to_y, to_x] = corners()
    return result


def turned(path: Path, turn: Sequence[float], *, version: int = 0) -> Path:
    """Write a clip whose track header asks for a turn."""
    with VideoWriter(path, width=WIDTH, height=HEIGHT, fps=Fraction(24), crf=8) as video:
        for _ in range(3):
            video.write(corners())
    data = bytearray(path.read_bytes())
    box = data.index(b"tkhd")
    a, b, c, d = (round(value * 65_536) for value in turn)
    struct.pack_into(">9i", data, box + 44, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    if version:
        data[box + 4] = version
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("turn", TURNS)
def test_pictures_stand_as_they_are_shown(tmp_path: Path, turn: tuple[int, ...]) -> None:
    path, expected = turned(tmp_path / "a.mp4", turn), shown(turn)
    with open_video(path) as video:
        frames = list(video)
    size = (expected.shape[1], expected.shape[0])
    assert (video.info.width, video.info.height) == size
    for frame in frames:
        assert np.abs(frame.image.astype(int) - expected).mean() < 4
        assert frame.luma.shape == expected.shape[:2]
    assert turns_nothing(path) is (turn == UPRIGHT)
    info = probe_container(path)
    assert (info.width, info.height) == size
    # Where nothing turns, nothing is decoded to know it.
    assert (info.pixel_format == "") is (turn == UPRIGHT)


def test_a_slight_turn_is_none(tmp_path: Path) -> None:
    path = turned(tmp_path / "a.mp4", (0.9, 0.4, -0.4, 0.9))
    with open_video(path) as video:
        assert (video.info.rotation, video.info.width) == (0, WIDTH)
    assert not turns_nothing(path)


@pytest.mark.parametrize("version", [1, 2])
def test_headers_of_other_kinds_are_not_taken_for_plain(tmp_path: Path, version: int) -> None:
    # Of kind 1 the matrix stands 12 bytes later; no other kind is known.
    assert not turns_nothing(turned(tmp_path / "a.mp4", UPRIGHT, version=version))


def box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def test_headers_of_64_bits(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    plain = struct.pack(">9i", 65_536, 0, 0, 0, 65_536, 0, 0, 0, 1 << 30)
    other = struct.pack(">9i", 0, 65_536, 0, -65_536, 0, 0, 0, 0, 1 << 30)
    tracks = [box(b"trak", box(b"tkhd", b"\1" + bytes(51) + each)) for each in (plain, other)]
    for inside, nothing in ((tracks[:1], True), (tracks[:1] * 2, True), (tracks, False)):
        path.write_bytes(box(b"moov", b"".join(inside)))
        assert turns_nothing(path) is nothing
    path.write_bytes(box(b"moov", tracks[0])[:-1])
    assert not turns_nothing(path)
    path.write_bytes(box(b"moov", box(b"trak", box(b"tkhd", b""))))
    assert not turns_nothing(path)
