"""Stamps in the order of coding are given out in the order of showing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from vidigree.media.reordering import in_order, says_no_order


def decoded(stamps: Sequence[int | None], delay: int, lost: int = 0) -> list[Any]:
    """Return the stamps of pictures that come ``delay`` packets late, the first ``lost`` never."""

    class Source:
        def demux(self, _: object) -> Iterator[Any]:
            for count, stamp in enumerate([*stamps, *[None] * delay]):
                ready = count - delay
                frames = [SimpleNamespace(pts=-1)] if ready >= lost and ready < len(stamps) else []
                size = 1 if count < len(stamps) else 0
                yield SimpleNamespace(size=size, pts=stamp, decode=lambda frames=frames: frames)

    return [frame.pts for frame in in_order(Source(), None)]


def test_the_earliest_stamp_comes_first() -> None:
    assert decoded([0, 3, 1, 2, 6, 4, 5], 3) == [0, 1, 2, 3, 4, 5, 6]


def test_a_picture_without_a_stamp_keeps_its_own() -> None:
    assert decoded([None, None], 0) == [-1, -1]


def test_pictures_that_never_come_do_not_fill_the_memory() -> None:
    assert decoded(range(300), 0, lost=200) == list(range(73, 173))


@pytest.mark.parametrize(
    ("container", "codec", "expected"),
    [("avi", "h264", True), ("avi", "mpeg4", False), ("matroska,webm", "h264", False)],
)
def test_only_avi_says_no_order(container: str, codec: str, expected: bool) -> None:
    held = SimpleNamespace(format=SimpleNamespace(name=container))
    stream = SimpleNamespace(codec_context=SimpleNamespace(name=codec))
    assert says_no_order(held, stream) is expected
