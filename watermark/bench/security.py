"""What an attacker gets from marked clips of one issuer, measured.

Averaging many marked clips, pasting or subtracting the mean; copying one clip's mark to another;
marking again with the same and with another key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.media import UsageError, VidigreeError, open_video
from vidigree.watermark.keyring import MarkKey
from vidigree.watermark.method import MarkReading
from vidigree.watermark.robust import RobustMark

__all__ = ["SecurityRow", "measure_security"]

_SIZE = (512, 512)
_FRAMES = 4
_FPS = Fraction(24)
_ISSUER = MarkKey(key_id="issuer", secret=bytes(range(32)))
_OTHER = MarkKey(key_id="other", secret=bytes(range(32, 64)))

Frames = list[NDArray[np.uint8]]


@dataclass(frozen=True, kw_only=True)
class SecurityRow:
    """One attack and what came of it.

    Attributes:
        attack: What was done.
        outcome: What the detector said, in words.
    """

    attack: str
    outcome: str


def measure_security(clips: Sequence[Path], seed: int = 1) -> list[SecurityRow]:
    """Measure; the last two clips are victims, all others are what the attacker averages.

    All clips are cut to 512 x 512 from the middle and marked with one issuer's key, each with a
    message of its own. The attacker is given what no attacker has: the exact residuals.

    Raises:
        UsageError: Fewer than four clips can be read.
    """
    rng = np.random.default_rng(seed)
    loaded = [frames for clip in clips if (frames := _frames(clip))]
    if len(loaded) < 4:
        raise UsageError("At least four readable clips are needed.")
    method = RobustMark()

    def embed(frames: Frames, key: MarkKey = _ISSUER) -> tuple[Frames, int]:
        message = int.from_bytes(rng.bytes(8), "big")
        return list(method.embed(frames, message, key=key, fps=_FPS)), message

    *sources, victim, unmarked = loaded
    residuals = [_residual(frames, embed(frames)[0]) for frames in sources]
    mean = np.mean(residuals, axis=0)
    copied = residuals[0]
    power = float(np.sqrt(np.mean(copied**2)))
    # Brought to the strength of one mark, which no plain average has.
    loud = mean * (power / (float(np.sqrt(np.mean(mean**2))) + 1e-9))
    marked, message = embed(victim)

    def detect(frames: Frames, *keys: MarkKey) -> MarkReading:
        return method.detect(frames, keys=keys or (_ISSUER,), fps=_FPS)

    again, second = embed(marked)
    crossed, _ = embed(marked, _OTHER)
    count = len(sources)
    expected = count**-0.5
    share = float(np.sqrt(np.mean(mean**2))) / power
    return [
        SecurityRow(
            attack=f"mean of {count} residuals",
            outcome=f"{share:.3f} of one residual's amplitude; unrelated ones give {expected:.3f}",
        ),
        SecurityRow(
            attack="mean, brought to full strength, pasted on an unmarked clip",
            outcome=_words(detect(_plus(unmarked, loud)), None),
        ),
        SecurityRow(
            attack="mean, brought to full strength, subtracted from a marked clip",
            outcome=_words(detect(_plus(marked, -loud)), message),
        ),
        SecurityRow(
            attack="one clip's exact residual pasted on an unmarked clip",
            outcome=_words(detect(_plus(unmarked, copied)), None),
        ),
        SecurityRow(
            attack="marked again with the same key", outcome=_words(detect(again), message, second)
        ),
        SecurityRow(
            attack="marked again with another key, looked for with the first",
            outcome=_words(detect(crossed), message),
        ),
        SecurityRow(
            attack="looked for with the wrong key", outcome=_words(detect(marked, _OTHER), message)
        ),
    ]


def _words(reading: MarkReading, first: int | None, second: int | None = None) -> str:
    if not reading.present:
        return "not present"
    if reading.message is None:
        return f"present (p = {reading.p_value:.1g}), no message"
    if reading.message == first:
        return "the clip's own message is read"
    if reading.message == second:
        return "the second message is read"
    return "present, with the message it was copied from" if first is None else "a wrong message"


def _residual(frames: Frames, marked: Frames) -> NDArray[np.float64]:
    return np.asarray(
        np.mean([m.astype(float) - f for f, m in zip(frames, marked, strict=True)], 0)
    )


def _plus(frames: Frames, change: NDArray[np.float64]) -> Frames:
    return [np.clip(np.rint(frame + change), 0, 255).astype(np.uint8) for frame in frames]


def _frames(clip: Path) -> Frames:
    """Return a few frames cut to the same size, or nothing."""
    frames: Frames = []
    try:
        with open_video(clip) as video:
            for image in video.images():
                frames.append(_square(image))
                if len(frames) == _FRAMES:
                    break
    except VidigreeError:
        return []
    return frames if len(frames) == _FRAMES else []


def _square(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    square = image[top : top + side, left : left + side]
    return np.asarray(cv2.resize(square, _SIZE, interpolation=cv2.INTER_AREA), np.uint8)
