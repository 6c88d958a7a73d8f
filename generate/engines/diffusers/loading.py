"""Loads a pipeline from a folder or, if the user names a hub id, from the hub."""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from vidigree.generate.engines.diffusers.bounds import check_folder
from vidigree.generate.engines.diffusers.options import DiffusersOptions
from vidigree.generate.engines.diffusers.quantising import gguf_denoiser, quantisation
from vidigree.media.errors import EngineError, MediaNotFoundError, UsageError, VidigreeError

__all__ = [
    "check_hub_id",
    "check_installed",
    "check_named",
    "first_line",
    "is_there",
    "load_pipeline",
    "out_of_memory",
    "pick_device",
    "quiet_libraries",
]

_NEEDED: Final = ("torch", "diffusers", "transformers", "accelerate", "safetensors")
_HUB_NAME: Final = r"(?!.*(?:--|\.\.))[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?"
_HUB_ID: Final = re.compile(f"{_HUB_NAME}/{_HUB_NAME}(?<!\\.git)")
_SHOWN: Final = 200


def check_installed(engine: str = "diffusers") -> None:
    """Say what is missing before diffusers fails with a misleading message.

    Args:
        engine: Who needs it, for the message.

    Raises:
        EngineError: A package of the ``diffusers`` extra is not installed.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise EngineError(
            f"The {engine} engine needs {', '.join(missing)}.",
            hint="Install it with: pip install 'vidigree[diffusers]'",
        )


def pick_device(asked: str) -> str:
    """Return the device to run on: the asked one, else the first accelerator, else the CPU."""
    import torch

    if asked:
        return asked
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def load_pipeline(model: str, options: DiffusersOptions) -> Any:
    """Load a pipeline and put it where it will run.

    Pickled weights are refused (``use_safetensors``) and so is code from the hub, unless the
    caller passes other values through ``load``.

    Args:
        model: Folder with a ``model_index.json``, or ``organisation/name`` on the hub. The network
            is used for the latter only.
        options: Precision, device, memory savings, LoRA.

    Raises:
        UsageError: No model is named.
        MediaNotFoundError: ``model`` is neither a folder nor shaped like a hub id.
        EngineError: Something is not installed, the model asks for more than its weights can fill,
            or it cannot be loaded.
    """
    check_installed()
    import torch

    source = _source(model)
    device = pick_device(options.device)
    dtype = _dtype(options.dtype, device)
    arguments: dict[str, Any] = {"use_safetensors": True, "dtype": dtype, **source}
    try:
        with quiet_libraries():
            from diffusers import DiffusionPipeline as Pipeline

            if options.gguf:
                Pipeline, parts = gguf_denoiser(options.gguf, model, dtype, source)  # noqa: N806
                arguments |= parts
            if options.quantize != "none":
                arguments["quantization_config"] = quantisation(options.quantize, device)
            arguments.update(options.load)
            pipe = Pipeline.from_pretrained(model, **arguments)
    except VidigreeError:
        raise
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise out_of_memory() from error
    except Exception as error:  # damaged and foreign folders raise nearly anything
        raise EngineError(
            f"The model {model} cannot be loaded: {first_line(error)}",
            hint="It must be a diffusers pipeline folder or hub id, with safetensors weights.",
        ) from error
    pipe.set_progress_bar_config(disable=True)
    with quiet_libraries():
        if options.lora:
            _add_lora(pipe, options)
        _place(pipe, device, options)
    return pipe


def out_of_memory() -> EngineError:
    """Return the error to raise when memory ran out; it names what lowers the need."""
    return EngineError(
        "The model ran out of memory.",
        hint="Lower --frames, --width or --height; --set tiling=true saves while decoding,"
        " offload=model (or group, sequential) and quantize=... or gguf=... hold less of the model."
        " --dry-run tells what the weights need.",
    )


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep diffusers and transformers from writing bars and advice to the terminal meanwhile.

    Their errors come as exceptions, too. What they import (torchao, bitsandbytes) tells of every
    kernel that was built for other machines, so nothing below an error is logged meanwhile.
    """
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        from diffusers import DiffusionPipeline  # noqa: F401 -- imports all of them
        from diffusers.utils import logging as diffusers_logging
        from transformers.utils import logging as transformers_logging
    finally:
        logging.disable(disabled)

    libraries = (diffusers_logging, transformers_logging)
    levels = [library.get_verbosity() for library in libraries]
    for library in libraries:
        library.set_verbosity(logging.CRITICAL)
        library.disable_progress_bar()
    try:
        yield
    finally:
        for library, level in zip(libraries, levels, strict=True):
            library.set_verbosity(level)
            library.enable_progress_bar()


def _source(model: str) -> dict[str, Any]:
    """Return the arguments that say where the weights come from."""
    check_named(model)
    folder = Path(model).expanduser()
    if is_there(folder):
        if not (folder / "model_index.json").is_file():
            raise EngineError(
                f"{model} is not a diffusers pipeline: it has no model_index.json.",
                hint="Give the folder that save_pretrained wrote.",
            )
        check_folder(folder)
        return {"local_files_only": True}
    check_hub_id(model)
    return {}


def check_named(model: str) -> None:
    """Refuse a request that names no model.

    Raises:
        UsageError: It names none.
    """
    if not model:
        raise UsageError(
            "The diffusers engine needs a model.",
            hint="Name a pipeline folder or a hub id with --model.",
        )


def is_there(path: Path) -> bool:
    """Return whether something has this name; none has one that no file can have."""
    return os.path.exists(path)  # noqa: PTH110 -- Path.exists raises for such names


def check_hub_id(model: str) -> None:
    """Refuse what is neither on this machine nor shaped like ``organisation/name``.

    Either part has 1 to 96 of the characters that the hub takes, as its own library checks them.

    Raises:
        MediaNotFoundError: It can only have been meant as a folder, and there is none.
    """
    if not _HUB_ID.fullmatch(model):
        shown = model if len(model) <= _SHOWN else f"{model[:_SHOWN]}..."
        raise MediaNotFoundError(
            f"There is no folder {shown}, and it is no hub id.",
            hint="Give a folder, or a hub id such as Wan-AI/Wan2.1-T2V-1.3B-Diffusers.",
        )


def _dtype(name: str, device: str) -> Any:
    import torch

    if name == "auto":
        return torch.float32 if device == "cpu" else torch.bfloat16
    return getattr(torch, name)


def _add_lora(pipe: Any, options: DiffusersOptions) -> None:
    if importlib.util.find_spec("peft") is None:
        raise EngineError(
            "LoRA weights need peft.", hint="Install it with: pip install 'vidigree[lora]'"
        )
    path = Path(options.lora).expanduser()
    if not is_there(path):
        check_hub_id(options.lora)
    if not hasattr(pipe, "load_lora_weights"):
        raise EngineError(f"{type(pipe).__name__} takes no LoRA weights.")
    try:
        pipe.load_lora_weights(options.lora, adapter_name="chosen", use_safetensors=True)
        pipe.set_adapters(["chosen"], [options.lora_scale])
    except Exception as error:  # damaged files raise nearly anything
        raise EngineError(
            f"The LoRA weights {options.lora} cannot be loaded: {first_line(error)}",
            hint="They must be safetensors made for this model.",
        ) from error


def _place(pipe: Any, device: str, options: DiffusersOptions) -> None:
    """Move the pipeline to its device, whole or in the parts that are busy."""
    import torch

    if options.offload == "sequential" and device == "cpu":
        raise EngineError(
            "offload=sequential moves parts between an accelerator and the CPU; there is only the"
            " CPU here.",
            hint="Leave it away, or use offload=group.",
        )
    # Allegro's codec decodes in tiles only (diffusers 0.42.1).
    tiling = options.tiling or type(pipe).__name__.startswith("Allegro")
    if tiling and hasattr(getattr(pipe, "vae", None), "enable_tiling"):
        pipe.vae.enable_tiling()
    try:
        if options.offload == "none":
            pipe.to(device)
        elif options.offload == "model":
            pipe.enable_model_cpu_offload(device=device)
        elif options.offload == "sequential":
            pipe.enable_sequential_cpu_offload(device=device)
        else:
            pipe.enable_group_offload(onload_device=device, offload_type="leaf_level")
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise out_of_memory() from error
    except Exception as error:  # PyTorch asserts that it was built for the device
        raise EngineError(
            f"The model cannot be put on {device} (offload {options.offload}): {first_line(error)}",
            hint="Try another device, or offload=none.",
        ) from error


def first_line(error: BaseException) -> str:
    """Return what an exception of another library says first, as a sentence, else its name."""
    lines = str(error).strip().splitlines()
    said = textwrap.shorten(lines[0], 300, placeholder=" ...") if lines else type(error).__name__
    return said if said.endswith((".", "!", "?")) else f"{said}."
