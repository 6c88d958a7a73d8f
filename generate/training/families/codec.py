"""Trains the frame codec that the families share."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import torch

from vidigree.generate.engines.families.networks.codec import FrameCodec, edges
from vidigree.generate.engines.families.networks.frames import to_unit
from vidigree.generate.training.families.clips import TrainingClips
from vidigree.generate.training.loop import Budget, Run, follow, train
from vidigree.media.progress import Progress, no_progress

__all__ = ["train_codec"]

_BATCH: Final = 16
_EDGES: Final = 0.5
# What moves covers little of the picture and is what people look at.
_MOVING: Final = 3.0


def train_codec(
    clips: TrainingClips,
    checkpoint: Path,
    budget: Budget,
    *,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Run:
    """Train on single frames: L1 of the pixels and of their differences (sharp edges).

    Pixels that differ from the mean of their clip count up to four times. Half of the frames go
    through the rounding and half do not, so that the decoder serves the engines that draw maps of
    real numbers as well as the one that draws codes.
    """
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        codec = FrameCodec()
    optimiser = torch.optim.AdamW(codec.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=1e-4)
    run = Run(
        family="codec",
        networks={"codec": codec},
        optimisers={"codec": optimiser},
        shipped=("codec",),
        random=random,
        seed=seed,
        rate={"codec": 2e-3},
        notes={"fps": clips.fps},
    )

    def step() -> dict[str, float]:
        which = torch.randint(clips.training, (_BATCH,), generator=random).numpy()
        when = torch.randint(clips.frames.shape[1], (_BATCH,), generator=random).numpy()
        frames = to_unit(clips.frames[which, when])
        still = to_unit(clips.frames[which].mean(axis=1, dtype=np.float32))
        weights = 1 + _MOVING * (4 * (frames - still).abs().amax(1, keepdim=True)).clamp(max=1)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            maps = codec.encode(frames)
            rounded = codec.quantise(maps)
            again = codec.decode(torch.cat([rounded[::2], maps[1::2]]))
        wanted = torch.cat([frames[::2], frames[1::2]])
        weights = torch.cat([weights[::2], weights[1::2]])
        again = again.float()
        pixels = ((again - wanted).abs() * weights).mean()
        sharp = ((edges(again) - edges(wanted)).abs() * weights).mean()
        follow(pixels + _EDGES * sharp, optimiser)
        return {"pixels": float(pixels.detach()), "edges": float(sharp.detach())}

    return train(run, step, checkpoint, budget, progress)
