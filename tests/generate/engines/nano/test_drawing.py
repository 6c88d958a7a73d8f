"""Text goes to video by way of a first picture; nothing else does."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from vidigree.generate.engines.nano import drawing
from vidigree.media.progress import Progress
from vidigree.watermark.clip import Task

torch = pytest.importorskip("torch")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What is called with which arguments, instead of calling it."""
    made: list[tuple[str, dict[str, Any]]] = []

    def call(pipe: str, arguments: Mapping[str, Any], progress: Progress) -> Any:
        made.append((pipe, dict(arguments)))
        length = arguments.get("num_frames", 25)
        return SimpleNamespace(frames=torch.full((1, length, 3, 8, 8), length / 100))

    monkeypatch.setattr(drawing, "call_pipeline", call)
    monkeypatch.setattr(drawing, "pipeline_for", lambda _, task: task)
    return made


def test_a_clip_from_text_begins_with_a_picture_for_the_text(
    calls: list[tuple[str, dict[str, Any]]],
) -> None:
    frames, _ = drawing.draw("stock", "text-to-video", {"prompt": "a ball", "num_frames": 25})
    (first, asked), (then, clip) = calls
    assert (first, asked) == ("stock", {"prompt": "a ball", "num_frames": 1})
    assert (then, clip["prompt"], clip["num_frames"]) == ("image-to-video", "a ball", 25)
    assert clip["image"].shape == (1, 3, 8, 8)
    assert float(clip["image"].max()) == pytest.approx(0.01), "what the first call drew"
    assert frames.shape == (1, 25, 3, 8, 8)


@pytest.mark.parametrize("task", ["image-to-video", "video-to-video"])
def test_other_tasks_are_one_call(calls: list[tuple[str, dict[str, Any]]], task: Task) -> None:
    drawing.draw("stock", task, {"prompt": "a ball"})
    assert calls == [(task, {"prompt": "a ball"})]
