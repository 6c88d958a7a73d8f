"""Trains the codec: single frames first, then short clips."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.training.clips import ClipFolder
from vidigree.generate.training.loop import Budget, Run, follow, train
from vidigree.generate.training.nano.codec import build_codec, decode_clips, encode_clips
from vidigree.generate.training.nano.device import best_device, low_precision
from vidigree.media.progress import Progress, no_progress

__all__ = ["CodecSettings", "frame_loss", "to_model", "train_codec"]

# Weight of pixels that differ from the median of their row: what stands out is a thing.
_THING_WEIGHT: Final = 4.0
_EDGE_WEIGHT: Final = 0.5
# Keeps latents near zero; their variance is not learned, nothing draws from it.
_SIZE_WEIGHT: Final = 1e-4


@dataclass(frozen=True, kw_only=True)
class CodecSettings:
    """How to train the codec.

    Attributes:
        image_share: Share of the steps that see single frames; these come first.
        whole_share: Share of the steps that see a whole clip; these come last.
        rebuilt: Frames of a whole clip that are decoded and compared.
        images: Frames in a step of the first kind.
        crops: Numbers of crops and of their frames (4k + 1) in the steps between, of which one
            pair is drawn.
        learning_rate: Highest learning rate (AdamW).
        seed: Seed of weights and batches.
    """

    image_share: float = 0.6
    whole_share: float = 0.25
    rebuilt: int = 9
    images: int = 8
    crops: tuple[tuple[int, int], ...] = ((2, 5), (2, 5), (1, 9))
    learning_rate: float = 1.5e-3
    seed: int = 1


def train_codec(
    clips: ClipFolder,
    checkpoint: Path,
    *,
    settings: CodecSettings,
    budget: Budget,
    progress: Progress = no_progress,
) -> Run:
    """Train on single frames, crops and whole clips, in this order.

    Args:
        clips: Training clips.
        checkpoint: State to go on from and to write.
        settings: How to train.
        budget: When to stop.
        progress: Told of every step.
    """
    import torch

    torch.manual_seed(settings.seed)
    device = best_device()
    codec = build_codec().to(device).train()
    optimiser = torch.optim.AdamW(codec.parameters(), lr=settings.learning_rate, weight_decay=1e-3)
    run = Run(
        family="nano codec",
        networks={"codec": codec},
        optimisers={"codec": optimiser},
        shipped=("codec",),
        seed=settings.seed,
        rate={"codec": settings.learning_rate},
        decay=0.998,
    )

    def step() -> dict[str, float]:
        rng = np.random.default_rng([settings.seed, run.step])
        batch = to_model(_batch(clips, settings, rng, budget.used(run)), device)
        chosen = None
        if batch.shape[2] == clips.frames.shape[1]:
            chosen = sorted(rng.choice(batch.shape[2], settings.rebuilt, replace=False).tolist())
        with low_precision(device):
            latent, _ = encode_clips(codec, batch)
            rebuilt = decode_clips(codec, latent, chosen)
        target = batch if chosen is None else batch[:, :, chosen]
        loss = frame_loss(rebuilt, target) + _SIZE_WEIGHT * (latent**2).mean()
        follow(loss, optimiser)
        return {"loss": float(loss.detach())}

    return train(run, step, checkpoint, budget, progress)


def to_model(frames: NDArray[np.uint8], device: str) -> Any:
    """Turn uint8 (B, F, H, W, 3) into float (B, 3, F, H, W) in [-1, 1]."""
    import torch

    tensor = torch.from_numpy(frames).to(device).permute(0, 4, 1, 2, 3)
    return tensor.float() / 127.5 - 1


def frame_loss(rebuilt: Any, target: Any) -> Any:
    """Return the loss of rebuilt frames, (B, 3, F, H, W): L1 on pixels and on their differences.

    Pixels weigh up to five times as much where they differ from the median of their row, since
    grounds and skies are alike along a row and things are small.
    """
    row = target.median(dim=-1, keepdim=True).values
    weight = 1 + _THING_WEIGHT * ((target - row).abs().sum(dim=1, keepdim=True) / 0.6).clamp(max=1)
    error = rebuilt - target
    loss = (weight * error.abs()).mean()
    for axis in (-1, -2):
        slope = error.diff(dim=axis).abs()
        loss = loss + _EDGE_WEIGHT * (weight.narrow(axis, 1, slope.shape[axis]) * slope).mean()
    return loss


def _batch(
    clips: ClipFolder, settings: CodecSettings, rng: np.random.Generator, done: float
) -> NDArray[np.uint8]:
    """Return frames uint8 (B, F, H, W, 3) as the part ``done`` of the training asks for."""
    longest = clips.frames.shape[1]
    if done < settings.image_share:
        count, length = settings.images, 1
    elif done < 1 - settings.whole_share:
        count, length = settings.crops[int(rng.integers(len(settings.crops)))]
    else:
        count, length = 1, longest
    chosen = rng.integers(len(clips), size=count)
    starts = rng.integers(longest - length + 1, size=count)
    return np.stack([clips.frames[k, s : s + length] for k, s in zip(chosen, starts, strict=True)])
