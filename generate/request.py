"""What is asked of a generator, checked before any work begins."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from numbers import Integral, Rational, Real
from pathlib import Path
from typing import Any, Final

from vidigree.media.arguments import path_of
from vidigree.media.errors import UsageError
from vidigree.media.one_line import check_utf8
from vidigree.media.opening import check_file
from vidigree.watermark.clip import Task

__all__ = ["LONGEST_PROMPT", "ClipRequest", "frame_rate"]

LONGEST_PROMPT: Final = 2000
_SIDES: Final = (16, 4096)
_MOST_FRAMES: Final = 100_000
_FPS: Final = (Fraction(1), Fraction(240))
_SEEDS: Final = 2**63
_LONG_EXPONENT: Final = re.compile(r"[eE][-+]?[\d_]{4}")
_PATH: Final = (Path, os.PathLike, str)
# What fields must be: from JSON they can be anything. None is allowed where it is the default.
_KINDS: Final[dict[str, tuple[type | tuple[type, ...], str]]] = {
    "prompt": (str, "text"),
    "negative_prompt": (str, "text"),
    "image": (_PATH, "a path"),
    "video": (_PATH, "a path"),
    "strength": (Real, "a number"),
    "width": (Integral, "a whole number"),
    "height": (Integral, "a whole number"),
    "num_frames": (Integral, "a whole number"),
    "fps": (Rational, "a rate such as 24 or 30000/1001"),
    "seed": (Integral, "a whole number"),
    "engine": (str, "text"),
    "model": (str, "text"),
    "options": (Mapping, "an object of names and values"),
}
# The renderer draws sharper and follows a prompt exactly, but cannot start from anything.
_DEFAULT_ENGINE: Final = "render"
_DEFAULT_FROM_INPUT: Final = "nano"


@dataclass(frozen=True, kw_only=True)
class ClipRequest:
    """A clip to be generated.

    ``None`` means that the engine decides; what it decided stands in the clip.

    Attributes:
        prompt: Text, 1 to 2,000 characters.
        negative_prompt: What the clip should not show; at most 2,000 characters.
        image: Picture to start from (image-to-video); text is taken as its path.
        video: Clip to start from (video-to-video); likewise.
        strength: How far video-to-video may leave its input, in (0, 1].
        width: Pixels, 16 to 4096.
        height: Pixels, 16 to 4096.
        num_frames: 1 to 100,000.
        fps: Frames per second, 1 to 240.
        seed: In [0, 2**63).
        engine: Registered engine name; empty takes ``"render"`` for text-to-video and ``"nano"``,
            the embedded model, for a request that starts from an image or a video.
        model: Folder or hub id for engines that load models; empty for the others.
        options: Further arguments that the engine documents, JSON values.

    Raises:
        UsageError: A value is out of range or of the wrong kind; the message names it.
        MediaError: ``image`` or ``video`` is not there, empty, a folder or a device.
    """

    prompt: str
    negative_prompt: str = ""
    image: Path | None = None
    video: Path | None = None
    strength: float | None = None
    width: int | None = None
    height: int | None = None
    num_frames: int | None = None
    fps: Fraction | None = None
    seed: int = 0
    engine: str = ""
    model: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in fields(self):
            _check_kind(row.name, getattr(self, row.name), optional=row.default is None)
        for name in ("image", "video"):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, path_of(given, name))
        _check_prompt(self.prompt)
        if not self.engine:
            chosen = _DEFAULT_ENGINE if self.task == "text-to-video" else _DEFAULT_FROM_INPUT
            object.__setattr__(self, "engine", chosen)
        if len(self.negative_prompt) > LONGEST_PROMPT:
            raise UsageError(_too_long("negative prompt", self.negative_prompt))
        check_utf8("The negative prompt", self.negative_prompt)
        check_utf8("The model's name", self.model)
        for name in self.options:
            check_utf8("The name of an option", str(name))
        _check_range("width", self.width, *_SIDES, unit="pixels")
        _check_range("height", self.height, *_SIDES, unit="pixels")
        _check_range("number of frames", self.num_frames, 1, _MOST_FRAMES)
        _check_range("frame rate", self.fps, *_FPS, unit="frames per second")
        _check_range("seed", self.seed, 0, _SEEDS - 1)
        if self.strength is not None and not 0 < self.strength <= 1:
            raise UsageError(f"The strength is {self.strength}; it must be above 0 and at most 1.")
        if self.image is not None and self.video is not None:
            raise UsageError("A clip starts from an image or from a video, not from both.")
        for source, kind in ((self.image, "picture"), (self.video, "video")):
            if source is not None:
                check_file(source, kind=kind)

    @property
    def task(self) -> Task:
        """What kind of generation this is."""
        if self.video is not None:
            return "video-to-video"
        return "image-to-video" if self.image is not None else "text-to-video"

    @property
    def prompt_sha256(self) -> str:
        """SHA-256 of the UTF-8 prompt, in hex."""
        return hashlib.sha256(self.prompt.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return the request as JSON values."""
        return {
            "prompt": self.prompt,
            "negative_prompt": self.negative_prompt,
            "image": None if self.image is None else str(self.image),
            "video": None if self.video is None else str(self.video),
            "strength": self.strength,
            "width": self.width,
            "height": self.height,
            "num_frames": self.num_frames,
            "fps": None if self.fps is None else str(self.fps),
            "seed": self.seed,
            "engine": self.engine,
            "model": self.model,
            "options": dict(self.options),
        }


def frame_rate(text: str) -> Fraction:
    """Return the rate that a text such as 24, 29.97 or 30000/1001 says.

    Raises:
        ValueError: It says none.
        ZeroDivisionError: It divides by zero.
    """
    # A number with a longer exponent would fill the memory before anybody could refuse it.
    if _LONG_EXPONENT.search(text):
        raise ValueError(f"{text!r} is no frame rate.")
    return Fraction(text).limit_denominator(1001)


def _check_kind(name: str, value: object, *, optional: bool) -> None:
    kind, words = _KINDS[name]
    if value is None and optional:
        return
    if isinstance(value, bool) or not isinstance(value, kind):
        # 30000/1001 in Python is a float.
        hint = "Give a whole number or a Fraction." if isinstance(value, float) else ""
        raise UsageError(
            f"The field {name} is {str(value)[:80]!r}, not {words}.",
            hint=hint if kind is Rational else "",
        )


def _check_prompt(prompt: str) -> None:
    if not prompt.strip():
        raise UsageError("The prompt is empty.", hint="Say what the clip should show.")
    if len(prompt) > LONGEST_PROMPT:
        raise UsageError(_too_long("prompt", prompt), hint="Shorten it.")
    check_utf8("The prompt", prompt)


def _too_long(what: str, text: str) -> str:
    return f"The {what} has {len(text):,} characters; at most {LONGEST_PROMPT:,} are allowed."


def _check_range(
    what: str,
    value: Fraction | int | None,
    low: Fraction | int,
    high: Fraction | int,
    unit: str = "",
) -> None:
    if value is not None and not low <= value <= high:
        span = f"{low} to {high} {unit}".strip()
        raise UsageError(f"The {what} is {value}; it must be in the range {span}.")
