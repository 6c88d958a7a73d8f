"""Trains the generator in the manner of MoCoGAN against its two discriminators."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812 -- the name that torch's own documentation uses

from vidigree.generate.engines.families.native import FRAMES
from vidigree.generate.engines.families.networks.captions import (
    CaptionEncoder,
    ClipEncoder,
    fold_time,
)
from vidigree.generate.engines.families.networks.codec import CHANNELS
from vidigree.generate.engines.families.networks.gan import (
    CONTENT,
    MOTION,
    Discriminator,
    Generator,
)
from vidigree.generate.training.families.clips import TrainingClips
from vidigree.generate.training.families.loop import Budget, Run, train
from vidigree.media.progress import Progress, no_progress

__all__ = ["train_gan"]

_BATCH: Final = 8
# Frames of a clip that the frame discriminator sees.
_SINGLE: Final = 2
# Weight of how well the clip encoder finds the caption in what was made.
_MATCHING: Final = 1.0
# Standard deviation of the noise that the discriminators see the maps through.
_HAZE: Final = 0.15


def train_gan(
    clips: TrainingClips,
    maps: torch.Tensor,
    encoders: tuple[CaptionEncoder, ClipEncoder],
    checkpoint: Path,
    budget: Budget,
    *,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Run:
    """Train by the hinge loss; arguments as in ``train_vae``.

    Discriminators also learn to refuse real clips under a wrong caption (Reed et al., 2016), see
    everything shifted by up to one place and through a little noise (Zhao et al., 2020), and the
    generator is also asked that the clip encoder finds the caption in its clip (as in AttnGAN, Xu
    et al., 2018).
    """
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = Generator()
        frame_judge, clip_judge = Discriminator(CHANNELS), Discriminator()
    judging = [*frame_judge.parameters(), *clip_judge.parameters()]
    run = Run(
        family="gan",
        networks={"generator": generator, "frames": frame_judge, "clips": clip_judge},
        optimisers={
            "generator": torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.0, 0.99)),
            "judges": torch.optim.Adam(judging, lr=4e-4, betas=(0.0, 0.99)),
        },
        shipped=("generator",),
        random=random,
        seed=seed,
        rate={"generator": 3e-4, "judges": 6e-4},
        falls=False,
        decay=0.998,
        notes={"clips": clips.training},
    )

    def step() -> dict[str, float]:
        which = torch.randint(clips.training, (_BATCH,), generator=random)
        numbers = clips.words(which.numpy(), np.random.default_rng((seed, run.step)))
        real = maps[which].float()
        with torch.no_grad():
            told = encoders[0](numbers)
        content = torch.randn(_BATCH, CONTENT, generator=random)
        motion = torch.randn(_BATCH, FRAMES, MOTION, generator=random)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            made = generator(content, motion, told).float()
        views = _views(torch.cat([real, made.detach()]), random)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            judged = _judge(frame_judge, clip_judge, views, torch.cat([told, told]))
            wrong = _judge(
                frame_judge, clip_judge, [view[:_BATCH] for view in views], told.roll(1, 0)
            )
        loss_judges = sum(
            F.relu(1 - scores[: _count(scores)]).mean()
            + 0.5 * F.relu(1 + scores[_count(scores) :]).mean()
            + 0.5 * F.relu(1 + other).mean()
            for scores, other in zip(judged, wrong, strict=True)
        )
        run.optimisers["judges"].zero_grad()
        loss_judges.backward()
        run.optimisers["judges"].step()

        with torch.autocast("cpu", dtype=torch.bfloat16):
            scores = _judge(frame_judge, clip_judge, _views(made, random), told)
            found = (encoders[1](made).float() * told).sum(1).mean()
        loss = -sum(score.mean() for score in scores) - _MATCHING * found
        run.optimisers["generator"].zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(generator.parameters(), 10.0)
        run.optimisers["generator"].step()
        return {
            "judges": float(loss_judges.detach()),
            "frames": float(scores[0].detach().mean()),
            "clips": float(scores[1].detach().mean()),
            "found": float(found.detach()),
        }

    return train(run, step, checkpoint, budget, progress)


def _count(scores: torch.Tensor) -> int:
    return len(scores) // 2


def _views(maps: torch.Tensor, random: torch.Generator) -> list[torch.Tensor]:
    """Return frames (2 B, 6, 8, 8) and folded clips (B, 144, 8, 8), shifted and hazy.

    All frames of a clip are shifted alike.
    """
    shifts = torch.randint(-1, 2, (len(maps), 2), generator=random).tolist()
    moved = torch.stack(
        [_shifted(clip, down, right) for clip, (down, right) in zip(maps, shifts, strict=True)]
    )
    moved = moved + _HAZE * torch.randn(moved.shape, generator=random)
    times = torch.randint(maps.shape[1], (_SINGLE,), generator=random)
    return [moved[:, times].flatten(0, 1), fold_time(moved)]


def _shifted(clip: torch.Tensor, down: int, right: int) -> torch.Tensor:
    """Return a clip (F, C, H, W) shifted, its edges repeated."""
    height, width = clip.shape[-2:]
    padded = F.pad(clip, (1, 1, 1, 1), mode="replicate")
    return padded[..., 1 - down : 1 - down + height, 1 - right : 1 - right + width]


def _judge(
    frame_judge: Discriminator,
    clip_judge: Discriminator,
    views: list[torch.Tensor],
    told: torch.Tensor,
) -> list[torch.Tensor]:
    frames, folded = views
    each = told.repeat_interleave(len(frames) // len(told), dim=0)
    return [frame_judge(frames, each).float(), clip_judge(folded, told).float()]
