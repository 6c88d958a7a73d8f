"""What cannot be loaded is named, with what to do; the network is not touched unasked."""

from __future__ import annotations

import importlib.util
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vidigree.generate import ClipRequest, estimate
from vidigree.generate.engines.diffusers import DiffusersEngine
from vidigree.generate.engines.diffusers.loading import check_hub_id, first_line, load_pipeline
from vidigree.generate.engines.diffusers.options import DiffusersOptions
from vidigree.generate.engines.nano.weights import load_nano
from vidigree.media.errors import EngineError, MediaNotFoundError, UsageError

pytestmark = pytest.mark.filterwarnings("ignore")


def load(model: str, **options: Any) -> None:
    DiffusersEngine().generate(
        ClipRequest(
            prompt="a ball",
            engine="diffusers",
            model=model,
            options=options,
            width=32,
            height=32,
            num_frames=5,
        )
    )


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "accelerate" else known(name)
    )
    with pytest.raises(EngineError, match="needs accelerate") as caught:
        load(str(tmp_path))
    assert "vidigree[diffusers]" in caught.value.hint


def test_no_model_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="needs a model"):
        load("")


@pytest.mark.parametrize(
    "model",
    [
        "/absent/folder",
        "no-slash",
        "a/b/c",
        "https://x.test/y",
        "../x",
        f"a/{'b' * 97}",
        f"{'a' * 97}/b",
        f"a/{'b' * 300}",
        "a/b--c",
        "a/b..c",
        "a/.b",
        "a-/b",
        "a/b.git",
        "a/b\n",
        "a/\u00e9",
        "\u0663/b",
    ],
)
def test_neither_folder_nor_hub_id(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # what lies beside the checkout is nobody's business
    with pytest.raises(MediaNotFoundError, match="no folder") as caught:
        load(model)
    assert len(str(caught.value)) < 400
    with pytest.raises(MediaNotFoundError, match="no folder"):
        estimate(ClipRequest(prompt="a ball", engine="diffusers", model=model))


@pytest.mark.parametrize(
    "model", ["Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "a/b", "_a/b_", f"{'a' * 96}/{'b' * 96}"]
)
def test_every_name_that_the_hub_takes_is_asked_for(model: str) -> None:
    from huggingface_hub.utils import validate_repo_id

    validate_repo_id(model)
    check_hub_id(model)


def test_a_folder_that_is_no_pipeline(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="model_index"):
        load(str(tmp_path))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"_class_name": "NoSuchPipeline"}'])
def test_a_broken_index_is_an_engine_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "model_index.json").write_text(content)
    with pytest.raises(EngineError, match="cannot be loaded"):
        load(str(tmp_path))


def test_pickled_weights_are_refused(tiny_pipeline: Callable[[str], Path], tmp_path: Path) -> None:
    import shutil

    import torch

    folder = tmp_path / "wan"
    shutil.copytree(tiny_pipeline("wan"), folder)
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    weights.unlink()
    torch.save({}, weights.with_suffix(".bin"))
    with pytest.raises(EngineError, match="cannot be loaded"):
        load(str(folder))


def test_folders_are_loaded_without_the_network(
    tiny_pipeline: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_pipeline("wan")

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    load(str(folder), steps=1)


def test_code_in_a_model_folder_is_not_run(
    tiny_pipeline: Callable[[str], Path], tmp_path: Path
) -> None:
    import shutil

    folder = tmp_path / "wan"
    shutil.copytree(tiny_pipeline("wan"), folder)
    index = json.loads((folder / "model_index.json").read_text())
    index["_class_name"] = ["pipeline", "Evil"]
    (folder / "model_index.json").write_text(json.dumps(index))
    marker = tmp_path / "ran"
    (folder / "pipeline.py").write_text(
        f"import pathlib\npathlib.Path({str(marker)!r}).touch()\nclass Evil: pass\n"
    )
    with pytest.raises(EngineError):
        load(str(folder))
    assert not marker.exists()


def test_wrong_task_says_what_the_model_does(
    tiny_pipeline: Callable[[str], Path], tmp_path: Path
) -> None:
    source = tmp_path / "in.mp4"
    source.write_bytes(b"-")
    request = ClipRequest(
        prompt="a ball", engine="diffusers", model=str(tiny_pipeline("wan")), video=source
    )
    with pytest.raises(UsageError, match="cannot do video-to-video; it does text-to-video"):
        DiffusersEngine().generate(request)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"stepz": 3}, "no option 'stepz'"),
        ({"offload": "disk"}, "offload is 'disk'"),
        ({"quantize": "1bit"}, "quantize is '1bit'"),
        ({"dtype": "int8"}, "dtype is 'int8'"),
        ({"steps": 0}, "must be 1"),
        *(({"steps": value}, "steps is .*; it must be a whole") for value in ("many", 1.5, True)),
        *(({"guidance": value}, "guidance is") for value in ("high", float("inf"), float("nan"))),
        *(({"lora_scale": value}, "lora_scale is") for value in ("x", None, False)),
        *(
            ({"device": 0}, "device is '0'; it must be text"),
            ({"gguf": 5}, "gguf"),
            ({"lora": []}, "lora"),
        ),
        *(({"tiling": "True"}, "true or false"), ({"noise_mark": 1}, "noise_mark is '1'")),
        ({"call.prompt": "another"}, "call.prompt would replace"),
    ],
)
def test_options_are_checked(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        DiffusersOptions.read(options)


def test_everything_else_is_passed_through() -> None:
    options = DiffusersOptions.read({"call.eta": 0.5, "load.variant": "fp16", "steps": 3})
    assert options.call == {"eta": 0.5}
    assert options.load == {"variant": "fp16"}
    assert options.steps == 3
    for values in ({"guidance": 3}, {"guidance": 2.5}, {"steps": None}, {"tiling": True}):
        assert DiffusersOptions.read(values) == DiffusersOptions(**values)


def test_running_out_of_memory_says_which_options_lower_it(
    tiny_pipeline: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from diffusers import WanPipeline

    def fail(
        self: object,
        prompt: str,
        width: int,
        height: int,
        num_frames: int,
        output_type: str,
        generator: object,
    ) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(WanPipeline, "__call__", fail)
    with pytest.raises(EngineError, match="out of memory") as caught:
        load(str(tiny_pipeline("wan")))
    assert "offload=model" in caught.value.hint


def test_offload_quantisation_and_dtype_reach_diffusers(
    tiny_pipeline: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from diffusers import DiffusionPipeline, WanPipeline

    seen: dict[str, Any] = {}
    original = DiffusionPipeline.from_pretrained.__func__

    def from_pretrained(cls: type, model: str, **arguments: Any) -> Any:
        seen.update(arguments)
        return original(cls, model, **{k: v for k, v in arguments.items() if k != "variant"})

    monkeypatch.setattr(DiffusionPipeline, "from_pretrained", classmethod(from_pretrained))
    monkeypatch.setattr(
        WanPipeline, "enable_model_cpu_offload", lambda self, device: seen.update(offload=device)
    )
    tiled: list[bool] = []
    from diffusers import AutoencoderKLWan

    monkeypatch.setattr(AutoencoderKLWan, "enable_tiling", lambda self: tiled.append(True))
    options = DiffusersOptions(
        device="cpu", dtype="bfloat16", offload="model", tiling=True, load={"variant": "fp16"}
    )
    pipe = load_pipeline(str(tiny_pipeline("wan")), options)
    assert seen["dtype"] is torch.bfloat16
    assert seen["variant"] == "fp16"
    assert seen["local_files_only"] is True
    assert seen["use_safetensors"] is True
    assert seen["offload"] == "cpu"
    assert tiled == [True]
    assert pipe.transformer.dtype == torch.bfloat16


def test_what_a_library_says_is_one_sentence() -> None:
    for said, told in (
        *(("no", "no."), ("No.\nmore", "No."), ("why?", "why?"), ("", "ValueError.")),
        ("x " * 200, "x " * 148 + "..."),
    ):
        assert first_line(ValueError(said)) == told


@pytest.mark.parametrize("fails", [AssertionError("Not built for it."), KeyError("kind")])
def test_a_device_that_is_not_there_is_named(
    fails: Exception,
    tiny_pipeline: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from diffusers import WanPipeline

    def fail(*_: object) -> None:
        raise fails

    with monkeypatch.context() as patch:
        patch.setattr(WanPipeline, "to", fail)
        with pytest.raises(EngineError, match="cannot be put on cuda"):
            load_pipeline(str(tiny_pipeline("wan")), DiffusersOptions(device="cuda"))
        with pytest.raises(EngineError, match=r"model cannot be put on cuda.*such as cpu"):
            load_nano("cuda")
    load_pipeline(str(tiny_pipeline("wan")), DiffusersOptions(device="cpu", dtype="float16"))
    assert capfd.readouterr().err == ""
