"""Packets of files whose tracks do not all begin at the beginning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import av
import pytest
from fixtures.sounding_clips import Track, carried, source, without_sound

from vidigree.media import open_video
from vidigree.media.demuxing import demuxed


def test_packets_end_where_the_library_asks_for_a_track_that_it_does_not_know() -> None:
    def demux(*streams: object) -> Iterator[object]:
        yield from streams
        raise IndexError

    assert list(demuxed(SimpleNamespace(demux=demux), "a", "b")) == ["a", "b"]


def test_other_failures_are_handed_on() -> None:
    def demux(*streams: object) -> Iterator[object]:
        raise av.error.InvalidDataError(1, "damaged")
        yield streams

    with pytest.raises(av.error.InvalidDataError):
        list(demuxed(SimpleNamespace(demux=demux), "a"))


def test_a_track_that_begins_in_the_middle_is_no_hindrance(tmp_path: Path) -> None:
    sounding = source(tmp_path / "a.ts", [Track("mp2")])
    mute = without_sound(tmp_path / "b.ts", sounding).read_bytes()
    path = tmp_path / "in.ts"
    # Players look at the last 250 kB, too, before they begin.
    after = 1 + 250_000 // len(mute)
    path.write_bytes(mute + sounding.read_bytes() + after * mute)
    with open_video(path) as video:
        assert sum(1 for _ in video) == 36 * (2 + after)
    assert carried(path, tmp_path / "out.mp4") == ("Left out: 1 track in the middle of the file.",)
