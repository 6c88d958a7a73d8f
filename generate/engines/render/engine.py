"""The renderer behind the engine contract."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from fractions import Fraction
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree import __version__
from vidigree.generate.engine import EngineInfo, RequestWarning
from vidigree.generate.engines.render.frames import draw_frames
from vidigree.generate.engines.render.grammar import PromptReading, read_prompt
from vidigree.generate.engines.render.staging import stage
from vidigree.generate.request import ClipRequest
from vidigree.media.errors import EngineError, UsageError
from vidigree.media.progress import Progress, no_progress
from vidigree.watermark.clip import Clip, Origin

__all__ = ["RenderEngine"]


class RenderEngine:
    """Draws the scene that the prompt describes; no trained weights, no network."""

    info: ClassVar[EngineInfo] = EngineInfo(
        name="render",
        family="physics-based rendering",
        tasks=("text-to-video",),
        licence="Apache-2.0",
        description="Rigid bodies under gravity, ray-traced; understands a small vocabulary.",
        memory="0.3 GB",
        default_size=(640, 480),
        default_num_frames=48,
        default_fps=Fraction(24),
    )

    def generate(self, request: ClipRequest, *, progress: Progress = no_progress) -> Clip:
        """Return the clip; see :meth:`vidigree.generate.engine.Engine.generate`.

        Raises:
            UsageError: The request starts from an image or a video.
            EngineError: Nothing in the prompt can be drawn.
        """
        if request.task != "text-to-video":
            raise UsageError(
                f"The render engine cannot do {request.task}.", hint="Leave the input file away."
            )
        reading = read_prompt(request.prompt)
        _tell_unknown(reading)
        scene = stage(reading, request.seed)
        default_width, default_height = self.info.default_size or (640, 480)
        width = request.width or default_width
        height = request.height or default_height
        num_frames = request.num_frames or self.info.default_num_frames or 48
        fps = request.fps or self.info.default_fps or Fraction(24)

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
                model_licence=self.info.licence,
                synthetic=True,
                trained_model=False,
                prompt_sha256=request.prompt_sha256,
                seed=request.seed,
            ),
        )


def _tell_unknown(reading: PromptReading) -> None:
    words = ", ".join(repr(word) for word in reading.unknown)
    if not reading.says_something:
        raise EngineError(
            "The render engine found nothing to draw in the prompt"
            + (f" (unknown words: {words})." if words else "."),
            hint="Name a body, a ground or a sky: 'two red balls bouncing on a wooden floor'; "
            "docs/generate.md lists the words.",
        )
    if words:
        warnings.warn(
            f"The render engine does not know {words}; drawn without.", RequestWarning, stacklevel=3
        )
