"""The embedded diffusion model behind the engine contract."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from vidigree import __version__
from vidigree.generate.engine import EngineInfo, RequestWarning
from vidigree.generate.engines.departures import (
    length_notes,
    rate_notes,
    refuse_nothing,
    size_notes,
    strength_notes,
    word_notes,
)
from vidigree.generate.engines.diffusers.loading import check_installed
from vidigree.generate.engines.nano.drawing import draw
from vidigree.generate.engines.nano.options import NanoOptions
from vidigree.generate.engines.nano.sources import read_source_clip, read_square
from vidigree.generate.engines.nano.upsampling import FACTOR, Upsampler, fit
from vidigree.generate.engines.nano.weights import known_words, load_nano, model_folder
from vidigree.generate.engines.render.vocabulary import listed
from vidigree.generate.engines.wording import Wording, reword
from vidigree.generate.estimate import Estimate
from vidigree.generate.request import ClipRequest
from vidigree.media.errors import UsageError
from vidigree.media.progress import Progress, no_progress
from vidigree.watermark.clip import Clip, Origin

__all__ = ["NATIVE_FPS", "NATIVE_FRAMES", "NATIVE_SIDE", "TEXT_LENGTH", "NanoEngine"]

NATIVE_SIDE: Final = 64
NATIVE_FRAMES: Final = 25
NATIVE_FPS: Final = Fraction(12)
# Tokens of a prompt; the model was trained with this padding.
TEXT_LENGTH: Final = 32
_SIDE: Final = NATIVE_SIDE * FACTOR
_STRENGTH: Final = 0.7
# Bytes that a process held at most while it made a clip on a CPU, measured once.
_MEMORY: Final = 760 * 2**20
_SUBJECT: Final = "The embedded model"


@dataclass
class _Plan:
    """A call in the making: arguments, what to keep of the result, and words for the user."""

    arguments: dict[str, Any]
    num_frames: int
    fps: Fraction
    notes: list[str] = field(default_factory=list)

    def tell(self, *sentences: str) -> None:
        """Add notes whose subject is the model."""
        self.notes += [f"{_SUBJECT} {sentence}" for sentence in sentences]


class NanoEngine:
    """A small latent diffusion transformer, trained on clips that the renderer drew.

    The loaded model is kept for further requests.

    Args:
        folder: Another model of the same kind; ``None`` takes the shipped one.
    """

    info: ClassVar[EngineInfo] = EngineInfo(
        name="nano",
        family="diffusion",
        tasks=("text-to-video", "image-to-video", "video-to-video"),
        licence="Apache-2.0",
        description="The embedded diffusion model: simple bodies in motion, offline, on a CPU.",
        memory="0.8 GB",
        default_size=(_SIDE, _SIDE),
        default_num_frames=NATIVE_FRAMES,
        default_fps=NATIVE_FPS,
    )

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or model_folder()
        self._loaded: tuple[str, Any] | None = None

    def generate(self, request: ClipRequest, *, progress: Progress = no_progress) -> Clip:
        """Return the clip; see :meth:`vidigree.generate.engine.Engine.generate`.

        Raises:
            UsageError: An option is unknown.
            EngineError: Nothing in the prompt is known, a package is missing, or the model failed.
        """
        options = NanoOptions.read(request.options)
        _refuse_model(request)
        wording = _understood(request, self._folder)
        check_installed("nano")
        plan = _plan(request, wording, options)
        _add_negative(plan, request, options, self._folder)
        for note in plan.notes:
            warnings.warn(note, RequestWarning, stacklevel=2)
        _add_noise(plan, request)
        pipe = self._pipeline(options.device)
        frames, name = draw(pipe, request.task, plan.arguments, progress)
        small = frames[0, : plan.num_frames].float().cpu().numpy()
        large = Upsampler(self._folder / "upsampler.onnx").enlarge(small)
        width, height = request.width or _SIDE, request.height or _SIDE
        return Clip(
            frames=_stream(large, width, height),
            width=width,
            height=height,
            fps=plan.fps,
            num_frames=len(large),
            origin=Origin(
                task=request.task,
                engine=self.info.name,
                engine_version=__version__,
                model="vidigree-nano",
                synthetic=True,
                trained_model=True,
                prompt_sha256=request.prompt_sha256,
                seed=request.seed,
                inputs=tuple(p for p in (request.image, request.video) if p is not None),
                parameters={"pipeline": name},
            ),
        )

    def estimate(self, request: ClipRequest) -> Estimate:
        """Tell the size, length and steps; nothing is loaded."""
        options = NanoOptions.read(request.options)
        _refuse_model(request)
        _understood(request, self._folder)
        return Estimate(
            width=request.width or _SIDE,
            height=request.height or _SIDE,
            num_frames=min(request.num_frames or NATIVE_FRAMES, NATIVE_FRAMES),
            steps=options.steps,
            memory=_MEMORY,
            basis="the model has one size; marking and encoding come on top",
        )

    def _pipeline(self, device: str) -> Any:
        if self._loaded is None or self._loaded[0] != device:
            self._loaded = (device, load_nano(device, self._folder))
        return self._loaded[1]


def _stream(frames: NDArray[np.uint8], width: int, height: int) -> Iterator[NDArray[np.uint8]]:
    yield from fit(frames, width, height)


def _refuse_model(request: ClipRequest) -> None:
    if request.model:
        raise UsageError(
            f"The nano engine takes no model ({request.model}).",
            hint="It has one; --engine diffusers loads others.",
        )


def _understood(request: ClipRequest, folder: Path) -> Wording:
    wording = reword(request.prompt, known_words(folder))
    refuse_nothing(_SUBJECT, wording, "docs/nano.md")
    return wording


def _plan(request: ClipRequest, wording: Wording, options: NanoOptions) -> _Plan:
    """Return the call for a request; whatever is not followed to the letter gets a note.

    What the clip starts from is read here, before anything heavy is imported.
    """
    plan = _Plan(
        arguments={
            "prompt": wording.text,
            "height": NATIVE_SIDE,
            "width": NATIVE_SIDE,
            "num_frames": NATIVE_FRAMES,
            "num_inference_steps": options.steps,
            "guidance_scale": options.guidance,
            "max_sequence_length": TEXT_LENGTH,
        },
        num_frames=NATIVE_FRAMES,
        fps=NATIVE_FPS,
    )
    # One token ends the text.
    plan.tell(*word_notes(wording, TEXT_LENGTH - 1), *strength_notes(request))
    if request.image is not None:
        plan.arguments["image"], notes = read_square(request.image, NATIVE_SIDE)
        plan.notes += notes
    if request.video is not None:
        _add_source(plan, request, request.video)
    size = request.width or _SIDE, request.height or _SIDE
    plan.tell(
        *length_notes(request.num_frames, plan.num_frames),
        *rate_notes(request.fps, plan.fps),
        *size_notes(size, (_SIDE, _SIDE), _SIDE),
    )
    plan.num_frames = min(plan.num_frames, request.num_frames or plan.num_frames)
    plan.fps = request.fps or plan.fps
    return plan


def _add_noise(plan: _Plan, request: ClipRequest) -> None:
    import torch

    plan.arguments["generator"] = torch.Generator("cpu").manual_seed(request.seed)


def _add_negative(plan: _Plan, request: ClipRequest, options: NanoOptions, folder: Path) -> None:
    if not request.negative_prompt:
        return
    wording = reword(request.negative_prompt, known_words(folder))
    plan.arguments["negative_prompt"] = wording.text
    if wording.unknown:
        plan.tell(f"does not know {listed(wording.unknown)} of the negative prompt.")
    beyond = wording.text.split()[TEXT_LENGTH - 1 :]
    if beyond:
        plan.tell(
            f"reads {TEXT_LENGTH - 1} words; left out of the negative prompt: {listed(beyond)}."
        )
    if options.guidance <= 1:
        plan.tell("takes no negative prompt without guidance; it was left out.")


def _add_source(plan: _Plan, request: ClipRequest, path: Path) -> None:
    source = read_source_clip(path, NATIVE_SIDE, NATIVE_FRAMES, NATIVE_FPS)
    del plan.arguments["num_frames"]
    plan.arguments["video"] = source.images
    strength = _STRENGTH if request.strength is None else request.strength
    # The pipeline rounds down to whole steps, and fails at none.
    steps = plan.arguments["num_inference_steps"]
    plan.arguments["strength"] = max(strength, 1.001 / steps)
    if strength * steps < 1:
        plan.tell(f"takes a strength of at least one of its {steps} steps; it took {1 / steps:g}.")
    plan.num_frames, plan.fps = source.used, source.fps
    plan.notes += source.notes
