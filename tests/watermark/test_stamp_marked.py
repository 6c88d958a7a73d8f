"""Frames that were marked before they come to the stamp keep their id, if all of them have it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from fixtures.top_row_mark import TopRowMark
from numpy.typing import NDArray

from vidigree.media import StampError
from vidigree.watermark import (
    Clip,
    MarkKey,
    MarkReading,
    Origin,
    StampSettings,
    stamp,
    watermark_methods,
)
from vidigree.watermark.credentials import TrustSettings, init_identity, read_credentials
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.method import MarkSegment

Frames = Iterable[NDArray[np.uint8]]
FPS = Fraction(10)
MINE, OTHER = 0x123456789ABCDEF0, 0x0FEDCBA987654321


class FrameByFrame(TopRowMark):
    """Tells from when to when it reads which message; marks nothing that comes to the stamp."""

    def embed(
        self, frames: Frames, message: int, *, key: MarkKey, fps: Fraction
    ) -> Iterator[NDArray[np.uint8]]:
        raise AssertionError("frames that carry a mark are not marked again")

    def detect(self, frames: Frames, *, keys: Sequence[MarkKey], fps: Fraction) -> MarkReading:
        segments: list[MarkSegment] = []
        for number, image in enumerate(frames):
            reading = super().detect([image], keys=keys, fps=fps)
            start, end = float(number / fps), float((number + 1) / fps)
            if segments and segments[-1].message == reading.message:
                segments[-1] = replace(segments[-1], end=end)
            else:
                segments.append(
                    MarkSegment(start=start, end=end, p_value=1e-9, message=reading.message)
                )
        whole = super().detect([image], keys=keys, fps=fps)
        return replace(whole, message=segments[0].message, segments=tuple(segments))


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StampSettings]:
    monkeypatch.setattr(watermark_methods, "get", lambda _: FrameByFrame)
    home = tmp_path / "home"
    monkeypatch.setenv("VIDIGREE_HOME", str(home))
    with Ledger.open(f"sqlite:///{home / 'ledger.sqlite3'}") as ledger:
        yield StampSettings(identity=init_identity(), ledger=ledger, method="frame-by-frame")


def _clip(*messages: int | None, clip_id: int = MINE) -> Clip:
    """Return a clip of frames that carry these messages, or none."""
    plain = np.full((96, 128, 3), 120, np.uint8)
    key = MarkKey(key_id="x", secret=bytes(32))
    marked = {
        message: next(TopRowMark().embed([plain], message, key=key, fps=FPS))
        for message in {*messages} - {None}
        if message is not None
    }
    return Clip(
        frames=iter([plain if message is None else marked[message] for message in messages]),
        width=128,
        height=96,
        fps=FPS,
        num_frames=len(messages),
        origin=Origin(task="text-to-video", engine="test", synthetic=True),
        clip_id=clip_id,
    )


@pytest.mark.parametrize("unmarked", [0, 1, 2])
def test_clip_keeps_the_id_that_its_frames_carry(
    settings: StampSettings, tmp_path: Path, unmarked: int
) -> None:
    """The ends of what carries a mark are known to half a second, so a tenth may lack it."""
    made = _clip(*[MINE] * (20 - unmarked), *[None] * unmarked)
    receipt = stamp(made, tmp_path / "a.mp4", settings=settings)
    assert receipt.clip_id == MINE
    bound = read_credentials(receipt.path, trust=TrustSettings()).soft_bindings
    assert [binding.value for binding in bound] == [f"{receipt.key_id}:{MINE:016x}"]
    entry = settings.ledger.find_clip(MINE)
    assert entry is not None
    assert entry.confirmed


@pytest.mark.parametrize(
    "messages",
    [
        [MINE] * 17 + [None] * 3,
        [MINE] * 10 + [OTHER] * 10,
        [MINE] * 16 + [OTHER] * 4,
        [MINE] + [None] * 19,
        [MINE] * 8 + [None] * 4 + [MINE] * 8,
    ],
    ids=["a part unmarked", "half of another", "a part of another", "one frame", "a gap"],
)
def test_clip_of_which_a_part_carries_no_mark_or_another_is_not_issued(
    settings: StampSettings, tmp_path: Path, messages: list[int | None]
) -> None:
    with pytest.raises(StampError, match="carry the mark that these frames came with"):
        stamp(_clip(*messages), tmp_path / "a.mp4", settings=settings)
    assert list(tmp_path.glob("*.mp4")) == []
    assert settings.ledger.count() == 0


@pytest.mark.parametrize("messages", [[OTHER] * 20, [None] * 20, [OTHER] * 2 + [MINE] * 18])
def test_clip_that_carries_another_mark_than_it_says_is_not_issued(
    settings: StampSettings, tmp_path: Path, messages: list[int | None]
) -> None:
    with pytest.raises(StampError, match="cannot be read back"):
        stamp(_clip(*messages), tmp_path / "a.mp4", settings=settings)
    assert list(tmp_path.glob("*.mp4")) == []
    assert settings.ledger.count() == 0


def test_record_is_not_confirmed_before_the_file_is_in_place(
    settings: StampSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, bool]] = []
    record, confirm = Ledger.record, Ledger.confirm
    output = tmp_path / "a.mp4"

    def look(ledger: Ledger) -> None:
        entry = ledger.find_clip(MINE)
        assert entry is not None
        seen.append((entry.confirmed, output.exists()))

    def recorded(self: Ledger, entry: object) -> None:
        record(self, entry)  # type: ignore[arg-type]
        look(self)

    def confirmed(self: Ledger, clip_id: int) -> None:
        look(self)
        confirm(self, clip_id)
        look(self)

    monkeypatch.setattr(Ledger, "record", recorded)
    monkeypatch.setattr(Ledger, "confirm", confirmed)
    stamp(_clip(*[MINE] * 6), output, settings=settings)
    assert seen == [(False, False), (False, True), (True, True)]
