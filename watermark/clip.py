"""A generated clip on its way to the stamp: frames, and what made them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import UsageError
from vidigree.media.one_line import check_utf8

__all__ = ["LONGEST_NAMES", "MADE_ELSEWHERE", "Clip", "Origin", "Task"]

Task = Literal["text-to-video", "image-to-video", "video-to-video", "unknown"]

MADE_ELSEWHERE = frozenset({"", "external"})
"""Engines, as the ledger has them, of clips that were only stamped here."""

LONGEST_NAMES = {"engine": 128, "model": 512}
"""Characters that every ledger can hold."""

_WHOLE = range(-(2**63), 2**63)  # what a manifest can hold


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What made a clip; goes into the signed manifest and the ledger.

    Attributes:
        task: How the clip was made; ``"unknown"`` for a clip that was made elsewhere.
        engine: Registered engine name, e.g. ``"render"``; ``"external"`` for clips made elsewhere;
            at most 128 characters.
        engine_version: Version of the engine or its library.
        model: Name of the model or of the folder or hub id it was loaded from, at most
            512 characters; empty if none.
        synthetic: ``True`` if a generative model or renderer made the pixels, ``False`` if the
            caller says they were captured, ``None`` if it is not known.
        trained_model: ``True`` if a trained model made the pixels (IPTC
            ``trainedAlgorithmicMedia``), ``False`` for a pure algorithm such as the renderer
            (``algorithmicMedia``).
        prompt_sha256: SHA-256 of the UTF-8 prompt in hex; empty if there was none. The prompt
            itself never goes into the manifest.
        seed: Seed of the run; ``None`` if there was none.
        inputs: Files that went in (image or video), in order; they become ingredients.
        parameters: Further facts worth recording by name: texts, numbers, ``True``, ``False`` or
            ``None``. They stand in the signed manifest, for everybody to read.

    Raises:
        UsageError: The model's name or a parameter is not UTF-8, a name is too long, or a parameter
            is something that a manifest cannot hold.
    """

    task: Task = "unknown"
    engine: str = "external"
    engine_version: str = ""
    model: str = ""
    synthetic: bool | None = None
    trained_model: bool = True
    prompt_sha256: str = ""
    seed: int | None = None
    inputs: tuple[Path, ...] = ()
    parameters: dict[str, str | int | float | bool | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_utf8("The model's name", self.model)
        for name, longest in LONGEST_NAMES.items():
            if len(getattr(self, name)) > longest:
                raise UsageError(
                    f"The {name}'s name has over {longest} characters.", hint="Give a shorter one."
                )
        for name, value in self.parameters.items():
            _check_parameter(name, value)


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Frames with their size and rate, and what made them.

    Attributes:
        frames: uint8 RGB frames, each of shape (height, width, 3); may be a one-pass stream.
        width: Frame width in pixels.
        height: Frame height in pixels.
        fps: Frames per second.
        num_frames: Number of frames; ``None`` when a stream does not know.
        origin: What made the clip.
        clip_id: Message of the mark that the frames carry already, when a door marked them in
            memory; the stamp then embeds nothing, but reads it back like any other mark. ``None``
            for unmarked frames.
    """

    frames: Iterable[NDArray[np.uint8]]
    width: int
    height: int
    fps: Fraction
    num_frames: int | None = None
    origin: Origin = field(default_factory=Origin)
    clip_id: int | None = None


def _check_parameter(name: str, value: object) -> None:
    """Refuse what would fail, or come out as something else, when the manifest is signed."""
    check_utf8("The name of a parameter", name)
    if isinstance(value, str):
        check_utf8(f"The parameter {name}", value)
        return
    if isinstance(value, float):
        fits = math.isfinite(value)
    elif isinstance(value, int):
        fits = value in _WHOLE
    else:
        fits = value is None
    if not fits:
        raise UsageError(
            f"The parameter {name} of a clip's origin is {str(value)[:80]!r}.",
            hint="Give text, a finite number of at most 64 bits, True, False or None.",
        )
