"""A dry run tells what is coming, and neither generates nor downloads."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vidigree.generate import ClipRequest, Estimate, estimate
from vidigree.media.errors import EngineError, UsageError


def test_the_renderer_measures_itself() -> None:
    few = estimate(ClipRequest(prompt="a red ball", width=64, height=48, num_frames=4))
    many = estimate(ClipRequest(prompt="a red ball", width=64, height=48, num_frames=400))
    assert (few.width, few.height, few.steps) == (64, 48, 4)
    assert few.seconds is not None
    assert many.seconds is not None
    assert many.seconds > 3 * few.seconds
    assert few.memory is not None
    assert 2**20 < few.memory < 2**30


def test_summary_and_json_say_unknown_when_it_is() -> None:
    assert "unknown" in Estimate().summary()
    assert json.loads(json.dumps(Estimate().to_dict()))["memory"] is None


def test_weights_are_counted_without_loading(tiny_pipeline: Callable[[str], Path]) -> None:
    folder = tiny_pipeline("wan")

    def bytes_of(**options: Any) -> int:
        values = {"prompt": "a ball", "engine": "diffusers", "model": str(folder)}
        expected = estimate(ClipRequest(**values, options={"device": "cpu"} | options))  # type: ignore[arg-type]
        assert expected.memory is not None
        return expected.memory

    on_disk = sum(path.stat().st_size for path in folder.glob("*/*.safetensors"))
    assert 0.8 * on_disk < bytes_of(dtype="float32") <= on_disk
    assert bytes_of(dtype="bfloat16") * 2 == bytes_of(dtype="float32")
    assert bytes_of(dtype="bfloat16", quantize="bnb-4bit") < bytes_of(dtype="bfloat16")


def test_defaults_come_from_the_pipeline(tiny_pipeline: Callable[[str], Path]) -> None:
    expected = estimate(
        ClipRequest(prompt="a ball", engine="diffusers", model=str(tiny_pipeline("wan")))
    )
    assert (expected.width, expected.height) == (832, 480)
    assert (expected.num_frames, expected.steps) == (81, 50)


def test_a_hub_id_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("diffusers")

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    expected = estimate(
        ClipRequest(prompt="a ball", engine="diffusers", model="Wan-AI/Wan2.1-T2V-1.3B-Diffusers")
    )
    assert expected.memory is None
    assert "downloads nothing" in expected.basis


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ({"engine": "diffusers"}, UsageError, "needs a model"),
        ({"engine": "gan", "image": "still"}, UsageError, "cannot do image-to-video"),
        ({"engine": "render", "image": "still"}, UsageError, "cannot do image-to-video"),
        ({"engine": "gan", "options": {"steps": 3}}, UsageError, "no options"),
        ({"engine": "render", "options": {"steps": 3}}, UsageError, "no options"),
        ({"engine": "render", "prompt": "a zebra"}, EngineError, "'zebra'"),
        ({"engine": "nano", "prompt": "a zebra"}, EngineError, "'zebra'"),
        ({"engine": "gan", "prompt": "a zebra"}, EngineError, "'zebra'"),
    ],
)
def test_what_would_be_refused_is_refused(
    values: dict[str, Any], error: type[Exception], says: str, tmp_path: Path
) -> None:
    if values["engine"] == "diffusers":
        pytest.importorskip("diffusers")
    if "image" in values:
        values = values | {"image": tmp_path / "still.png"}
        values["image"].write_bytes(b"x")
    with pytest.raises(error, match=says):
        estimate(ClipRequest(**{"prompt": "a red ball", **values}))


def test_what_is_not_followed_to_the_letter_is_no_warning() -> None:
    assert estimate(ClipRequest(prompt="a red ball and a zebra", negative_prompt="rain")).memory


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    pytest.importorskip("diffusers")
    (tmp_path / "vae").mkdir()
    (tmp_path / "model_index.json").write_text('{"_class_name": "WanPipeline"}')
    (tmp_path / "vae" / "weights.safetensors").write_bytes(b"\xff" * 40)
    with pytest.raises(EngineError, match=r"weights\.safetensors"):
        estimate(ClipRequest(prompt="a ball", engine="diffusers", model=str(tmp_path)))
