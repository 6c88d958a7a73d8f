"""What the trained families have in common as engines: reading requests, delivering clips."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Final

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
from vidigree.generate.engines.families.delivery import deliver
from vidigree.generate.engines.families.native import FPS, FRAMES, SIDE
from vidigree.generate.engines.families.sources import read_clip, read_still
from vidigree.generate.engines.families.vocabulary import (
    LONGEST_CAPTION,
    CaptionReading,
    Vocabulary,
)
from vidigree.generate.engines.families.weights import shipped_facts
from vidigree.generate.estimate import Estimate
from vidigree.generate.request import ClipRequest
from vidigree.media.errors import UsageError
from vidigree.media.progress import Progress, no_progress
from vidigree.watermark.clip import Clip, Origin, Task

__all__ = ["DEFAULT_SIZE", "LICENCE", "Asked", "FamilyEngine", "family_info"]

DEFAULT_SIZE = (256, 256)
# Bytes that a process held at most while it drew a clip on a CPU, measured once.
_MEMORY: Final = 360 * 2**20
LICENCE = "Apache-2.0; weights trained by this project on clips of its own renderer"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as a network takes it.

    Attributes:
        numbers: Numbers of the words of the prompt.
        seed: In [0, 2**63).
        num_frames: 1 to 24.
        still: Picture to start from, uint8 (64, 64, 3); ``None`` without.
        clip: Clip to start from, uint8 (24, 64, 64, 3); ``None`` without.
        strength: How far to leave ``clip``, in (0, 1].
        progress: Told as frames are made.
    """

    numbers: tuple[int, ...]
    seed: int
    num_frames: int
    still: NDArray[np.uint8] | None = None
    clip: NDArray[np.uint8] | None = None
    strength: float = 1.0
    progress: Progress = no_progress


def family_info(
    name: str, *, family: str, tasks: tuple[Task, ...], description: str, memory: str
) -> EngineInfo:
    """Return the facts of a family, what all share filled in."""
    return EngineInfo(
        name=name,
        family=family,
        tasks=tasks,
        licence=LICENCE,
        description=description,
        memory=memory,
        default_size=DEFAULT_SIZE,
        default_num_frames=FRAMES,
        default_fps=Fraction(FPS),
    )


class FamilyEngine(ABC):
    """A small trained generator that draws 24 frames of 64 x 64 pixels.

    Subclasses set ``info`` and draw.
    """

    info: ClassVar[EngineInfo]

    @abstractmethod
    def draw(self, asked: Asked) -> Iterator[NDArray[np.uint8]]:
        """Yield ``asked.num_frames`` frames, uint8 (64, 64, 3)."""

    def estimate(self, request: ClipRequest) -> Estimate:
        """Return the size that would be delivered; nothing is drawn.

        Raises:
            UsageError: The engine cannot do the task, or takes no such argument.
            EngineError: Nothing of the prompt is known.
        """
        self._refuse_foreign(request)
        self._read_prompt(request.prompt)
        width, height = _size(request)
        num_frames = min(request.num_frames or FRAMES, FRAMES)
        return Estimate(
            width=width,
            height=height,
            num_frames=num_frames,
            steps=num_frames,
            memory=_MEMORY,
            basis="the engine's own length; docs/families.md has measured times",
        )

    def generate(self, request: ClipRequest, *, progress: Progress = no_progress) -> Clip:
        """Return the clip; see :meth:`vidigree.generate.engine.Engine.generate`.

        Raises:
            UsageError: The engine cannot do the task, or takes no such argument.
            EngineError: Nothing of the prompt is known, the input cannot be read, or torch or the
                weights are missing.
            MediaError: The clip to start from cannot be read.
        """
        self._refuse_foreign(request)
        reading = self._read_prompt(request.prompt)
        width, height = _size(request)
        num_frames = min(request.num_frames or FRAMES, FRAMES)
        self._tell_differences(request, reading)
        asked = Asked(
            numbers=reading.numbers,
            seed=request.seed,
            num_frames=num_frames,
            still=None if request.image is None else read_still(request.image),
            clip=None if request.video is None else self._read_clip(request),
            strength=request.strength or 1.0,
            progress=progress,
        )

        def frames() -> Iterator[NDArray[np.uint8]]:
            for number, frame in enumerate(self.draw(asked), start=1):
                progress(f"{self.info.name}: drawing", number, num_frames)
                yield deliver(frame, width, height)

        return Clip(
            frames=frames(),
            width=width,
            height=height,
            fps=request.fps or Fraction(FPS),
            num_frames=num_frames,
            origin=self._origin(request),
        )

    def _origin(self, request: ClipRequest) -> Origin:
        inputs = tuple(path for path in (request.image, request.video) if path is not None)
        return Origin(
            task=request.task,
            engine=self.info.name,
            engine_version=__version__,
            model=f"vidigree-{self.info.name}",
            synthetic=True,
            trained_model=True,
            prompt_sha256=request.prompt_sha256,
            seed=request.seed,
            inputs=inputs,
        )

    def _refuse_foreign(self, request: ClipRequest) -> None:
        if request.task not in self.info.tasks:
            able = ", ".join(self.info.tasks)
            raise UsageError(
                f"The {self.info.name} engine cannot do {request.task}; it does {able}.",
                hint="See 'vidigree engines' for one that does.",
            )
        if request.options or request.model:
            named = ", ".join(sorted(request.options)) or request.model
            raise UsageError(
                f"The {self.info.name} engine takes no model and no options ({named}).",
                hint="Leave them away, or name an engine that takes them; see docs/generate.md.",
            )

    def _read_prompt(self, prompt: str) -> CaptionReading:
        words = shipped_facts("captions")["notes"]["words"]
        reading = Vocabulary(tuple(words)).read(prompt)
        refuse_nothing(f"The {self.info.name} engine", reading.wording, "docs/families.md")
        return reading

    def _read_clip(self, request: ClipRequest) -> NDArray[np.uint8]:
        assert request.video is not None  # noqa: S101 -- the caller checked
        clip = read_clip(request.video)
        if len(clip) < FRAMES:
            self._warn(f"needs {FRAMES} frames; the last of {len(clip)} was held.")
            clip = np.concatenate([clip, np.repeat(clip[-1:], FRAMES - len(clip), axis=0)])
        return clip

    def _tell_differences(self, request: ClipRequest, reading: CaptionReading) -> None:
        notes = word_notes(reading.wording, LONGEST_CAPTION) + strength_notes(request)
        if request.negative_prompt:
            notes.append("does not take a negative prompt; it was left out.")
        notes += length_notes(request.num_frames, FRAMES)
        notes += rate_notes(request.fps, Fraction(FPS))
        notes += size_notes(_size(request), DEFAULT_SIZE, SIDE)
        for note in notes:
            self._warn(note)

    def _warn(self, text: str) -> None:
        warnings.warn(f"The {self.info.name} engine {text}", RequestWarning, stacklevel=4)


def _size(request: ClipRequest) -> tuple[int, int]:
    """Return width and height; one that is open follows the other."""
    width = request.width or request.height or DEFAULT_SIZE[0]
    return width, request.height or request.width or DEFAULT_SIZE[1]
