"""The first sound of a track is found behind what cannot be decoded."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest

from vidigree.media import first_sound as room
from vidigree.media.first_sound import first_sound


class _Packet:
    def __init__(self, *frames: str, damaged: bool = False) -> None:
        self._frames, self._damaged = list(frames), damaged

    def decode(self) -> list[str]:
        if self._damaged:
            raise av.error.InvalidDataError(1, "damaged")
        return self._frames


@pytest.mark.parametrize(
    ("packets", "heard"),
    [
        ([], None),
        ([_Packet(), _Packet()], None),
        ([_Packet(damaged=True), _Packet(), _Packet("one", "two"), _Packet("three")], "one"),
    ],
)
def test_what_cannot_be_decoded_is_passed_over(
    packets: list[_Packet], heard: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    container: Any = SimpleNamespace(streams=["a", "b"], demux=lambda _: iter(packets))
    monkeypatch.setattr(room, "open_container", lambda _: nullcontext(container))
    assert first_sound(Path("x.ts"), 1) == heard


def test_too_little_memory_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted() -> None:
        raise av.error.MemoryError(12, "Cannot allocate memory")

    packets = [SimpleNamespace(decode=exhausted), _Packet("one")]
    container: Any = SimpleNamespace(streams=["a"], demux=lambda _: iter(packets))
    monkeypatch.setattr(room, "open_container", lambda _: nullcontext(container))
    with pytest.raises(MemoryError):
        first_sound(Path("x.ts"), 0)
