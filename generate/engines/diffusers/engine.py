"""Any diffusers video pipeline behind the engine contract."""

from __future__ import annotations

import importlib.metadata
import warnings
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engine import EngineInfo, RequestWarning
from vidigree.generate.engines.diffusers.arguments import plan_call
from vidigree.generate.engines.diffusers.calling import call_pipeline
from vidigree.generate.engines.diffusers.estimating import estimate_call
from vidigree.generate.engines.diffusers.loading import load_pipeline
from vidigree.generate.engines.diffusers.options import DiffusersOptions
from vidigree.generate.estimate import Estimate
from vidigree.generate.frames import clips_of, to_uint8
from vidigree.generate.request import ClipRequest
from vidigree.media.errors import EngineError
from vidigree.media.progress import Progress, no_progress
from vidigree.watermark.clip import Clip, Origin

__all__ = ["DiffusersEngine"]


class DiffusersEngine:
    """Loads the model that a request names and runs it.

    The loaded pipeline is kept for further requests for the same model with the same options.
    """

    info: ClassVar[EngineInfo] = EngineInfo(
        name="diffusers",
        family="diffusion",
        tasks=("text-to-video", "image-to-video", "video-to-video"),
        licence="that of the model",
        description="Any diffusers video pipeline: Wan, LTX, CogVideoX, HunyuanVideo, Mochi, ...",
        memory="that of the model; most need a GPU",
        needs_model=True,
    )

    def __init__(self) -> None:
        self._loaded: tuple[object, Any] | None = None

    def generate(self, request: ClipRequest, *, progress: Progress = no_progress) -> Clip:
        """Return the clip; see :meth:`vidigree.generate.engine.Engine.generate`.

        Raises:
            UsageError: No model is named, or it cannot do the task.
            EngineError: The model cannot be loaded, ran out of memory or failed.
        """
        options = DiffusersOptions.read(request.options)
        pipe = self._pipeline(request.model, options)
        plan = plan_call(pipe, request, options)
        for note in plan.notes:
            warnings.warn(note, RequestWarning, stacklevel=2)
        result = call_pipeline(pipe, plan.arguments, progress)
        frames = list(islice(to_uint8(clips_of(result)[0]), plan.num_frames))
        if not frames:
            raise EngineError(f"{type(pipe).__name__} returned no frames.")
        height, width = frames[0].shape[:2]
        return Clip(
            frames=_counted(frames),
            width=width,
            height=height,
            fps=plan.fps,
            num_frames=len(frames),
            origin=_origin(pipe, request, plan.facts),
        )

    def estimate(self, request: ClipRequest) -> Estimate:
        """Read the headers of the weights and the pipeline's defaults; nothing is loaded."""
        return estimate_call(request, DiffusersOptions.read(request.options))

    def _pipeline(self, model: str, options: DiffusersOptions) -> Any:
        # What a call decides for itself does not change what is loaded.
        wanted = (
            model,
            repr(replace(options, steps=None, guidance=None, noise_mark=False, call={})),
        )
        if self._loaded is None or self._loaded[0] != wanted:
            self._loaded = None  # the old one goes before the new one comes
            self._loaded = (wanted, load_pipeline(model, options))
        return self._loaded[1]


def _counted(frames: list[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    yield from frames


def _origin(pipe: Any, request: ClipRequest, facts: dict[str, str]) -> Origin:
    inputs = tuple(path for path in (request.image, request.video) if path is not None)
    return Origin(
        task=request.task,
        engine="diffusers",
        engine_version=importlib.metadata.version("diffusers"),
        model=_public_name(request.model),
        synthetic=True,
        trained_model=True,
        prompt_sha256=request.prompt_sha256,
        seed=request.seed,
        inputs=inputs,
        parameters={"pipeline": type(pipe).__name__, **facts},
    )


def _public_name(model: str) -> str:
    """Return a hub id as it is, and of a folder its name: paths are nobody's business."""
    folder = Path(model).expanduser()
    return folder.resolve().name if folder.exists() else model
