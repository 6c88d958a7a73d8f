"""What an attacker gets from marked clips of one issuer, measured.

Averaging many marked clips, as they are and aligned with each other, pasting or subtracting the
mean; copying one clip's mark to another; marking again with the same and with another key;
denoising, blurring, and a round trip through a generator's own codec.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from vidigree.media import UsageError, VidigreeError, open_video
from vidigree.watermark.bench import distortions as d
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


def measure_security(
    clips: Sequence[Path], seed: int = 1, codec: Path | None = None
) -> list[SecurityRow]:
    """Measure; the last two clips are victims, all others are what the attacker averages.

    All clips are cut to 512 x 512 from the middle and marked with one issuer's key, each with a
    message of its own. The attacker is given what no attacker has: the exact residuals.

    Args:
        clips: Unmarked video files.
        seed: Seed of the messages.
        codec: Folder of a diffusers autoencoder to send a marked clip through.

    Raises:
        UsageError: Fewer than four clips can be read, or the codec cannot be loaded.
    """
    loaded = [frames for clip in clips if (frames := _frames(clip))]
    if len(loaded) < 4:
        raise UsageError("At least four readable clips are needed.")
    *sources, victim, unmarked = loaded
    bench = _Bench(seed)
    residuals = [_residual(frames, bench.embed(frames)[0]) for frames in sources]
    marked, message = bench.embed(victim)
    rows = [
        *_averaged(bench, residuals, unmarked, (victim, marked, message)),
        *_marked_again(bench, marked, message),
        *_filtered(bench, marked, message),
    ]
    if codec is not None:
        from vidigree.watermark.bench.autoencoder import round_trip

        rows.append(
            SecurityRow(
                attack="round trip through a generator's codec",
                outcome=_words(bench.detect(round_trip(marked, codec)), message),
            )
        )
    return rows


class _Bench:
    """The issuer and the detector, with the messages of one seed."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._method = RobustMark()

    def embed(self, frames: Frames, key: MarkKey = _ISSUER) -> tuple[Frames, int]:
        """Return marked frames, and their message, which is the seed's next."""
        message = int.from_bytes(self._rng.bytes(8), "big")
        return list(self._method.embed(frames, message, key=key, fps=_FPS)), message

    def detect(self, frames: Frames, key: MarkKey = _ISSUER) -> MarkReading:
        return self._method.detect(frames, keys=(key,), fps=_FPS)


def _averaged(
    bench: _Bench,
    residuals: Sequence[NDArray[np.float64]],
    unmarked: Frames,
    target: tuple[Frames, Frames, int],
) -> list[SecurityRow]:
    """Paste and subtract means of residuals, and one as it is.

    Args:
        bench: Who marks and detects.
        residuals: What the attacker averages.
        unmarked: Frames to paste on.
        target: Frames before and after marking to subtract from, and their message.
    """
    victim, marked, message = target
    mean = np.mean(residuals, axis=0)
    copied = residuals[0]
    power = float(np.sqrt(np.mean(copied**2)))
    # Brought to the strength of one mark, which no plain average has.
    loud = _at(mean, power)
    aligned = _at(np.mean([_turned_to(copied, one) for one in residuals], axis=0), power)
    # Aligned with the victim's own exact residual, too.
    fitting = _turned_to(_residual(victim, marked), aligned)
    share = float(np.sqrt(np.mean(mean**2))) / power
    expected = len(residuals) ** -0.5
    return [
        SecurityRow(
            attack=f"mean of {len(residuals)} residuals",
            outcome=f"{share:.3f} of one residual's amplitude; unrelated ones give {expected:.3f}",
        ),
        SecurityRow(
            attack="mean, brought to full strength, pasted on an unmarked clip",
            outcome=_words(bench.detect(_plus(unmarked, loud)), None),
        ),
        SecurityRow(
            attack="mean, brought to full strength, subtracted from a marked clip",
            outcome=_words(bench.detect(_plus(marked, -loud)), message),
        ),
        SecurityRow(
            attack="mean of residuals aligned with each other, pasted on an unmarked clip",
            outcome=_words(bench.detect(_plus(unmarked, aligned)), None),
        ),
        SecurityRow(
            attack="mean of aligned residuals, aligned with a marked clip's and subtracted",
            outcome=_words(bench.detect(_plus(marked, -fitting)), message),
        ),
        SecurityRow(
            attack="one clip's exact residual pasted on an unmarked clip",
            outcome=_words(bench.detect(_plus(unmarked, copied)), None),
        ),
    ]


def _marked_again(bench: _Bench, marked: Frames, message: int) -> list[SecurityRow]:
    """Mark marked frames again, and look for marks with keys that are not theirs."""
    again, second = bench.embed(marked)
    crossed, _ = bench.embed(marked, _OTHER)
    return [
        SecurityRow(
            attack="marked again with the same key",
            outcome=_words(bench.detect(again), message, second),
        ),
        SecurityRow(
            attack="marked again with another key, looked for with the first",
            outcome=_words(bench.detect(crossed), message),
        ),
        SecurityRow(
            attack="looked for with the wrong key",
            outcome=_words(bench.detect(marked, _OTHER), message),
        ),
    ]


def _filtered(bench: _Bench, marked: Frames, message: int) -> list[SecurityRow]:
    """Smooth marked frames, which needs to know nothing of the mark."""
    attacks = (
        ("bilateral filter", d.denoised(marked)),
        ("non-local means, strength 6", [_denoised(frame) for frame in marked]),
        ("Gaussian blur k17", d.blurred(marked, 17)),
    )
    return [
        SecurityRow(attack=attack, outcome=_words(bench.detect(frames), message))
        for attack, frames in attacks
    ]


def _at(pattern: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    """Return a pattern at a root mean square."""
    return np.asarray(pattern * (power / (float(np.sqrt(np.mean(pattern**2))) + 1e-9)))


def _turned_to(
    reference: NDArray[np.float64], residual: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a residual moved round to where it correlates best with another."""
    first, second = (scipy.fft.rfft2(one.mean(axis=2)) for one in (reference, residual))
    surface = scipy.fft.irfft2(first * np.conj(second), s=residual.shape[:2])
    y, x = np.unravel_index(int(np.argmax(surface)), surface.shape)
    return np.roll(residual, (int(y), int(x)), axis=(0, 1))


def _denoised(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.fastNlMeansDenoisingColored(frame, None, 6, 6, 5, 15), np.uint8)


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
