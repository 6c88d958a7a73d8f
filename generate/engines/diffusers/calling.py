"""Runs a pipeline: progress out of it, its errors as ours."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from vidigree.generate.engines.diffusers.glimpse import glimpse
from vidigree.generate.engines.diffusers.loading import (
    first_line,
    out_of_memory,
    quiet_libraries,
)
from vidigree.generate.preview import Previewing
from vidigree.media.errors import EngineError, VidigreeError
from vidigree.media.progress import Progress

__all__ = ["call_pipeline"]

# Steps between two previews.
_SHOWN_EVERY = 3


def call_pipeline(pipe: Any, arguments: Mapping[str, Any], progress: Progress) -> Any:
    """Run a pipeline and return its result, frames as float tensors; its errors become ours.

    Args:
        pipe: A diffusers pipeline.
        arguments: Keyword arguments of its call.
        progress: Told of every denoising step; shown every third, if it shows pictures.

    Raises:
        EngineError: It ran out of memory or failed.
    """
    import torch

    arguments = {**arguments, "output_type": "pt"}
    takes = inspect.signature(type(pipe).__call__).parameters
    if "callback_on_step_end" in takes:
        arguments["callback_on_step_end"] = _step_reporter(pipe, progress)
    try:
        with torch.inference_mode(), quiet_libraries():
            return pipe(**arguments)
    except VidigreeError:
        raise
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise out_of_memory() from error
    except Exception as error:  # whatever third-party model code raises
        raise EngineError(
            f"{type(pipe).__name__} failed: {type(error).__name__}: {first_line(error)}",
            hint="--debug shows where.",
        ) from error


def _step_reporter(pipe: Any, progress: Progress) -> Callable[..., dict[str, Any]]:
    def report(_pipe: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        total = getattr(pipe, "num_timesteps", None)
        progress("denoising", step + 1, total if isinstance(total, int) else None)
        if isinstance(progress, Previewing) and step % _SHOWN_EVERY == 0 and "latents" in tensors:
            picture = glimpse(pipe, tensors["latents"])
            if picture is not None:
                progress.show(picture)
        return tensors

    return report
