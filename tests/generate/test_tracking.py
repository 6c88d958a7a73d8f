"""A tracker is asked for what the prompt names, and only safe weights are opened."""

from __future__ import annotations

import importlib.util
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from vidigree.generate import check_clip
from vidigree.generate.tracking import Sighting, Tracker, open_tracker, track_claims
from vidigree.media import VideoWriter
from vidigree.media.errors import EngineError, MediaNotFoundError, UsageError


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with VideoWriter(path, width=64, height=48, fps=Fraction(8)) as video:
        for _ in range(10):
            video.write(np.full((48, 64, 3), 128, np.uint8))
    return path


def tracker(*things: tuple[str, float, float], flicker: int = 1) -> Tracker:
    """Things (name, x at first, shift a frame); all are seen in every ``flicker``-th frame."""
    frame = iter(range(10_000))

    def follow(image: Any) -> list[Sighting]:
        k = next(frame)
        if k % flicker:
            return []
        return [
            Sighting(name=name, track=number, x=x + k * shift)
            for number, (name, x, shift) in enumerate(things)
        ]

    return Tracker(names=("person", "dog", "sports ball", "bus"), follow=follow)


def answers(clip: Path, prompt: str, found: Tracker) -> dict[str, bool | None]:
    return {claim.about: claim.holds for claim in track_claims(clip, prompt, found)}


def test_what_is_named_is_looked_for(clip: Path) -> None:
    dogs = (("dog", 0.2, 0.0), ("dog", 0.6, 0.0))
    assert answers(clip, "two dogs in a park", tracker(*dogs)) == {"object": True, "count": True}
    assert answers(clip, "three big brown dogs", tracker(*dogs))["count"] is False
    assert answers(clip, "a dog", tracker()) == {"object": False}
    assert answers(clip, "a dog", tracker(dogs[0], flicker=6))["object"] is True
    assert answers(clip, "a dog", tracker(dogs[0], flicker=10))["object"] is False
    assert answers(clip, "a castle", tracker(*dogs)) == {}
    assert answers(clip, "hotdogs", tracker(*dogs)) == {}


@pytest.mark.parametrize(
    ("prompt", "name", "count"),
    [
        ("people crossing a street", "person", None),
        ("4 buses", "bus", True),
        ("a sports ball", "sports ball", False),
    ],
)
def test_words_and_numbers(clip: Path, prompt: str, name: str, count: bool | None) -> None:
    things = [(name, 0.1 * k, 0.0) for k in range(4)]
    assert answers(clip, prompt, tracker(*things)).get("count") is count


@pytest.mark.parametrize(
    ("prompt", "shift", "holds"),
    [
        ("a dog running left", -0.05, True),
        ("a dog running to the right", -0.05, False),
        ("a dog running left", 0.001, False),
    ],
)
def test_directions(clip: Path, prompt: str, shift: float, holds: bool) -> None:
    assert answers(clip, prompt, tracker(("dog", 0.5, shift)))["direction"] is holds


@pytest.mark.parametrize("place", ["to the left of", "right of", "on the left side of"])
def test_a_place_beside_something_is_no_direction(clip: Path, place: str) -> None:
    prompt = f"a dog {place} a cat"
    assert "direction" not in answers(clip, prompt, tracker(("dog", 0.5, 0.05)))


def test_a_prompt_with_both_sides_claims_none(clip: Path) -> None:
    found = tracker(("dog", 0.5, 0.05))
    assert "direction" not in answers(clip, "a dog runs left, then right", found)


def test_claims_join_those_of_the_colour_reader(clip: Path) -> None:
    report = check_clip(clip, "a red ball and a dog", tracker=tracker(("dog", 0.5, 0.0)))
    assert [claim.about for claim in report.claims].count("object") == 1
    assert any(claim.about == "colour" for claim in report.claims)
    assert report.holds is False


def test_only_onnx_weights_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MediaNotFoundError):
        open_tracker(tmp_path / "absent.onnx")
    pickled = tmp_path / "yolo.pt"
    pickled.write_bytes(b"PK")
    with pytest.raises(UsageError, match="can run code"):
        open_tracker(pickled)
    weights = tmp_path / "yolo.onnx"
    weights.write_bytes(b"x")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match="needs ultralytics") as caught:
        open_tracker(weights)
    assert "AGPL" in caught.value.hint


def test_it_talks_to_the_library_as_its_documentation_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, Any]] = []

    class YOLO:
        names: ClassVar = {0: "person", 16: "dog"}

        def __init__(self, model: str, task: str) -> None:
            assert model.endswith(".onnx")
            assert task == "detect"

        def track(self, image: np.ndarray, **options: Any) -> list[Any]:
            calls.append(options | {"first": image[0, 0].tolist()})
            boxes = SimpleNamespace(
                cls=np.array([16.0]),
                id=np.array([3.0]) if len(calls) > 1 else None,
                xywhn=np.array([[0.25, 0.5, 0.1, 0.1]]),
            )
            return [SimpleNamespace(boxes=boxes)]

    library = ModuleType("ultralytics")
    library.YOLO = YOLO  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ultralytics", library)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    for name in ("YOLO_AUTOINSTALL", "YOLO_OFFLINE"):
        monkeypatch.setenv(name, "true")
    weights = tmp_path / "yolo.onnx"
    weights.write_bytes(b"x")
    found = open_tracker(weights)
    image = np.zeros((8, 8, 3), np.uint8)
    image[..., 0] = 255
    assert found.names == ("person", "dog")
    assert list(found.follow(image)) == [Sighting(name="dog", track=None, x=0.25)]
    assert list(found.follow(image)) == [Sighting(name="dog", track=3, x=0.25)]
    assert calls[0] == {"persist": True, "verbose": False, "first": [0, 0, 255]}
