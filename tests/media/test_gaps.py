"""Files that lack packets of their picture are told from files that were joined."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fixtures.sounding_clips import Track, source

from vidigree.media import open_video
from vidigree.media.gaps import GapFinder

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
