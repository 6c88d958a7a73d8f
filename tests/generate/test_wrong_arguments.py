"""Programs that hand in what is of another kind are told so in one sentence, before any work."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidigree import detect, generate, watermark
from vidigree.detect.classifier import load_model, score_video
from vidigree.generate import ClipRequest
from vidigree.media import MediaError, UsageError, open_video, probe
from vidigree.media.arguments import path_of
from vidigree.watermark.credentials import TrustSettings, read_credentials

REQUEST = ClipRequest(prompt="a red ball")
FRAMES = np.zeros((2, 128, 128, 3), np.uint8)

PATHS: dict[str, Callable[[Any], object]] = {
    "audit": detect.audit,
    "detect.load_policy": detect.load_policy,
    "generate.load_policy": generate.load_policy,
    "score_video": score_video,
    "load_model": load_model,
    "open_video": open_video,
    "probe": probe,
    "read_credentials": lambda path: read_credentials(path, trust=TrustSettings()),
    "read_requests": generate.read_requests,
    "check_clip": lambda path: generate.check_clip(path, "a red ball"),
    "generate_batch": lambda path: list(generate.generate_batch([], path)),
}
OUTPUTS: dict[str, Callable[[Any, Any], object]] = {
    "stamp": lambda path, settings: watermark.stamp("a.mp4", path, settings=settings),
    "generate": lambda path, settings: generate.generate(REQUEST, path, settings=settings),
    "stamp_frames": lambda path, settings: generate.stamp_frames(
        FRAMES, path, fps=8, settings=settings
    ),
    "export_to_video": lambda path, settings: generate.export_to_video(
        FRAMES, path, settings=settings
    ),
}


class Named(os.PathLike[str]):
    def __init__(self, name: Any) -> None:
        self._name = name

    def __fspath__(self) -> str:
        return self._name  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "given", [None, 5, b"a.mp4", [], Named(b"a.mp4")], ids=lambda given: type(given).__name__
)
@pytest.mark.parametrize("name", PATHS)
def test_what_is_no_path_is_told(name: str, given: Any) -> None:
    with pytest.raises(UsageError, match=r"is of type .*, which is no path"):
        PATHS[name](given)


@pytest.mark.parametrize("name", PATHS)
def test_an_empty_name_is_not_the_current_folder(name: str) -> None:
    with pytest.raises(UsageError, match="has an empty name"):
        PATHS[name]("")


def test_text_and_what_stands_for_a_path_are_paths() -> None:
    assert {path_of(given, "clip") for given in ("a", Path("a"), Named("a"))} == {Path("a")}


@pytest.mark.parametrize("given", [5, b"a.mp4", [], ""], ids=repr)
@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs_that_are_no_path_are_told(
    name: str, given: Any, stamp_settings: watermark.StampSettings
) -> None:
    with pytest.raises(UsageError, match=r"The output (is of type .*, which is no path|has an em)"):
        OUTPUTS[name](given, stamp_settings)


@pytest.mark.parametrize("given", [{}, "settings", 0], ids=repr)
def test_settings_of_another_kind_are_told(given: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"given as the settings is of type .*, not AuditSettings"):
        detect.audit(tmp_path, settings=given)
    for name, act in OUTPUTS.items():
        with pytest.raises(UsageError, match=r"given as the settings is of type .*, not StampSet"):
            act(tmp_path / f"{name}.mp4", given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", [None, "a red ball", {"prompt": "a red ball"}], ids=repr)
def test_requests_of_another_kind_are_told(given: Any, tmp_path: Path) -> None:
    for act in (generate.estimate, lambda request: generate.generate(request, tmp_path / "a.mp4")):
        with pytest.raises(
            UsageError, match=r"given as the request is of type .*, not Clip"
        ) as told:
            act(given)
    assert "Give a vidigree.generate.ClipRequest." in str(told.value)


@pytest.mark.parametrize("given", ["terms.txt", {}, object()], ids=lambda one: type(one).__name__)
def test_policies_and_engines_of_another_kind_are_told(given: Any, tmp_path: Path) -> None:
    output = tmp_path / "a.mp4"
    with pytest.raises(
        UsageError, match=r"as the policy is of type .*, which has no refusal\(\)\."
    ):
        generate.generate(REQUEST, output, policy=given)
    for act in (
        generate.estimate,
        lambda one, engine: generate.generate(one, output, engine=engine),
    ):
        with pytest.raises(UsageError, match=r"as the engine is of type .*ClipRequest\(engine="):
            act(REQUEST, engine=given)


def test_requests_of_a_batch_and_prompts_to_check_of_another_kind_are_told(
    tmp_path: Path, stamp_settings: watermark.StampSettings
) -> None:
    with pytest.raises(UsageError, match="as request 1 is of type str, not ClipRequest"):
        next(generate.generate_batch(["a"], str(tmp_path), settings=stamp_settings))  # type: ignore[list-item]
    with pytest.raises(UsageError, match=r"as the prompt is of type int, not str\. Give a str\.$"):
        generate.check_clip(tmp_path / "a.mp4", 5)  # type: ignore[arg-type]


def test_a_source_of_another_kind_is_told(
    tmp_path: Path, stamp_settings: watermark.StampSettings
) -> None:
    for given in (None, 5, [FRAMES]):
        with pytest.raises(UsageError, match="The clip to stamp is of type"):
            watermark.stamp(given, tmp_path / "a.mp4", settings=stamp_settings)  # type: ignore[arg-type]


def test_paths_may_be_given_as_text(
    tmp_path: Path, stamp_settings: watermark.StampSettings
) -> None:
    """Once a path in quotes was told as an attribute that text has not."""
    source, output = str(tmp_path / "none.mp4"), str(tmp_path / "a.mp4")
    with pytest.raises(MediaError, match=r"There is no file .*none\.mp4"):
        watermark.stamp(source, output, settings=stamp_settings)
    with pytest.raises(MediaError, match=r"There is no file .*none\.mp4"):
        read_credentials(source, trust=TrustSettings())
    request = ClipRequest(prompt="a red ball", engine="render", width=128, height=128, num_frames=8)
    receipt = generate.generate(request, output, settings=stamp_settings)
    assert receipt.path == Path(output)
    assert read_credentials(output, trust=TrustSettings()).status == "present"
