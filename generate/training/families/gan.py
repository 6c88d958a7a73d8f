"""Trains the generator in the manner of MoCoGAN against its two discriminators."""

from __future__ import annotations

from dataclasses import dataclass
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
    run = _begun(maps[: clips.training], seed)
    step = _Step(run=run, clips=clips, maps=maps, captions=captions)
    return train(run, step, checkpoint, budget, progress)


def _begun(maps: torch.Tensor, seed: int) -> Run:
    """Return a run before its first step; the components are fitted to the first of the maps."""
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        basis, generator = FrameBasis(), Generator()
        judges = {"frames": Discriminator(1), "clips": Discriminator()}
    basis.fit(maps[:_FITTED].flatten(0, 1))
    judging = [*judges["frames"].parameters(), *judges["clips"].parameters()]
    return Run(
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
        notes={"clips": len(maps)},
    )


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One step of the discriminators and one of the generator, on one batch."""

    run: Run
    clips: TrainingClips
    maps: torch.Tensor
    captions: CaptionEncoder

    def __call__(self) -> dict[str, float]:
        run = self.run
        real, told = self._drawn()
        content = torch.randn(_BATCH, CONTENT, generator=run.random)
        motion = torch.randn(_BATCH, FRAMES, MOTION, generator=run.random)
        made = run.networks["generator"](content, motion, told)
        loss_judges = self._loss_of_judges(real, made.detach(), told)
        run.optimisers["judges"].zero_grad()
        loss_judges.backward()
        run.optimisers["judges"].step()

        frame_scores, clip_scores = self._judged(made, told)
        run.optimisers["generator"].zero_grad()
        (-frame_scores.mean() - clip_scores.mean()).backward()
        run.optimisers["generator"].step()
        return {
            "judges": float(loss_judges.detach()),
            "frames": float(frame_scores.detach().mean()),
            "clips": float(clip_scores.detach().mean()),
        }

    def _drawn(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the components of a batch of real clips, and what their captions say."""
        run = self.run
        which = torch.randint(self.clips.training, (_BATCH,), generator=run.random)
        numbers = self.clips.words(which.numpy(), np.random.default_rng((run.seed, run.step)))
        with torch.no_grad():
            told = self.captions(numbers)
            real = run.networks["basis"].to_components(self.maps[which].float())
        return real, told

    def _loss_of_judges(
        self, real: torch.Tensor, made: torch.Tensor, told: torch.Tensor
    ) -> torch.Tensor:
        loss = torch.zeros(())
        with parametrize.cached():  # one spectral norm for all three
            scores = zip(
                self._judged(real, told),
                self._judged(made, told),
                self._judged(real, told.roll(1, 0)),
                strict=True,
            )
        for true, false, wrong in scores:
            refused = 0.5 * (F.relu(1 + false).mean() + F.relu(1 + wrong).mean())
            loss = loss + F.relu(1 - true).mean() + refused
        return loss

    def _judged(self, components: torch.Tensor, told: torch.Tensor) -> list[torch.Tensor]:
        """Return the scores of one frame, and of every second one, seen through noise."""
        random, judges = self.run.random, self.run.networks
        hazy = components + _HAZE * torch.randn(components.shape, generator=random)
        when = int(torch.randint(FRAMES, (), generator=random))
        frame, every_second = hazy[:, when : when + 1], hazy[:, when % 2 :: 2]
        return [judges["frames"](frame, told), judges["clips"](every_second, told)]
