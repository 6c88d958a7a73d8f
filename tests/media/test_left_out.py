"""The sentence about what is in a file beside its picture and its sound."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import av
import pytest

from vidigree.media.left_out import left_out

_COVER = av.stream.Disposition.attached_pic
_SAID = "Left out, as only picture and sound are carried over: "


def said(
    kinds: list[tuple[str, Any]] | None = None,
    chapters: int = 0,
    tags: dict[str, str] | None = None,
) -> tuple[str, ...]:
    rows = [("video", av.stream.Disposition(0)), *(kinds or [])]
    streams = [
        SimpleNamespace(index=index, type=kind, disposition=disposition)
        for index, (kind, disposition) in enumerate(rows)
    ]
    source = SimpleNamespace(streams=streams, chapters=lambda: [{}] * chapters, metadata=tags or {})
    return left_out(source, streams[0])


def test_nothing_is_said_of_picture_and_sound() -> None:
    assert said([("audio", av.stream.Disposition(0))]) == ()
    assert said(tags={"major_brand": "isom", "ENCODER": "Lavf", "title": " "}) == ()


@pytest.mark.parametrize(
    ("kinds", "chapters", "words"),
    [
        ([("video", _COVER)], 0, "1 cover picture."),
        ([("video", av.stream.Disposition(0))] * 2, 0, "2 further video tracks."),
        ([("subtitle", av.stream.Disposition(0))], 1, "1 chapter, 1 subtitle track."),
        ([("attachment", av.stream.Disposition(0))], 2, "1 attachment, 2 chapters."),
    ],
)
def test_kinds_are_counted(kinds: list[tuple[str, Any]], chapters: int, words: str) -> None:
    assert said(kinds, chapters) == (_SAID + words,)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["title"], "1 tag (title)."),
        (["title", "title-eng", "title-deu"], "1 tag (title)."),
        (["c", "b", "a"], "3 tags (a, b, c)."),
        (["d", "c", "b", "a"], "4 tags (a, b, c, ...)."),
        (["x" * 99], f"1 tag ({'x' * 30})."),
    ],
)
def test_tags_are_named(names: list[str], words: str) -> None:
    assert said(tags=dict.fromkeys(names, "said")) == (_SAID + words,)
