"""The command line of the generator, as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_engines_are_listed(vidigree: Callable[..., Any]) -> None:
    done = vidigree("engines", "--json")
    assert done.code == 0, done.err
    rows = {row["name"]: row for row in json.loads(done.out)}
    assert rows["render"]["tasks"] == ["text-to-video"]
    assert "render" in vidigree("engines").out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["", "-o", "clip.mp4"], 2, "empty"),
        (["x" * 10_000, "-o", "clip.mp4"], 2, "10,000"),
        (["a ball", "-o", "clip.mp4", "--width", "8"], 2, "width"),
        (["a ball", "-o", "clip.mp4", "--fps", "fast"], 2, "frame rate"),
        (["a ball", "-o", "clip.mp4", "--set", "steps"], 2, "KEY=VALUE"),
        (["a ball", "-o", "clip.mp4", "--engine", "rendr"], 2, "'render'"),
        (["a ball", "-o", "absent/clip.mp4"], 4, "absent"),
        (["a cat", "-o", "clip.mp4"], 5, "'cat'"),
    ],
)
def test_wrong_calls_are_one_line_and_leave_nothing(
    vidigree: Callable[..., Any], tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    done = vidigree("generate", *arguments, cwd=tmp_path)
    assert done.code == code, done.err
    assert says in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
