"""Asks an object tracker whether a clip holds what its prompt named: COCO's things, not colours.

Ultralytics YOLO is AGPL-3.0, so it is an extra, imported only when somebody hands over weights. It
is never a part of this package, which stays Apache-2.0; who serves it to others over a network owes
them the source of the whole (AGPL-3.0, section 13), or needs Ultralytics' other licence.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.claim import Claim, side_of
from vidigree.media.errors import EngineError, UsageError
from vidigree.media.opening import check_file
from vidigree.media.reading import open_video

__all__ = ["Sighting", "Tracker", "open_tracker", "track_claims"]

_NUMBERS: Final = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_COUNTS: Final = {"a": 1, "an": 1} | {word: k for k, word in enumerate(_NUMBERS, start=1)}
_IRREGULAR: Final = {"person": ("people", "persons"), "mouse": ("mice",), "knife": ("knives",)}
_MOST_FRAMES: Final = 240
# Share of the width that a thing has to move, and of the frames that it has to be in.
_LEAST_SHIFT: Final = 0.05
_LEAST_SHARE: Final = 0.2


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """One thing in one frame.

    Attributes:
        name: Class.
        track: The same number for the same thing in all frames; ``None`` if it is not followed.
        x: Middle, 0 left to 1 right.
    """

    name: str
    track: int | None
    x: float


@dataclass(frozen=True, kw_only=True)
class Tracker:
    """What follows things from frame to frame.

    Attributes:
        names: Classes that it knows.
        follow: Given the next frame, uint8 (H, W, 3) RGB, returns what is in it.
    """

    names: tuple[str, ...]
    follow: Callable[[NDArray[np.uint8]], Iterable[Sighting]]


def open_tracker(weights: Path) -> Tracker:
    """Open Ultralytics' tracker on weights that the user has; nothing is downloaded.

    Args:
        weights: A detector exported as ONNX. ``.pt`` files are pickles, which run whatever code
            they hold as they are read, so they are refused.

    Raises:
        MediaError: There is no such file, or it is empty, a folder or a device.
        UsageError: It is not ONNX.
        EngineError: Ultralytics is not installed, or cannot read it.
    """
    check_file(weights, kind="ONNX")
    if weights.suffix.lower() != ".onnx":
        raise UsageError(
            f"{weights.name} is not ONNX; {weights.suffix or 'such'} files can run code when read.",
            hint="Export it where you trust it: yolo export model=yolo.pt format=onnx.",
        )
    if importlib.util.find_spec("ultralytics") is None:
        raise EngineError(
            "--check-weights needs ultralytics.",
            hint="Install it with: pip install 'vidigree[track]' (AGPL-3.0, see docs/generate.md).",
        )
    # It would install packages and ask for updates by itself.
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_OFFLINE", "true")
    try:
        from ultralytics import YOLO

        model = YOLO(str(weights), task="detect")
        names: Mapping[int, str] = model.names
    except Exception as error:  # whatever third-party model code raises
        raise EngineError(f"{weights} cannot be used: {type(error).__name__}: {error}") from error
    return Tracker(names=tuple(names.values()), follow=lambda image: _follow(model, names, image))


def _follow(model: Any, names: Mapping[int, str], image: NDArray[np.uint8]) -> list[Sighting]:
    try:
        # It takes pictures as OpenCV does, blue first.
        (result,) = model.track(np.ascontiguousarray(image[..., ::-1]), persist=True, verbose=False)
        boxes = result.boxes
        tracks = [None] * len(boxes.cls) if boxes.id is None else boxes.id.tolist()
        middles = boxes.xywhn[:, 0].tolist()
        rows = zip(boxes.cls.tolist(), tracks, middles, strict=True)
        return [
            Sighting(name=names[int(kind)], track=None if track is None else int(track), x=x)
            for kind, track, x in rows
        ]
    except Exception as error:  # whatever third-party model code raises
        raise EngineError(f"The tracker failed: {type(error).__name__}: {error}") from error


def track_claims(path: Path, prompt: str, tracker: Tracker) -> list[Claim]:
    """Hold a clip against the things that its prompt names and the tracker knows.

    Args:
        path: The clip; its first 240 frames are looked at.
        prompt: What it should show.
        tracker: Follows the things.

    Returns:
        For each thing: whether it is there, how many there are if the prompt says, and where they
        move if it says that. Empty if the prompt names nothing that the tracker knows.

    Raises:
        MediaError: The clip cannot be read.
    """
    named = [(name, phrase) for name in tracker.names if (phrase := _named(name, prompt))]
    if not named:
        return []
    frames: list[list[Sighting]] = []
    with open_video(path) as video:
        for number, image in enumerate(video.images()):
            if number == _MOST_FRAMES:
                break
            frames.append(list(tracker.follow(image)))
    direction = _direction(prompt)
    return [claim for name, phrase in named for claim in _claims(name, phrase, direction, frames)]


def _named(name: str, prompt: str) -> str:
    """Return the words before and of a thing in the prompt, or ``""`` if it is not named."""
    forms = {name, f"{name}s", f"{name}es", *_IRREGULAR.get(name, ())}
    either = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    match = re.search(rf"(?:\b\w+\s+){{0,3}}?\b(?:{either})\b", prompt.lower())
    return match[0] if match else ""


def _count(name: str, phrase: str) -> int | None:
    words = phrase.split()
    for word in reversed(words[: -len(name.split())]):
        if word in _COUNTS:
            return _COUNTS[word]
        if word.isdigit():
            return int(word)
    return None


def _direction(prompt: str) -> str | None:
    """Return the one side that the prompt names; with both or none nothing is claimed."""
    sides = set(re.findall(r"\b(left|right)(?:wards?)?\b(?!\s+(?:side\s+)?of\b)", prompt.lower()))
    return sides.pop() if len(sides) == 1 else None


def _claims(
    name: str, phrase: str, direction: str | None, frames: list[list[Sighting]]
) -> list[Claim]:
    seen = [[each for each in frame if each.name == name] for frame in frames]
    shown = [len(each) for each in seen if each]
    share = len(shown) / max(len(frames), 1)
    claims = [
        Claim(
            about="object",
            expected=name,
            found=f"in {100 * share:.0f} % of the frames",
            holds=share >= _LEAST_SHARE,
        )
    ]
    count = _count(name, phrase)
    if count is not None and shown:
        # Things hide each other in some frames, never the other way round.
        found = round(float(np.percentile(shown, 90)))
        claims.append(
            Claim(
                about="count",
                expected=f"{count} x {name}",
                found=f"{found} seen",
                holds=found == count,
            )
        )
    if direction is not None:
        claims.append(_moved(name, direction, seen))
    return claims


def _moved(name: str, direction: str, seen: list[list[Sighting]]) -> Claim:
    ways: dict[int, list[float]] = defaultdict(list)
    for frame in seen:
        for each in frame:
            if each.track is not None:
                ways[each.track].append(each.x)
    shifts = [way[-1] - way[0] for way in ways.values() if len(way) >= _LEAST_SHARE * len(seen)]
    expected = f"{name} moves {direction}"
    if not shifts:
        return Claim(about="direction", expected=expected, reason="it could not be followed")
    shift = float(np.median(shifts))
    went = side_of(shift, _LEAST_SHIFT, otherwise="nowhere")
    return Claim(
        about="direction",
        expected=expected,
        found=f"went {went}, {100 * abs(shift):.0f} % of the width",
        holds=went == direction,
    )
