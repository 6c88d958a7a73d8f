"""LoRA, quantisation, GGUF, offload and tiling, on a real pipeline as far as a CPU goes."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.generate import ClipRequest
from vidigree.generate.engines.diffusers import DiffusersEngine
from vidigree.generate.engines.diffusers import quantising as module
from vidigree.generate.engines.diffusers.loading import load_pipeline
from vidigree.generate.engines.diffusers.options import DiffusersOptions
from vidigree.media.errors import EngineError, MediaNotFoundError, UsageError

pytest.importorskip("diffusers")
pytestmark = pytest.mark.filterwarnings("ignore")

Run = Callable[..., NDArray[np.float64]]


@pytest.fixture
def wan(tiny_pipeline: Callable[[str], Path]) -> Path:
    return tiny_pipeline("wan")


@pytest.fixture
def run(wan: Path) -> Run:
    """Frames of the same request under other options, as float."""

    def make(**options: Any) -> NDArray[np.float64]:
        request = ClipRequest(
            prompt="a red ball",
            engine="diffusers",
            model=str(wan),
            width=32,
            height=32,
            num_frames=5,
            options={"steps": 2, "device": "cpu", "call.max_sequence_length": 16} | options,
        )
        return np.stack(list(DiffusersEngine().generate(request).frames)).astype(float)

    return make


@pytest.fixture
def lora(wan: Path, tmp_path: Path) -> Path:
    """LoRA weights that change a lot, made by PEFT for the tiny Wan pipeline."""
    peft = pytest.importorskip("peft")
    import torch
    from diffusers import WanPipeline

    torch.manual_seed(3)
    denoiser = load_pipeline(str(wan), DiffusersOptions(device="cpu")).transformer
    denoiser.add_adapter(
        peft.LoraConfig(r=2, lora_alpha=2, target_modules=["to_q", "to_k", "to_v", "to_out.0"])
    )
    with torch.no_grad():
        for name, weight in denoiser.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 2.0)
    layers = peft.get_peft_model_state_dict(denoiser)
    WanPipeline.save_lora_weights(tmp_path, transformer_lora_layers=layers)
    return tmp_path / "pytorch_lora_weights.safetensors"


@pytest.mark.slow
def test_a_lora_changes_the_clip_and_none_of_it_restores_it(run: Run, lora: Path) -> None:
    plain = run()
    full, half = run(lora=str(lora)), run(lora=str(lora), lora_scale=0.5)
    assert np.abs(full - plain).max() >= 2
    assert not np.array_equal(half, full)
    assert np.array_equal(run(lora=str(lora), lora_scale=0.0), plain)


def test_a_lora_that_is_not_there_or_of_another_model(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    from safetensors.torch import save_file
    from torch import zeros

    with pytest.raises(MediaNotFoundError, match="no-lora"):
        run(lora=str(tmp_path / "no-lora.safetensors"))
    other = tmp_path / "other.safetensors"
    save_file({"transformer.blocks.0.attn1.to_q.lora_A.weight": zeros(2, 7)}, other)
    with pytest.raises(EngineError, match="cannot be loaded"):
        run(lora=str(other))


def test_without_peft_a_lora_names_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "peft" else known(name)
    )
    with pytest.raises(EngineError, match="need peft") as caught:
        run(lora="some/lora")
    assert "vidigree[lora]" in caught.value.hint


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "needs", "layer"),
    [("quanto-int8", "optimum.quanto", "QLinear"), ("torchao-int8", "torchao", "Int8Tensor")],
)
def test_quantised_denoisers_make_nearly_the_same_clip(
    run: Run, wan: Path, name: str, needs: str, layer: str
) -> None:
    pytest.importorskip(needs)
    denoiser = load_pipeline(str(wan), DiffusersOptions(device="cpu", quantize=name)).transformer  # type: ignore[arg-type]
    kinds = {type(part).__name__ for part in denoiser.modules()}
    kinds |= {type(weight.data).__name__ for weight in denoiser.parameters()}
    assert layer in kinds, "it really is quantised"
    assert np.abs(run(quantize=name) - run()).max() <= 3


@pytest.mark.parametrize("name", ["bnb-4bit", "bnb-8bit", "torchao-int8", "quanto-int8"])
def test_a_missing_quantiser_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EngineError, match="needs") as caught:
        module.quantisation(name, "cuda")
    assert "vidigree[quantize]" in caught.value.hint


def test_bitsandbytes_on_a_cpu_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    with pytest.raises(EngineError, match="does not run on the CPU"):
        module.quantisation("bnb-4bit", "cpu")


@pytest.fixture
def gguf_file(wan: Path, tmp_path: Path) -> Path:
    """The tiny transformer as GGUF, in 8 bits where its rows are long enough."""
    gguf = pytest.importorskip("gguf")
    from safetensors.torch import load_file

    path = tmp_path / "wan.gguf"
    writer = gguf.GGUFWriter(path, "wan")
    eight = gguf.GGMLQuantizationType.Q8_0
    for name, tensor in load_file(wan / "transformer/diffusion_pytorch_model.safetensors").items():
        values = tensor.float().numpy()
        if values.ndim == 2 and values.shape[1] % 32 == 0:
            writer.add_tensor(name, gguf.quants.quantize(values, eight), raw_dtype=eight)
        else:
            writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.slow
def test_a_gguf_file_stands_for_the_denoiser(run: Run, wan: Path, gguf_file: Path) -> None:
    options = DiffusersOptions(device="cpu", gguf=str(gguf_file))
    denoiser = load_pipeline(str(wan), options).transformer
    assert "GGUFLinear" in {type(part).__name__ for part in denoiser.modules()}
    assert np.abs(run(gguf=str(gguf_file)) - run()).max() <= 3


def test_what_is_no_gguf_file_is_named(run: Run, wan: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaNotFoundError, match="absent"):
        run(gguf=str(tmp_path / "absent.gguf"))
    with pytest.raises(UsageError, match="not a GGUF file"):
        run(gguf=str(wan / "model_index.json"))
    pytest.importorskip("gguf")
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(40))
    with pytest.raises(EngineError, match="does not fit"):
        run(gguf=str(cut))


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"offload": "model"}, {"offload": "group"}, {"tiling": True}])
def test_saving_memory_does_not_change_the_clip(run: Run, options: dict[str, Any]) -> None:
    assert np.abs(run(**options) - run()).max() <= 1


def test_sequential_offload_needs_somewhere_to_go(run: Run) -> None:
    with pytest.raises(EngineError, match="only the CPU"):
        run(offload="sequential")
