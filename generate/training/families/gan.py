"""Trains the generator in the manner of MoCoGAN against its two discriminators."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812 -- the name that torch's own documentation uses
from torch.nn.utils import parametrize

from vidigree.generate.engines.families.native import FRAMES
from vidigree.generate.engines.families.networks.captions import CaptionEncoder
from vidigree.generate.engines.families.networks.gan import (
    CONTENT,
    MOTION,
    Discriminator,
    FrameBasis,
    Generator,
)
from vidigree.generate.training.families.clips import TrainingClips
from vidigree.generate.training.loop import Budget, Run, train
from vidigree.media.progress import Progress, no_progress

__all__ = ["train_gan"]

_BATCH: Final = 16
# Standard deviation of the noise that the discriminators see the frames through.
_HAZE: Final = 0.1
# Clips that the components are fitted to.
_FITTED: Final = 512


def train_gan(
    clips: TrainingClips,
    maps: torch.Tensor,
    captions: CaptionEncoder,
    checkpoint: Path,
    budget: Budget,
    *,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Run:
    """Train by the hinge loss.

    The discriminators also learn to refuse real clips under a wrong caption (Reed et al., 2016),
    and see everything through a little noise (Arjovsky & Bottou, 2017).

    Args:
        clips: Clips and their facts.
        maps: Of the same clips.
        captions: Caption encoder, trained.
        checkpoint: State to go on from and to write.
        budget: When to stop.
        seed: Of everything.
        progress: Told of the share of the budget.
    """
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        basis, generator = FrameBasis(), Generator()
        judges = {"frames": Discriminator(1), "clips": Discriminator()}
    basis.fit(maps[: min(_FITTED, clips.training)].flatten(0, 1))
    judging = [*judges["frames"].parameters(), *judges["clips"].parameters()]
    run = Run(
        family="gan",
        networks={"generator": generator, "basis": basis, **judges},
        optimisers={
            "generator": torch.optim.Adam(generator.parameters(), betas=(0.0, 0.99)),
            "judges": torch.optim.Adam(judging, betas=(0.0, 0.99)),
        },
        shipped=("generator", "basis"),
        random=random,
        seed=seed,
        rate={"generator": 3e-4, "judges": 6e-4},
        falls=False,
        notes={"clips": clips.training},
    )

    def judged(components: torch.Tensor, told: torch.Tensor) -> list[torch.Tensor]:
        hazy = components + _HAZE * torch.randn(components.shape, generator=random)
        when = int(torch.randint(FRAMES, (), generator=random))
        frame, every_second = hazy[:, when : when + 1], hazy[:, when % 2 :: 2]
        return [judges["frames"](frame, told), judges["clips"](every_second, told)]

    def step() -> dict[str, float]:
        which = torch.randint(clips.training, (_BATCH,), generator=random)
        numbers = clips.words(which.numpy(), np.random.default_rng((seed, run.step)))
        with torch.no_grad():
            told = captions(numbers)
            real = basis.to_components(maps[which].float())
        content = torch.randn(_BATCH, CONTENT, generator=random)
        motion = torch.randn(_BATCH, FRAMES, MOTION, generator=random)
        made = generator(content, motion, told)
        loss_judges = torch.zeros(())
        with parametrize.cached():  # one spectral norm for all three
            scores = zip(
                judged(real, told),
                judged(made.detach(), told),
                judged(real, told.roll(1, 0)),
                strict=True,
            )
        for true, false, wrong in scores:
            refused = 0.5 * (F.relu(1 + false).mean() + F.relu(1 + wrong).mean())
            loss_judges = loss_judges + F.relu(1 - true).mean() + refused
        run.optimisers["judges"].zero_grad()
        loss_judges.backward()
        run.optimisers["judges"].step()

        frame_scores, clip_scores = judged(made, told)
        run.optimisers["generator"].zero_grad()
        (-frame_scores.mean() - clip_scores.mean()).backward()
        run.optimisers["generator"].step()
        return {
            "judges": float(loss_judges.detach()),
            "frames": float(frame_scores.detach().mean()),
            "clips": float(clip_scores.detach().mean()),
        }

    return train(run, step, checkpoint, budget, progress)
