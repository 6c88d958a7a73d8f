"""Files that lack packets of their picture are told from files that were joined."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fixtures.sounding_clips import Track, carried, source

from vidigree.media import TruncatedMediaError, open_video
from vidigree.media.gaps import GapFinder, SoundGapFinder

STEP = Fraction(1, 25)


def found(*packets: tuple[int | None, str]) -> int:
    """Return the gaps among packets at these steps: ``c`` tells of a gap, ``k`` begins anew."""
    finder = GapFinder(STEP)
    for dts, kind in packets:
        packet: Any = SimpleNamespace(
            dts=dts,
            time_base=STEP,
            is_corrupt="c" in kind,
            is_keyframe="k" in kind,
            size=len(kind) + (dts is not None),
        )
        finder.see(packet)
    return finder.found


@pytest.mark.parametrize(
    ("packets", "gaps"),
    [
        ([], 0),
        ([(0, "k"), (1, ""), (2, ""), (None, "")], 0),
        ([(0, "k"), (1, "c"), (3, ""), (4, ""), (None, "")], 1),
        ([(0, "k"), (1, "c"), (2, ""), (4, ""), (5, ""), (None, "")], 1),
        ([(0, "k"), (1, "c"), (2, "c"), (4, ""), (5, ""), (6, ""), (None, "")], 1),
        ([(0, "k"), (1, "c"), (3, ""), (4, ""), (5, "c"), (7, ""), (8, ""), (None, "")], 2),
        # A whole picture, as early as it should be: another file goes on here.
        ([(0, "k"), (1, "c"), (2, "k"), (3, ""), (4, ""), (None, "")], 0),
        ([(8, "k"), (9, "c"), (10, ""), (0, "k"), (1, ""), (None, "")], 0),
        ([(0, "k"), (1, "c"), (2, ""), (3, ""), (4, "k"), (None, "")], 1),
        ([(0, "k"), (1, "c"), (3, "k"), (4, ""), (None, "")], 1),
        ([(0, "k"), (None, "c"), (3, "k"), (4, ""), (None, "")], 1),
        # Cut off within the last ones.
        ([(0, "k"), (1, "c"), (None, "")], 1),
        ([(0, "k"), (1, "c"), (2, ""), (None, "")], 1),
    ],
)
def test_places_are_counted(packets: list[tuple[int | None, str]], gaps: int) -> None:
    assert found(*packets) == gaps


def pictures(path: Path) -> tuple[list[list[bytes]], bytes]:
    """Return the packets of each coded picture of a transport stream, and what stands before."""
    data = path.read_bytes()
    groups: list[list[bytes]] = []
    head = b""
    for start in range(0, len(data), 188):
        packet = data[start : start + 188]
        number = (packet[1] & 0x1F) << 8 | packet[2]
        if number == 0x100 and packet[1] & 0x40:
            groups.append([])
        if groups:
            groups[-1].append(packet)
        else:
            head += packet
    return groups, head


def test_a_lost_picture_is_told(tmp_path: Path) -> None:
    groups, head = pictures(source(tmp_path / "a.ts", [], codec="mpeg2video"))
    path = tmp_path / "lost.ts"
    kept = [group for number, group in enumerate(groups) if number not in (16, 17, 29)]
    path.write_bytes(head + b"".join(b"".join(group) for group in kept))
    with open_video(path) as video:
        frames = sum(1 for _ in video)
        assert frames == len(groups) - 3
        (note,) = video.notes
    assert "at 2 places" in note


def test_nothing_is_missing_where_files_were_joined(tmp_path: Path) -> None:
    parts = [
        source(tmp_path / f"{number}.ts", [Track("mp2")], offset=offset)
        for number, offset in enumerate((0, 1.5, 0))
    ]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with open_video(path) as video:
        assert sum(1 for _ in video) == 3 * 36
        assert video.notes == ()


def missing(*packets: tuple[float, float] | None) -> tuple[int, float]:
    """Return gaps and what is missing among packets, in their (start, length); ``None`` parts."""
    finder = SoundGapFinder()
    for packet in packets:
        if packet is None:
            finder.begin_anew()
        else:
            finder.see(*(Fraction(str(number)) for number in packet))
    return finder.found, float(finder.missing)


@pytest.mark.parametrize(
    ("packets", "gaps", "seconds"),
    [
        ([], 0, 0),
        ([(0, 2), (2, 2), (4, 2), (6, 1), (7, 2)], 0, 0),
        ([(0, 2), (2, 2), (6, 2), (8, 2)], 1, 2),
        # Of the first two packets nobody knows how far they should be apart.
        ([(0, 2), (6, 2), (8, 2), (12, 2)], 1, 2),
        ([(0, 2), (2, 2), (6, 2), (8, 2), (17, 2)], 2, 9),
        # Half a packet is how stamps are rounded.
        ([(0, 2), (2, 2), (4.9, 2), (6.9, 2)], 0, 0),
        # Stamps that run backwards.
        ([(0, 2), (2, 2), (1, 2), (3, 2)], 0, 0),
        # Another part begins.
        ([(0, 2), (2, 2), None, (9, 2), (11, 2)], 0, 0),
        # Packets that are said to be shorter than they are, or as long as nobody knows.
        ([(0, 1), (2, 1), (4, 1), (6, 1)], 0, 0),
        ([(0, 1), (2, 1), (6, 1), (8, 1)], 1, 2),
        ([(0, 0), (2, 0), (9, 0), (11, 0)], 0, 0),
    ],
)
def test_places_without_sound_are_counted(
    packets: list[tuple[float, float] | None], gaps: int, seconds: float
) -> None:
    assert missing(*packets) == (gaps, pytest.approx(seconds))


def sound_of(path: Path) -> tuple[list[bytes], list[int]]:
    """Return the packets of a transport stream, and which of them hold its sound."""
    data = path.read_bytes()
    packets = [data[start : start + 188] for start in range(0, len(data), 188)]
    numbers = [(packet[1] & 0x1F) << 8 | packet[2] for packet in packets]
    return packets, [place for place, number in enumerate(numbers) if number == 0x101]


@pytest.mark.parametrize("codec", ["aac", "ac3"])
def test_lost_sound_is_told(codec: str, tmp_path: Path) -> None:
    whole = source(tmp_path / "a.ts", [Track(codec)])
    packets, sound = sound_of(whole)
    lost = sound[len(sound) // 2 : len(sound) // 2 + 4]
    path = tmp_path / "lost.ts"
    path.write_bytes(b"".join(one for number, one in enumerate(packets) if number not in lost))
    assert carried(whole, tmp_path / "whole.mp4") == ()
    (note,) = carried(path, tmp_path / "lost.mp4")
    assert note.startswith("The file lacks packets of its audio track 1 at 1 place: 0.0")
    assert note.endswith("of sound are missing there. Get a complete copy of it, if there is one.")


def test_sound_that_is_damaged_is_not_told_as_an_output_that_cannot_be_written(
    tmp_path: Path,
) -> None:
    """Where a packet in the middle of a frame of AAC is gone, FFmpeg cannot write what is left."""
    packets, sound = sound_of(source(tmp_path / "a.ts", [Track("aac", layout="stereo")]))
    path = tmp_path / "lost.ts"
    told: list[str] = []
    for lost in reversed(sound[:-1]):
        path.write_bytes(b"".join(packets[:lost] + packets[lost + 1 :]))
        try:
            carried(path, tmp_path / f"{lost}.mp4")
        except TruncatedMediaError as error:
            told.append(error.message)
            break
    assert told == [f"The audio of {path} is damaged."]
