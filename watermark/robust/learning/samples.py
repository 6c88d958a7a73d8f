"""Training samples: marked frames after a real codec, and the carrier that is in them.

The embedder is fixed, so that the estimator needs no differentiable codec: it sees what x264
really leaves of the mark. Every sample has its own key and message, so that nothing of a
particular key can be learned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import MediaError
from vidigree.watermark.bench.codecs import coded
from vidigree.watermark.keyring import MarkKey
from vidigree.watermark.robust.carrier import SHORT_SIDE, carrier_of
from vidigree.watermark.robust.embedder import MINIMUM_SIDE, Embedder, EmbedSettings
from vidigree.watermark.robust.frontend import working_luma, working_step
from vidigree.watermark.robust.modulation import symbols_of
from vidigree.watermark.robust.payload import nonce_of
from vidigree.watermark.robust.spectrum import synthesise

__all__ = ["make_samples"]

_FRAMES = 8
_KEPT = 3
_CRF = (18, 42)


def make_samples(clips: list[Path], folder: Path, rounds: int, seed: int) -> Iterator[Path]:
    """Write one file of samples for every clip and round; files already there are kept.

    Args:
        clips: Video files.
        folder: Where to write ``<digest>.npz``: ``luma`` uint8 (n, h, w) at working size,
            ``pattern`` float16 (h, w) of unit variance.
        rounds: Samples of each clip, each with its own key, message, codec strength and start.
        seed: Seed of all of it.

    Yields:
        Every file, as it is written or found.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for turn in range(rounds):
        for clip in clips:
            name = hashlib.sha256(f"{seed} {turn} {clip.name}".encode()).hexdigest()[:16]
            target = folder / f"{name}.npz"
            if not target.exists():
                rng = np.random.default_rng(int(name, 16))
                try:
                    frames = _some_frames(clip, rng)
                except (MediaError, OSError):
                    continue
                if len(frames) < 2 or min(frames[0].shape[:2]) < MINIMUM_SIDE:
                    continue
                luma, pattern = _sample(frames, rng)
                partial = target.with_suffix(".part.npz")
                np.savez(partial, luma=luma, pattern=pattern.astype(np.float16))
                partial.replace(target)
            yield target


def _some_frames(clip: Path, rng: np.random.Generator) -> list[NDArray[np.uint8]]:
    """Return a few neighbouring frames from somewhere in the first seconds of a clip."""
    start = int(rng.integers(0, 12))
    frames: list[NDArray[np.uint8]] = []
    with av.open(str(clip)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index < start:
                continue
            frames.append(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
            if len(frames) == _FRAMES:
                break
    if frames and min(frames[0].shape[:2]) > 900:
        half = (frames[0].shape[1] // 2, frames[0].shape[0] // 2)
        frames = [
            np.asarray(cv2.resize(frame, half, interpolation=cv2.INTER_AREA), np.uint8)
            for frame in frames
        ]
    return frames


def _sample(
    frames: list[NDArray[np.uint8]], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Mark, encode, decode, and return the lumas and the carrier pattern."""
    key = MarkKey(key_id="training", secret=rng.bytes(32))
    message = int.from_bytes(rng.bytes(8), "big")
    settings = EmbedSettings(psnr=float(rng.uniform(43, 46)))
    marked = list(Embedder(message, key, settings).run(frames))
    strength = int(rng.integers(*_CRF))
    decoded = coded(marked, "libx264", strength, Fraction(24), preset="veryfast")
    kept = rng.choice(len(decoded), min(_KEPT, len(decoded)), replace=False)
    lumas = [working_luma(decoded[index], SHORT_SIDE) for index in sorted(kept)]
    carrier = carrier_of(key)
    turns = carrier.waves @ np.array(nonce_of(message, key))
    coefficients = symbols_of(message, carrier) * carrier.amplitudes * carrier.phases
    coefficients = (coefficients * np.exp(-2j * np.pi * turns)).astype(np.complex64)
    size = (lumas[0].shape[0], lumas[0].shape[1])
    source = (decoded[0].shape[0], decoded[0].shape[1])
    pattern = synthesise(coefficients, carrier, size, working_step(source, size))
    stacked = np.clip(np.rint(np.stack(lumas)), 0, 255).astype(np.uint8)
    return stacked, np.asarray(pattern / pattern.std(), np.float32)
