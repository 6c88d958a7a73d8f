"""Training samples: what a detector keeps of marked clips after a real codec, and the carrier.

The embedder is fixed, so that the estimator needs no differentiable codec: it sees what encoders
really leave of the mark. Every marked clip has its own key and message, so that nothing of a
particular key can be learned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import VidigreeError
from vidigree.media.frame import Frame
from vidigree.media.output import output_error, output_file
from vidigree.media.reading import open_video
from vidigree.watermark.bench.codecs import coded
from vidigree.watermark.bench.distortions import resized
from vidigree.watermark.keyring import MarkKey
from vidigree.watermark.robust.carrier import SHORT_SIDE, TILE, carrier_of
from vidigree.watermark.robust.embedder import MINIMUM_SIDE, Embedder, EmbedSettings
from vidigree.watermark.robust.modulation import symbols_of
from vidigree.watermark.robust.payload import nonce_of
from vidigree.watermark.robust.spectrum import synthesise
from vidigree.watermark.robust.stretches import Stretch, StretchReader

__all__ = ["EVERYTHING", "STRONG", "Mix", "make_samples"]

_FPS = Fraction(24)
_FRAMES = (12, 41)
_LATEST_START = 16
_DRAWS = 3
_KEPT = 2
_PRESETS = ("veryfast", "fast", "medium")
_CROPPED = 0.3
_CROPS = (0.55, 1.0)

Frames = list[NDArray[np.uint8]]


@dataclass(frozen=True, kw_only=True)
class Mix:
    """What marked clips go through.

    Attributes:
        codecs: Share, encoder (``half``: x264 at half size) and span of strengths of each.
        stronger: Span of how many dB more than usual the mark is given.
        largest: Short side to which larger pictures are reduced, in pixels.
    """

    codecs: tuple[tuple[float, str, tuple[int, int]], ...]
    stronger: tuple[float, float]
    largest: int


EVERYTHING = Mix(
    codecs=(
        (0.6, "libx264", (28, 51)),
        (0.25, "libx265", (28, 46)),
        (0.05, "libvpx-vp9", (30, 55)),
        (0.1, "half", (22, 34)),
    ),
    stronger=(-0.7, 1.3),
    largest=720,
)
"""All that the linear front end fails on."""

STRONG = Mix(
    codecs=((0.8, "libx264", (42, 52)), (0.2, "libx265", (40, 51))),
    stronger=(-0.7, 0.7),
    largest=1080,
)
"""Compression so strong that hardly a message is read."""


def make_samples(
    clips: list[Path], folder: Path, rounds: int, seed: int, mix: Mix = EVERYTHING
) -> Iterator[Path]:
    """Write samples for every clip and round; those already there are kept.

    Args:
        clips: Video files.
        folder: Where to write ``<digest of the clip>-<seed>-<round>-<draw>.npz``: ``luma`` int16
            (n, h, w), 64 levels for each grey level, as the detector keeps them, means of half a
            second and openings of scenes; ``pattern`` float16 (h, w), the carrier, of unit
            variance.
        rounds: Times that each clip is marked, each with its own key, message, strength and start.
        seed: Seed of all of it; of each mix in one folder another.
        mix: What the clips go through.

    Yields:
        The name that a clip's samples begin with, as they are written, found, or passed over: a
        clip that is damaged or too small gives none.

    Raises:
        OutputError: The folder cannot be made, or a sample not be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    digests = {clip: _digest(clip) for clip in clips}
    for turn in range(rounds):
        for clip in clips:
            # By what is in the file: training holds clips out, whatever they are called.
            name = f"{digests[clip]}-{seed}-{turn}"
            targets = [folder / f"{name}-{draw}.npz" for draw in range(_DRAWS)]
            if not all(target.exists() for target in targets):
                rng = np.random.default_rng([seed, turn, int(digests[clip], 16)])
                frames = _some_frames(clip, mix.largest, rng)
                if frames:
                    _write(frames, mix, rng, targets)
            yield folder / name


def _digest(clip: Path) -> str:
    with clip.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _some_frames(clip: Path, largest: int, rng: np.random.Generator) -> Frames:
    """Return a run of frames from the first seconds of a clip; none of one that cannot be used."""
    start, count = int(rng.integers(0, _LATEST_START)), int(rng.integers(*_FRAMES))
    frames: Frames = []
    try:
        with open_video(clip) as video:
            for index, image in enumerate(video.images()):
                # Short clips are taken from their beginning.
                if index == start:
                    frames = frames[-4:]
                frames.append(image)
                if index >= start + count:
                    break
    except VidigreeError:
        return []
    if not frames or min(frames[0].shape[:2]) < MINIMUM_SIDE:
        return []
    scale = largest / min(frames[0].shape[:2])
    return resized(frames, scale, scale) if scale < 1 else frames


def _write(frames: Frames, mix: Mix, rng: np.random.Generator, targets: list[Path]) -> None:
    """Mark a run of frames, send it through several codecs, and write what is kept of each."""
    key = MarkKey(key_id="training", secret=rng.bytes(32))
    message = int.from_bytes(rng.bytes(8), "big")
    settings = EmbedSettings()
    settings = replace(settings, psnr=settings.psnr - float(rng.uniform(*mix.stronger)))
    marked = list(Embedder(message, key, settings).run(frames))
    carrier = carrier_of(key)
    turns = carrier.waves @ np.array(nonce_of(message, key))
    plain = symbols_of(message, carrier) * carrier.amplitudes * carrier.phases
    plain = plain * np.exp(-2j * np.pi * turns)
    for target in targets:
        seen, (left, top) = _cropped(_coded(marked, mix, rng), rng)
        unit = SHORT_SIDE / min(marked[0].shape[:2])
        offset = carrier.waves @ np.array([left, top]) * (unit / TILE)
        lumas = _kept(seen, rng)
        step = unit * seen[0].shape[1] / lumas.shape[2], unit * seen[0].shape[0] / lumas.shape[1]
        moved = (plain * np.exp(2j * np.pi * offset)).astype(np.complex64)
        pattern = synthesise(moved, carrier, (lumas.shape[1], lumas.shape[2]), step)
        kept = (pattern / pattern.std()).astype(np.float16)
        with output_file(target, overwrite=True) as temporary:
            np.savez(temporary, luma=lumas, pattern=kept)


def _coded(marked: Frames, mix: Mix, rng: np.random.Generator) -> Frames:
    """Return the frames after one codec at one strength."""
    shares = np.array([share for share, _, _ in mix.codecs])
    _, encoder, strengths = mix.codecs[int(rng.choice(len(mix.codecs), p=shares))]
    strength, preset = int(rng.integers(*strengths)), str(rng.choice(_PRESETS))
    if encoder == "half":
        height, width = marked[0].shape[:2]
        small = coded(resized(marked, 0.5, 0.5), "libx264", strength, _FPS, preset)
        return resized(small, width / small[0].shape[1], height / small[0].shape[0])
    return coded(marked, encoder, strength, _FPS, preset if encoder == "libx264" else None)


def _cropped(frames: Frames, rng: np.random.Generator) -> tuple[Frames, tuple[int, int]]:
    """Crop some runs of frames at a random place."""
    height, width = frames[0].shape[:2]
    ratio = float(rng.uniform(*_CROPS)) if rng.random() < _CROPPED else 1.0
    rows, columns = max(64, round(height * ratio)), max(64, round(width * ratio))
    top, left = int(rng.integers(height - rows + 1)), int(rng.integers(width - columns + 1))
    return [f[top : top + rows, left : left + columns] for f in frames], (left, top)


def _kept(frames: Frames, rng: np.random.Generator) -> NDArray[np.int16]:
    """Return lumas that the detector would keep: up to two openings and two means."""
    reader = StretchReader(_FPS)
    fed = [reader.feed(Frame(image=image, time=Fraction(0))) for image in frames]
    stretches: list[Stretch] = [one for one in (*fed, reader.finish()) if one is not None]
    openings = [opening for stretch in stretches for opening in stretch.openings]
    means = [mean for stretch in stretches for mean in stretch.means]
    chosen = sorted(rng.choice(len(means), min(_KEPT, len(means)), replace=False))
    return np.stack([*openings[:_KEPT], *(means[index] for index in chosen)])
