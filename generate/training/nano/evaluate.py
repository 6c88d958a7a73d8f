"""Measures the embedded model on captions of held-out combinations."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.nano.drawing import draw
from vidigree.generate.engines.nano.engine import (
    NATIVE_FRAMES,
    NATIVE_SIDE,
    TEXT_LENGTH,
)
from vidigree.generate.engines.nano.options import NanoOptions
from vidigree.generate.engines.nano.weights import load_nano
from vidigree.generate.training.clips import CaptionedClip, ClipFolder
from vidigree.generate.training.nano.codec import decode_clips, encode_clips
from vidigree.generate.training.nano.codec_training import to_model
from vidigree.generate.training.nano.distance import frechet_distance
from vidigree.generate.training.nano.reader import QUESTIONS, Reader, answers_of
from vidigree.media.progress import Progress, no_progress
from vidigree.watermark.clip import Task

__all__ = ["Evaluation", "evaluate", "psnr"]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What was measured.

    Attributes:
        clips: Held-out captions for which a clip was generated.
        pictured: Of those, how many were also generated from a first picture.
        steps: Denoising steps.
        guidance: Classifier-free guidance scale.
        text: Share of clips generated from text of which the reader gives the right answer.
        image: The same, generated from text and the first frame of a drawn clip.
        coded: The same for the drawn clips after the codec, which is all that the model can reach.
        ceiling: The same for the drawn clips themselves.
        chance: The same if the answer were the commonest one.
        distance: Frechet distance of generated clips from the drawn ones of the same captions.
        floor: Frechet distance between two sets of drawn clips of that size, of other captions.
        flicker: Mean absolute change between frames of pixels that do not move in the drawn clip,
            levels of 255: generated from text, and drawn.
        codec_psnr: PSNR in dB of drawn clips after the codec.
        first_frame_psnr: PSNR in dB of the first frame of image-to-video against its picture.
        seconds: CPU seconds for one clip from text by itself, 64 x 64.
    """

    clips: int
    pictured: int
    steps: int
    guidance: float
    text: dict[str, float]
    image: dict[str, float]
    coded: dict[str, float]
    ceiling: dict[str, float]
    chance: dict[str, float]
    distance: float
    floor: float
    flicker: tuple[float, float]
    codec_psnr: float
    first_frame_psnr: float
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the measurements as JSON values."""
        return asdict(self)


def evaluate(
    held_out: ClipFolder,
    trained: ClipFolder,
    reader: Reader,
    *,
    count: int = 160,
    pictured: int = 48,
    folder: Path | None = None,
    progress: Progress = no_progress,
) -> tuple[Evaluation, NDArray[np.uint8]]:
    """Generate clips for held-out captions, and read them.

    Args:
        held_out: Drawn clips of held-out combinations.
        trained: Drawn clips of the training set, for the floor of the distance.
        reader: The trained reader.
        count: Clips to generate from text.
        pictured: Clips to generate from text and a picture.
        folder: Model folder; ``None`` takes the shipped one.
        progress: Told of every batch.

    Returns:
        The measurements, and the clips from text, uint8 (count, F, 64, 64, 3).
    """
    options = NanoOptions()
    pipe = load_nano(folder=folder)
    clips, drawn = held_out.clips[:count], np.asarray(held_out.frames[:count])
    began = time.process_time()
    _run(pipe, clips[0].caption, options, seed=0)
    seconds = time.process_time() - began
    made = _generate(pipe, clips, options, progress=progress)
    continued = _generate(pipe, clips[:pictured], options, pictures=drawn[:, 0], progress=progress)
    coded = _through_codec(pipe.vae, drawn)
    other = np.asarray(trained.frames[:count])
    answers, features = reader.read(made)
    answers_image, _ = reader.read(continued)
    answers_coded, _ = reader.read(coded)
    answers_drawn, features_drawn = reader.read(drawn)
    _, features_other = reader.read(other)
    scale = features_other.std(axis=0) + 1e-6
    right = [answers_of(clip) for clip in clips]
    still = np.abs(np.diff(drawn.astype(np.int16), axis=1)).max(axis=(1, 4)) < 3
    return Evaluation(
        clips=len(clips),
        pictured=pictured,
        steps=options.steps,
        guidance=options.guidance,
        text=_accuracy(answers, right),
        image=_accuracy(answers_image, right[:pictured]),
        coded=_accuracy(answers_coded, right),
        ceiling=_accuracy(answers_drawn, right),
        chance=_chance(right),
        distance=frechet_distance(features / scale, features_drawn / scale),
        floor=frechet_distance(features_other / scale, features_drawn / scale),
        flicker=(_flicker(made, still), _flicker(drawn, still)),
        codec_psnr=psnr(coded, drawn),
        first_frame_psnr=psnr(continued[:, 0], drawn[:pictured, 0]),
        seconds=seconds,
    ), made


def psnr(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Return the mean over clips or pictures (N, ...) of the PSNR in dB."""
    error = (first.astype(np.float64) - second) ** 2
    each = error.reshape(len(error), -1).mean(axis=1)
    return float(np.mean(10 * np.log10(255**2 / np.maximum(each, 1e-9))))


def _generate(
    pipe: Any,
    clips: list[CaptionedClip],
    options: NanoOptions,
    *,
    pictures: NDArray[np.uint8] | None = None,
    progress: Progress,
) -> NDArray[np.uint8]:
    from PIL import Image

    parts: list[NDArray[np.uint8]] = []
    for number, clip in enumerate(clips):
        extra = {} if pictures is None else {"image": Image.fromarray(pictures[number])}
        parts.append(_run(pipe, clip.caption, options, seed=number, **extra))
        progress("generating", number + 1, len(clips))
    return np.stack(parts)


def _run(
    pipe: Any, caption: str, options: NanoOptions, *, seed: int, **extra: Any
) -> NDArray[np.uint8]:
    """Return the clip for a caption as the engine draws it, uint8 (F, 64, 64, 3)."""
    import torch

    arguments = {
        "prompt": caption,
        "height": NATIVE_SIDE,
        "width": NATIVE_SIDE,
        "num_frames": NATIVE_FRAMES,
        "num_inference_steps": options.steps,
        "guidance_scale": options.guidance,
        "generator": torch.Generator("cpu").manual_seed(seed),
        "max_sequence_length": TEXT_LENGTH,
    }
    task: Task = "image-to-video" if "image" in extra else "text-to-video"
    frames = draw(pipe, task, {**arguments, **extra})[0][0].permute(0, 2, 3, 1).numpy()
    rounded: NDArray[np.uint8] = np.round(255 * np.clip(frames, 0, 1)).astype(np.uint8)
    return rounded


def _accuracy(read: list[dict[str, str]], right: list[dict[str, str]]) -> dict[str, float]:
    shares = {
        question: float(
            np.mean([a[question] == b[question] for a, b in zip(read, right, strict=True)])
        )
        for question in QUESTIONS
    }
    moving = [k for k, row in enumerate(right) if row["motion"] in ("travel left", "travel right")]
    shares["left or right"] = float(
        np.mean([read[k]["motion"] == right[k]["motion"] for k in moving])
    )
    return shares


def _chance(right: list[dict[str, str]]) -> dict[str, float]:
    commonest = {}
    for question in QUESTIONS:
        _, counts = np.unique([row[question] for row in right], return_counts=True)
        commonest[question] = float(counts.max() / counts.sum())
    ways = [r["motion"] for r in right if r["motion"] in ("travel left", "travel right")]
    _, counts = np.unique(ways, return_counts=True)
    return {**commonest, "left or right": float(counts.max() / counts.sum())}


def _flicker(clips: NDArray[np.uint8], still: NDArray[np.bool_]) -> float:
    change = np.abs(np.diff(clips.astype(np.int16), axis=1)).mean(axis=(1, 4))
    return float(change[still].mean())


def _through_codec(codec: Any, clips: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return clips as they come out of the codec."""
    import torch

    rebuilt = []
    for clip in clips:
        with torch.inference_mode():
            latent, _ = encode_clips(codec, to_model(clip[None], "cpu"))
            frames = decode_clips(codec, latent)[0].clamp(-1, 1)
        rebuilt.append(((frames.permute(1, 2, 3, 0) + 1) * 127.5).round().byte().numpy())
    return np.stack(rebuilt)
