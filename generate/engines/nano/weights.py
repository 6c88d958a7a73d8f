"""Where the weights of the embedded model are, and how they are loaded."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from vidigree.generate.engines.diffusers.loading import (
    check_installed,
    first_line,
    pick_device,
    quiet_libraries,
)
from vidigree.media.errors import EngineError
from vidigree.watermark.clip import Task

__all__ = ["known_words", "load_nano", "model_folder", "pipeline_for"]


def model_folder() -> Path:
    """Return the folder of the shipped model, in the layout of diffusers."""
    return Path(str(files("vidigree.generate.engines.nano") / "model"))


def known_words(model: Path) -> frozenset[str]:
    """Return the words that the tokenizer of a model folder knows."""
    row = json.loads((model / "tokenizer" / "tokenizer.json").read_text(encoding="utf-8"))
    return frozenset(word for word in row["model"]["vocab"] if not word.startswith("<"))


def load_nano(device: str = "", folder: Path | None = None) -> Any:
    """Load the model as the stock pipeline that its ``model_index.json`` names.

    Args:
        device: Torch device; empty takes the first accelerator, else the CPU.
        folder: Another model of the same kind; ``None`` takes the shipped one.

    Raises:
        EngineError: A package is missing, the folder is damaged, or there is no such device.
    """
    check_installed("nano")
    folder = folder or model_folder()
    import torch

    try:
        with quiet_libraries():
            from diffusers import DiffusionPipeline

            pipe = DiffusionPipeline.from_pretrained(
                str(folder), local_files_only=True, use_safetensors=True, dtype=torch.float32
            )
            pipe.set_progress_bar_config(disable=True)
    except Exception as error:  # damaged files raise nearly anything
        raise EngineError(
            f"The embedded model cannot be loaded: {first_line(error)}",
            hint="Install the package again.",
        ) from error
    chosen = pick_device(device)
    try:
        with quiet_libraries():
            return pipe.to(chosen)
    except Exception as error:  # PyTorch asserts that it was built for the device
        raise EngineError(
            f"The embedded model cannot be put on {chosen}: {first_line(error)}",
            hint="Try another device, such as cpu.",
        ) from error


def pipeline_for(pipe: Any, task: Task) -> Any:
    """Return the stock pipeline for a task; all of them share the weights of ``pipe``."""
    kinds = {
        "image-to-video": "WanImageToVideoPipeline",
        "video-to-video": "WanVideoToVideoPipeline",
    }
    if task not in kinds:
        return pipe
    with quiet_libraries():
        import diffusers

        made = getattr(diffusers, kinds[task]).from_pipe(pipe)
    made.set_progress_bar_config(disable=True)
    return made
