"""Model folders that hold code, pickles or damage: one error of ours, nothing of theirs runs."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vidigree.generate import ClipRequest, estimate
from vidigree.generate.engines.diffusers.loading import load_pipeline
from vidigree.generate.engines.diffusers.options import DiffusersOptions
from vidigree.media.errors import EngineError, VidigreeError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

Change = Callable[[Path, Path], None]


class _Touching:
    """Makes a folder as it is unpickled."""

    def __init__(self, sentinel: Path) -> None:
        self.sentinel = sentinel

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.sentinel),)


def _set(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def _pickled(part: str, name: str) -> Change:
    """Only pickled weights, in PyTorch's own form."""

    def change(model: Path, sentinel: Path) -> None:
        for path in (model / part).glob("*.safetensors"):
            path.unlink()
        torch.save({"weight": _Touching(sentinel)}, model / part / name)

    return change


def _renamed(part: str) -> Change:
    """A bare pickle under the name of safetensors."""

    def change(model: Path, sentinel: Path) -> None:
        (path,) = (model / part).glob("*.safetensors")
        path.write_bytes(pickle.dumps(_Touching(sentinel)))

    return change


def _code(folder: str, name: str, **index: Any) -> Change:
    """Code in the folder, and an index that names it."""

    def change(model: Path, sentinel: Path) -> None:
        text = f"import os\nos.mkdir({str(sentinel)!r})\nclass Own: pass\n"
        (model / folder / f"{name}.py").write_text(text)
        _set(model / "model_index.json", **index)

    return change


def _cut(part: str) -> Change:
    def change(model: Path, sentinel: Path) -> None:
        (path,) = (model / part).glob("*.safetensors")
        path.write_bytes(path.read_bytes()[:-100])

    return change


def _index(text: str) -> Change:
    return lambda model, sentinel: (model / "model_index.json").write_text(text) and None


HOSTILE: dict[str, Change] = {
    "pickled denoiser": _pickled("transformer", "diffusion_pytorch_model.bin"),
    "pickled codec": _pickled("vae", "diffusion_pytorch_model.bin"),
    "pickled text encoder": _pickled("text_encoder", "pytorch_model.bin"),
    "pickle by another name, denoiser": _renamed("transformer"),
    "pickle by another name, text encoder": _renamed("text_encoder"),
    "own pipeline": _code("", "pipeline", _class_name=["pipeline", "Own"]),
    "own pipeline that is said to be trusted": _code(
        "", "pipeline", _class_name=["pipeline", "Own"], trust_remote_code=True
    ),
    "own denoiser": _code("transformer", "mine", transformer=["mine", "Own"]),
    "a module of Python": _code("", "x", transformer=["os", "system"]),
    "cut denoiser": _cut("transformer"),
    "cut text encoder": _cut("text_encoder"),
    "empty index": _index(""),
    "index without a class": _index("{}"),
    "index that is a list": _index("[]"),
    "index with an empty class": _index('{"_class_name": []}'),
    "index with a number": _index('{"_class_name": 1}'),
    "index of endless depth": _index("[" * 100_000),
}


@pytest.fixture
def model(tiny_pipeline: Callable[[str], Path], tmp_path: Path) -> Path:
    return shutil.copytree(tiny_pipeline("wan"), tmp_path / "model")


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_folder_is_refused_in_one_line_and_runs_nothing(
    name: str, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sentinel = tmp_path / "it ran"
    HOSTILE[name](model, sentinel)
    with pytest.raises(EngineError, match="cannot be loaded"):
        load_pipeline(str(model), DiffusersOptions(device="cpu"))
    assert not sentinel.exists()
    assert capfd.readouterr().err == ""


def test_what_would_touch_does_touch_where_pickles_are_read(tmp_path: Path) -> None:
    """The tests above would see it."""
    pickle.loads(pickle.dumps(_Touching(tmp_path / "it ran")))
    assert (tmp_path / "it ran").exists()


@pytest.mark.parametrize("name", ["lora.bin", "lora.safetensors"])
def test_pickled_lora_weights_are_refused(name: str, model: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    sentinel = tmp_path / "it ran"
    (tmp_path / name).write_bytes(pickle.dumps(_Touching(sentinel)))
    with pytest.raises(EngineError, match=r"LoRA weights .* cannot be loaded"):
        load_pipeline(str(model), DiffusersOptions(device="cpu", lora=str(tmp_path / name)))
    assert not sentinel.exists()


@pytest.mark.parametrize(
    "name", sorted(name for name in HOSTILE if "index" in name or "own" in name)
)
def test_an_estimate_of_a_hostile_folder_runs_nothing_and_names_it(
    name: str, model: Path, tmp_path: Path
) -> None:
    sentinel = tmp_path / "it ran"
    HOSTILE[name](model, sentinel)
    request = ClipRequest(prompt="a ball", engine="diffusers", model=str(model))
    if name == "own denoiser":
        assert estimate(request).memory
    else:
        with pytest.raises(VidigreeError, match=r"model_index\.json"):
            estimate(request)
    assert not sentinel.exists()


@pytest.mark.parametrize(
    "header",
    [b"[]", b"{", b'{"a": 1}', b'{"a": {"shape": ["x"]}}', b"[" * 100_000, b'{"a": {"shape": 3}}'],
    ids=lambda header: header[:20],
)
def test_an_estimate_of_damaged_weights_names_the_file(header: bytes, model: Path) -> None:
    (path,) = (model / "transformer").glob("*.safetensors")
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    request = ClipRequest(prompt="a ball", engine="diffusers", model=str(model))
    with pytest.raises(EngineError, match="is not a safetensors file"):
        estimate(request)


@pytest.mark.parametrize(
    ("part", "name", "number"),
    [
        *(("transformer", "num_layers", 10**9), ("transformer", "attention_head_dim", 10**9)),
        *(("transformer", "rope_max_seq_len", 10**9), ("text_encoder", "num_layers", 10**9)),
        *(("vae", "num_res_blocks", 10**30), ("vae", "dim_mult", [1, 10**9])),
        *(("transformer", "ffn_dim", 40_000), ("transformer", "num_layers", 257)),
    ],
)
def test_a_shape_that_the_weights_cannot_fill_is_refused_before_it_is_built(
    part: str, name: str, number: Any, model: Path
) -> None:
    _set(model / part / "config.json", **{name: number})
    with pytest.raises(EngineError, match=rf"{part}/config.json asks for {name} = \d+, more"):
        load_pipeline(str(model), DiffusersOptions(device="cpu"))


def test_what_the_weights_do_not_tell_of_may_be_large(model: Path) -> None:
    unused = {"vocab_size": 10**6}
    _set(model / "text_encoder" / "config.json", max_window_layers=300, vision=unused)
    _set(model / "vae" / "config.json", scale_factor_spatial=2**15)
    pipe = load_pipeline(str(model), DiffusersOptions(device="cpu"))
    assert pipe.vae.config.scale_factor_spatial == 2**15


def test_a_gguf_file_bounds_the_denoiser_that_it_fills(model: Path, tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0) + b"\0" * 1000)
    for path in (model / "transformer").glob("*.safetensors"):
        path.unlink()
    _set(model / "transformer" / "config.json", num_layers=300)
    with pytest.raises(EngineError, match=r"does not fit .* asks for num_layers = 300, more"):
        load_pipeline(str(model), DiffusersOptions(device="cpu", gguf=str(file)))
