"""The renderer behind the engine contract."""

from __future__ import annotations

import time
import tracemalloc
import warnings
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from vidigree import __version__
from vidigree.generate.engine import EngineInfo, RequestWarning
from vidigree.generate.engines.render.frames import draw_frames
from vidigree.generate.engines.render.grammar import read_prompt
from vidigree.generate.engines.render.reading import PromptReading
from vidigree.generate.engines.render.staging import stage
from vidigree.generate.engines.render.unheeded import unheeded
from vidigree.generate.engines.render.vocabulary import listed
from vidigree.generate.estimate import Estimate
from vidigree.generate.request import ClipRequest
from vidigree.media.errors import EngineError, UsageError
from vidigree.media.progress import Progress, no_progress
from vidigree.watermark.clip import Clip, Origin

__all__ = ["RenderEngine"]


_SIZE: Final = (640, 480)
_FRAMES: Final = 48
_FPS: Final = Fraction(24)
# Frames that an estimate draws after the first.
_PROBES: Final = 2


class RenderEngine:
    """Draws the scene that the prompt describes; no trained weights, no network."""

    info: ClassVar[EngineInfo] = EngineInfo(
        name="render",
        family="physics-based rendering",
        tasks=("text-to-video",),
        licence="Apache-2.0",
        description="Rigid bodies under gravity, ray-traced; understands a small vocabulary.",
        memory="0.3 GB",
        default_size=_SIZE,
        default_num_frames=_FRAMES,
        default_fps=_FPS,
    )

    def _size(self, request: ClipRequest) -> tuple[int, int, int]:
        """Return width, height and number of frames, the defaults filled in."""
        width, height = request.width or _SIZE[0], request.height or _SIZE[1]
        return width, height, request.num_frames or _FRAMES

    def estimate(self, request: ClipRequest) -> Estimate:
        """Measure a few frames and return what all of them will need.

        Raises:
            UsageError: The request starts from an image or a video, or does not fit the engine.
            EngineError: Nothing in the prompt can be drawn, or too much.
        """
        _refuse_foreign(request)
        width, height, num_frames = self._size(request)
        reading = read_prompt(request.prompt)
        _refuse_nothing(reading)
        scene = stage(reading, request.seed)
        began = time.perf_counter()
        fps = request.fps or _FPS
        drawn = draw_frames(scene, width=width, height=height, num_frames=num_frames, fps=fps)
        tracemalloc.start()
        try:
            next(drawn)  # the textures are made here
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        first = time.perf_counter() - began
        further = sum(1 for _ in islice(drawn, _PROBES))
        each = (time.perf_counter() - began - first) / max(further, 1)
        return Estimate(
            width=width,
            height=height,
            num_frames=num_frames,
            steps=num_frames,
            memory=peak,
            seconds=first + each * (num_frames - 1),
            basis="a few frames drawn now; marking and encoding come on top",
        )

    def generate(self, request: ClipRequest, *, progress: Progress = no_progress) -> Clip:
        """Return the clip; see :meth:`vidigree.generate.engine.Engine.generate`.

        Raises:
            UsageError: The request starts from an image or a video, or does not fit the engine.
            EngineError: Nothing in the prompt can be drawn, or too much.
        """
        _refuse_foreign(request)
        reading = read_prompt(request.prompt)
        _refuse_nothing(reading)
        _tell_left_out(request, reading)
        scene = stage(reading, request.seed)
        width, height, num_frames = self._size(request)
        fps = request.fps or _FPS

        def frames() -> Iterator[NDArray[np.uint8]]:
            drawn = draw_frames(scene, width=width, height=height, num_frames=num_frames, fps=fps)
            for number, frame in enumerate(drawn, start=1):
                progress("rendering", number, num_frames)
                yield frame

        return Clip(
            frames=frames(),
            width=width,
            height=height,
            fps=fps,
            num_frames=num_frames,
            origin=Origin(
                task="text-to-video",
                engine=self.info.name,
                engine_version=__version__,
                synthetic=True,
                trained_model=False,
                prompt_sha256=request.prompt_sha256,
                seed=request.seed,
            ),
        )


def _refuse_foreign(request: ClipRequest) -> None:
    if request.task != "text-to-video":
        raise UsageError(
            f"The render engine cannot do {request.task}.", hint="Leave the input file away."
        )
    if request.options or request.model:
        named = ", ".join(sorted(request.options)) or request.model
        raise UsageError(
            f"The render engine takes no model and no options ({named}).",
            hint="Leave them away, or name an engine that takes them; see docs/generate.md.",
        )


def _refuse_nothing(reading: PromptReading) -> None:
    if not reading.says_something:
        told = [f"unknown words: {listed(reading.unknown)}"] if reading.unknown else []
        if reading.unused:
            told.append(f"nothing is named for {listed(reading.unused)} to describe")
        raise EngineError(
            "The render engine found nothing to draw in the prompt"
            + (f" ({'; '.join(told)})." if told else "."),
            hint="Name a body, a ground or a sky: 'two red balls bouncing on a wooden floor'; "
            "docs/generate.md lists the words.",
        )


def _tell_left_out(request: ClipRequest, reading: PromptReading) -> None:
    """Warn of what would otherwise be ignored without a word."""
    notes = []
    if request.negative_prompt:
        notes.append("does not take a negative prompt; it was left out.")
    if request.strength is not None:
        notes.append("takes no strength; it was left out.")
    notes += unheeded(reading)
    for note in notes:
        warnings.warn(f"The render engine {note}", RequestWarning, stacklevel=3)
