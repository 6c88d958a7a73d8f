"""Turns a request into the arguments of one particular pipeline."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from vidigree.generate.engines.diffusers.families import family_of
from vidigree.generate.engines.diffusers.noise_mark import marked_latents, message_for
from vidigree.generate.engines.diffusers.options import DiffusersOptions
from vidigree.generate.engines.pictures import read_picture, tell_clear
from vidigree.generate.request import ClipRequest
from vidigree.media.errors import UsageError
from vidigree.media.reading import open_video
from vidigree.watermark.clip import Task
from vidigree.watermark.keyring import KeyRing

__all__ = [
    "FRAME_COUNTS",
    "CallPlan",
    "call_parameters",
    "plan_call",
    "tasks_of",
]

FRAME_COUNTS: Final = ("num_frames", "video_length", "frames")
_VIDEO_INPUTS: Final = ("video", "pose_video", "source_video")
_TEMPORAL: Final = (
    "vae_scale_factor_temporal",
    "vae_temporal_compression_ratio",
    "vae_temporal_scale_factor",
)
_SPATIAL: Final = (
    "vae_scale_factor_spatial",
    "vae_spatial_compression_ratio",
    "vae_spatial_scale_factor",
    "vae_scale_factor",
)
# Pixels of a frame where the pipeline states no usual size.
_AREA: Final = 832 * 480
# A clip that sets no length to video-to-video is read up to this many frames.
_LONGEST_INPUT: Final = 81


@dataclass(frozen=True, kw_only=True)
class CallPlan:
    """A call that is ready to be made.

    Attributes:
        arguments: Keyword arguments of the pipeline.
        num_frames: How many of the frames that come out are wanted; ``None`` for all.
        fps: Frames per second of the clip.
        notes: Where the request was not followed to the letter.
        facts: What else is worth recording with the clip, JSON values.
    """

    arguments: dict[str, Any]
    num_frames: int | None
    fps: Fraction
    notes: tuple[str, ...]
    facts: dict[str, str]


def tasks_of(pipeline: type) -> tuple[Task, ...]:
    """Return what a pipeline class can do, from the arguments that it requires and takes."""
    takes = call_parameters(pipeline)
    tasks: list[Task] = []
    required = {
        name
        for name in ("image", "video")
        if name in takes and takes[name].default is inspect.Parameter.empty
    }
    name = pipeline.__name__
    video = next((key for key in _VIDEO_INPUTS if key in takes), None)
    from_image = "image" in takes
    if ("prompt" in takes and not required) and not _names_an_input(name):
        tasks.append("text-to-video")
    if from_image and "video" not in required:
        tasks.append("image-to-video")
    if video is not None:
        tasks.append("video-to-video")
    return tuple(tasks)


def _names_an_input(name: str) -> bool:
    """Pipelines give their required input the default ``None``; only the name tells."""
    return any(part in name for part in ("ImageToVideo", "VideoToVideo", "StableVideoDiffusion"))


def plan_call(pipe: Any, request: ClipRequest, options: DiffusersOptions) -> CallPlan:
    """Return the call that fulfils ``request``.

    Sizes are rounded to what the model's strides allow and frame counts up to the next allowed one
    (surplus frames are cut off again); each rounding is told in a note.

    Raises:
        UsageError: The pipeline cannot do the task of the request.
        EngineError: An input cannot be read as a picture.
    """
    planner = _Planner(pipe, request, options)
    planner.check_task()
    planner.text()
    planner.inputs()
    planner.size()
    planner.length()
    planner.sampling()
    planner.noise()
    planner.arguments.update(options.call)
    return CallPlan(
        arguments=planner.arguments,
        num_frames=planner.wanted_frames,
        fps=planner.fps(),
        notes=tuple(planner.notes),
        facts=planner.facts,
    )


def call_parameters(pipeline: type) -> dict[str, inspect.Parameter]:
    """Return what a pipeline class takes when it is called, by name."""
    return dict(inspect.signature(pipeline.__call__).parameters)


class _Planner:
    """Collects arguments and notes for one call."""

    def __init__(self, pipe: Any, request: ClipRequest, options: DiffusersOptions) -> None:
        self.pipe = pipe
        self.request = request
        self.options = options
        self.takes = call_parameters(type(pipe))
        self.arguments: dict[str, Any] = {}
        self.notes: list[str] = []
        self.facts: dict[str, str] = {}
        self.name = type(pipe).__name__
        self.wanted_frames = request.num_frames
        # Width and height of the picture or clip to start from.
        self.source_size: tuple[int, int] | None = None

    def check_task(self) -> None:
        tasks = tasks_of(type(self.pipe))
        if self.request.task in tasks:
            return
        inputs = {"image-to-video": "--image", "video-to-video": "--video"}
        wanted = [inputs[task] for task in tasks if task in inputs]
        raise UsageError(
            f"{self.name} cannot do {self.request.task}; it does {', '.join(tasks)}.",
            hint=f"Give {' or '.join(wanted)}." if wanted else "Leave the input file away.",
        )

    def text(self) -> None:
        self._give("prompt", self.request.prompt, "the prompt")
        if self.request.negative_prompt:
            self._give("negative_prompt", self.request.negative_prompt, "the negative prompt")
        elif self.name.startswith("EasyAnimate"):
            self.arguments["negative_prompt"] = ""  # it fails on None (diffusers 0.42.1)

    def size(self) -> None:
        step = self._spatial_step()
        wanted = self._wanted_size()
        for side in ("width", "height"):
            asked = wanted.get(side)
            if asked is None:
                continue
            rounded = max(step, round(asked / step) * step)
            if rounded != asked and getattr(self.request, side) is not None:
                self.notes.append(
                    f"The {side} was rounded from {asked} to {rounded}: {self.name} works in"
                    f" steps of {step} pixels."
                )
            self._give(side, rounded, f"the {side}")

    def _wanted_size(self) -> dict[str, int | None]:
        """Return the asked size; if none is asked, the shape of the input at the usual area."""
        asked = {"width": self.request.width, "height": self.request.height}
        if self.source_size is None or "width" not in self.takes or any(asked.values()):
            return asked
        width, height = self.source_size
        usual = [self.takes[side].default for side in ("width", "height")]
        area = usual[0] * usual[1] if all(isinstance(side, int) for side in usual) else _AREA
        shrink = min(1.0, math.sqrt(area / (width * height)))
        return {"width": round(width * shrink), "height": round(height * shrink)}

    def length(self) -> None:
        key = next((name for name in FRAME_COUNTS if name in self.takes), None)
        asked = self.request.num_frames
        fixed = self._fixed_length()
        if fixed is not None and key is not None:
            self.arguments[key] = fixed
            if asked is not None and asked > fixed:
                self.notes.append(f"{self.name} makes {fixed} frames, fewer than {asked}.")
            return
        if asked is None:
            return
        if key is None:
            if self.request.video is None:
                self.notes.append(f"{self.name} does not take a number of frames.")
            return
        self.arguments[key] = self._allowed_length(asked)

    def _allowed_length(self, asked: int) -> int:
        """Return the next number of frames that the temporal stride of the codec allows."""
        step = self._attribute(_TEMPORAL, 1)
        return math.ceil((asked - 1) / step) * step + 1

    def inputs(self) -> None:
        if self.request.image is not None:
            image = read_picture(self.request.image)
            self.source_size = image.size
            self.arguments["image"] = image
        if self.request.video is not None:
            key = next(name for name in _VIDEO_INPUTS if name in self.takes)
            self.arguments[key] = self._read_clip(self.request.video)
            if self.request.strength is not None:
                self._give("strength", self.request.strength, "the strength")

    def _read_clip(self, path: Path) -> list[Any]:
        """Return the frames of the input as PIL images, a number that the model allows."""
        from PIL import Image

        most = self.request.num_frames or _LONGEST_INPUT
        images = []
        with open_video(path, as_shown=True) as video:
            tell_clear(path, video.info)
            for image in video.images():
                images.append(Image.fromarray(image))
                if len(images) == most:
                    break
        step = self._attribute(_TEMPORAL, 1)
        allowed = (len(images) - 1) // step * step + 1
        if allowed != len(images):
            self.notes.append(
                f"The first {allowed} of {len(images)} frames of {path.name} were used:"
                f" {self.name} works in steps of {step} frames."
            )
        self.source_size = images[0].size
        self.wanted_frames = allowed
        return images[:allowed]

    def sampling(self) -> None:
        import torch

        self._give("generator", torch.Generator("cpu").manual_seed(self.request.seed), "the seed")
        if self.options.steps is not None:
            self._give("num_inference_steps", self.options.steps, "steps")
        if self.options.guidance is not None:
            key = "guidance_scale" if "guidance_scale" in self.takes else "max_guidance_scale"
            self._give(key, self.options.guidance, "guidance")
        for key in ("fps", "frame_rate"):  # conditioning inputs of some models
            if key in self.takes:
                kind = float if key == "frame_rate" else int
                self.arguments[key] = kind(round(self.fps()))

    def noise(self) -> None:
        """Start from marked noise, if that is asked."""
        if not self.options.noise_mark:
            return
        if self.request.task != "text-to-video":
            raise UsageError("Only text-to-video starts from noise that can be marked.")
        key, message = KeyRing.load().active, message_for(self.request)
        width, height, frames = (
            self.arguments.get(name, self.takes[name].default)
            for name in ("width", "height", "num_frames")
        )
        self.arguments["latents"] = marked_latents(
            self.pipe,
            message=message,
            key=key,
            seed=self.request.seed,
            size=(width, height),
            num_frames=frames,
        )
        self.facts = {"noise_mark": f"{message:016x}", "noise_mark_key": key.key_id}

    def fps(self) -> Fraction:
        return self.request.fps or family_of(self.name).fps

    def _give(self, key: str, value: Any, what: str) -> None:
        if key in self.takes:
            self.arguments[key] = value
        else:
            self.notes.append(f"{self.name} does not take {what}; it was left out.")

    def _attribute(self, names: tuple[str, ...], otherwise: int) -> int:
        for name in names:
            value = getattr(self.pipe, name, None)
            if isinstance(value, int) and value > 0:
                return value
        return otherwise

    def _spatial_step(self) -> int:
        """Return the codec's stride times the denoiser's patch; never less than 8."""
        stride = self._attribute(_SPATIAL, 8)
        denoiser = getattr(self.pipe, "transformer", None)
        patch = getattr(getattr(denoiser, "config", None), "patch_size", 1)
        if isinstance(patch, list | tuple):
            patch = patch[-1]
        return max(8, stride * (patch if isinstance(patch, int) else 1))

    def _fixed_length(self) -> int | None:
        """Some denoisers have learned positions for one length only (Latte)."""
        denoiser = getattr(self.pipe, "transformer", None)
        length = getattr(getattr(denoiser, "config", None), "video_length", None)
        return length if isinstance(length, int) else None
