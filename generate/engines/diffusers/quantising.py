"""Holds a pipeline's denoiser in fewer bits: quantised on loading, or from a GGUF file.

Only denoisers are quantised: text encoders and codecs are small beside them, and lose more.
"""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any, Final

from vidigree.generate.engines.diffusers.bounds import check_part, held_in_gguf
from vidigree.media.errors import EngineError, UsageError
from vidigree.media.opening import check_file

__all__ = ["DENOISERS", "gguf_denoiser", "quantisation"]

DENOISERS: Final = ("transformer", "transformer_2", "unet")
"""Names under which pipelines hold what removes the noise; Wan 2.2 has two of them."""

_PACKAGES: Final = {
    "bnb-4bit": "bitsandbytes",
    "bnb-8bit": "bitsandbytes",
    "quanto-int8": "optimum-quanto",
    "torchao-int8": "torchao",
}
_MODULES: Final = {"optimum-quanto": "optimum.quanto"}


def quantisation(name: str, device: str) -> Any:
    """Return what ``from_pretrained`` needs to quantise the denoisers.

    Args:
        name: ``bnb-4bit``, ``bnb-8bit``, ``quanto-int8`` or ``torchao-int8``.
        device: Torch device that the model will run on.

    Raises:
        EngineError: The package behind it is not installed, or it does not run on this device.
    """
    package = _PACKAGES[name]
    _need(package, f"Quantisation {name}")
    if package == "bitsandbytes" and device == "cpu":
        raise EngineError(
            f"Quantisation {name} does not run on the CPU: diffusers quantises by bitsandbytes on"
            " an accelerator only.",
            hint="Use quantize=quanto-int8 or torchao-int8, or a GGUF file.",
        )
    from diffusers import PipelineQuantizationConfig

    # One settings object for diffusers' classes; the short form of the pipeline-wide class refuses
    # torchao and quanto, whose settings are called differently in transformers.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return PipelineQuantizationConfig(quant_mapping=dict.fromkeys(DENOISERS, _config(name)))


def _config(name: str) -> Any:
    import diffusers

    if name == "torchao-int8":
        from torchao.quantization import Int8WeightOnlyConfig

        return diffusers.TorchAoConfig(Int8WeightOnlyConfig())
    if name == "quanto-int8":
        return diffusers.QuantoConfig(weights_dtype="int8")
    if name == "bnb-8bit":
        return diffusers.BitsAndBytesConfig(load_in_8bit=True)
    return diffusers.BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")


def gguf_denoiser(
    path: str, model: str, dtype: Any, source: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Load a denoiser from a GGUF file.

    Args:
        path: The file; nothing is downloaded.
        model: Folder or hub id of the pipeline that it belongs to: its shape and every other part
            come from there.
        dtype: Torch type to compute in.
        source: Arguments that say where ``model`` may be read from.

    Returns:
        The pipeline's class, and the denoiser under its name in it. The class itself has to load
        the rest: ``DiffusionPipeline.from_pretrained`` silently ignores a given part that the
        class calls optional, as Wan's does its transformer (diffusers 0.42.1).

    Raises:
        MediaError: There is no such file, or it is empty, a folder or a device.
        UsageError: It is no GGUF file.
        EngineError: ``gguf`` is not installed, or the file does not fit the pipeline.
    """
    file = Path(path).expanduser()
    check_file(file, kind="GGUF")
    with file.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise UsageError(f"{path} is not a GGUF file.")
    _need("gguf", "A GGUF file")
    import diffusers

    index = diffusers.DiffusionPipeline.load_config(model, **source)
    part, loader = _denoiser_loader(model, index)
    pipeline = getattr(diffusers, str(index.get("_class_name")), diffusers.DiffusionPipeline)
    try:
        check_part(Path(model).expanduser() / part, held_in_gguf(file))
        denoiser = loader(
            str(file),
            config=model,
            subfolder=part,
            quantization_config=diffusers.GGUFQuantizationConfig(compute_dtype=dtype),
            dtype=dtype,
            **source,
        )
    except Exception as error:  # damaged files raise nearly anything
        text = str(error).strip().splitlines()
        raise EngineError(
            f"{path} does not fit {model}: {text[0][:300] if text else type(error).__name__}",
            hint="It must hold the denoiser of this very model.",
        ) from error
    return pipeline, {part: denoiser}


def _denoiser_loader(model: str, index: dict[str, Any]) -> tuple[str, Any]:
    """Return the name of a pipeline's denoiser, and what reads it from one file."""
    import diffusers

    part = next((name for name in DENOISERS if index.get(name, [None])[0] == "diffusers"), None)
    if part is None:
        raise EngineError(f"{model} has no denoiser that a GGUF file could stand for.")
    loader = getattr(getattr(diffusers, index[part][1], None), "from_single_file", None)
    if loader is None:
        raise EngineError(f"diffusers reads no GGUF files for {index[part][1]}.")
    return part, loader


def _need(package: str, what: str) -> None:
    module = _MODULES.get(package, package)
    try:
        found = importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the parent of a dotted name is not there
        found = False
    if not found:
        raise EngineError(
            f"{what} needs {package}.", hint="Install it with: pip install 'vidigree[quantize]'"
        )
