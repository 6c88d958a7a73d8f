"""Runs the stock pipelines for a task; text goes to video by way of a first picture.

One set of weights first draws a single frame for the prompt, then the clip that begins with it, as
in Emu Video (Girdhar et al. 2023): what a scene looks like is easier to settle in one frame, and
how it goes on is easier to draw once it stands. A bare text-to-video pipeline draws both at once,
and follows the words less closely.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vidigree.generate.engines.diffusers.calling import call_pipeline
from vidigree.generate.engines.nano.weights import pipeline_for
from vidigree.media.progress import Progress, no_progress
from vidigree.watermark.clip import Task

__all__ = ["draw"]


def draw(
    pipe: Any, task: Task, arguments: Mapping[str, Any], progress: Progress = no_progress
) -> tuple[Any, str]:
    """Draw clips at the model's size.

    Args:
        pipe: The stock text-to-video pipeline.
        task: What the arguments are for.
        arguments: Keyword arguments of a pipeline's call, without those that depend on its output.
        progress: Told of every denoising step of the clip.

    Returns:
        Frames, a float tensor (N, F, 3, H, W) in [0, 1], and the name of the pipeline's class.

    Raises:
        EngineError: It ran out of memory or failed.
    """
    if task == "text-to-video":
        first = call_pipeline(pipe, {**arguments, "num_frames": 1}, no_progress).frames[:, 0]
        arguments, task = {**arguments, "image": first}, "image-to-video"
    pipe = pipeline_for(pipe, task)
    return call_pipeline(pipe, arguments, progress).frames, type(pipe).__name__
