"""Trains the autoencoder of clips together with the caption's prior over its codes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from vidigree.generate.engines.families.networks.captions import CaptionEncoder, ClipEncoder
from vidigree.generate.engines.families.networks.vae import CODE, CaptionFlow, ClipAutoencoder
from vidigree.generate.training.families.clips import TrainingClips
from vidigree.generate.training.loop import Budget, Run, train
from vidigree.media.progress import Progress, no_progress

__all__ = ["train_vae"]

_BATCH: Final = 16
# Ten times this, and the codes keep where things are but not of which colour.
_DIVERGENCE: Final = 3e-5
# The first frame counts this much more; it is what a viewer sees longest.
_FIRST_FRAME: Final = 2.0
_MOVING: Final = 3.0
# Things are what differs from the rest of its row; grounds and skies are alike along a row.
_THINGS: Final = 3.0


def train_vae(
    clips: TrainingClips,
    maps: torch.Tensor,
    encoders: tuple[CaptionEncoder, ClipEncoder],
    checkpoint: Path,
    budget: Budget,
    *,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Run:
    """Train on whole clips.

    The autoencoder learns by L1 in the space of the frame codec plus a small Kullback-Leibler
    divergence from the normal distribution; the flow learns by likelihood, half of the time from
    the caption and half from what the clip encoder sees, so that clips without a caption can be
    edited too.

    Args:
        clips: Clips and their facts.
        maps: Of the same clips.
        encoders: Of captions and of clips, trained.
        checkpoint: State to go on from and to write.
        budget: When to stop.
        seed: Of everything.
        progress: Told of the share of the budget.
    """
    run = _begun(clips.training, seed)
    step = _Step(run=run, clips=clips, maps=maps, encoders=encoders)
    return train(run, step, checkpoint, budget, progress)


def _begun(clips: int, seed: int) -> Run:
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        autoencoder, flow = ClipAutoencoder(), CaptionFlow()
    return Run(
        family="vae",
        networks={"autoencoder": autoencoder, "flow": flow},
        optimisers={
            "autoencoder": torch.optim.AdamW(autoencoder.parameters(), lr=1e-3, weight_decay=1e-3),
            "flow": torch.optim.AdamW(flow.parameters(), lr=1e-3, weight_decay=1e-2),
        },
        shipped=("autoencoder", "flow"),
        random=random,
        seed=seed,
        rate={"autoencoder": 1.5e-3, "flow": 1e-3},
        notes={"clips": clips},
    )


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One step of the autoencoder and of the flow together, on one batch."""

    run: Run
    clips: TrainingClips
    maps: torch.Tensor
    encoders: tuple[CaptionEncoder, ClipEncoder]

    def __call__(self) -> dict[str, float]:
        random, networks = self.run.random, self.run.networks
        which = torch.randint(self.clips.training, (_BATCH,), generator=random)
        seen = self.maps[which].float()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            mean, spread = networks["autoencoder"].encode(seen)
        mean, spread = mean.float(), spread.float()
        codes = mean + spread.exp() * torch.randn(mean.shape, generator=random)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            again = networks["autoencoder"].decode(codes).float()
        away = ((again - seen).abs() * _weights(seen)).mean()
        divergence = 0.5 * (mean**2 + (2 * spread).exp() - 2 * spread - 1).sum(1).mean()
        likelihood = _likelihood(networks["flow"], codes.detach(), self._described(which, seen))
        self._follow(away + _DIVERGENCE * divergence + likelihood)
        return {
            "away": float(away.detach()),
            "divergence": float(divergence.detach()),
            "flow": float(likelihood.detach()),
        }

    def _described(self, which: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """Return what is said of clips, half of the time by caption and half by sight."""
        run, (captions, sight) = self.run, self.encoders
        numbers = self.clips.words(which.numpy(), np.random.default_rng((run.seed, run.step)))
        by_caption = torch.rand(len(which), 1, generator=run.random) < 0.5
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            by_sight = sight(seen).float()
        return torch.where(by_caption, captions(numbers), by_sight)

    def _follow(self, loss: torch.Tensor) -> None:
        networks, optimisers = self.run.networks, self.run.optimisers.values()
        for optimiser in optimisers:
            optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(networks["autoencoder"].parameters(), 1.0)
        torch.nn.utils.clip_grad_norm_(networks["flow"].parameters(), 5.0)
        for optimiser in optimisers:
            optimiser.step()


def _weights(seen: torch.Tensor) -> torch.Tensor:
    """Return what counts more: what moves, things, the first frame."""
    moving = (seen - seen.mean(1, keepdim=True)).abs().mean(2, keepdim=True)
    things = (seen - seen.median(-1, keepdim=True).values).abs().mean(2, keepdim=True)
    in_time = torch.ones(seen.shape[1])
    in_time[0] = _FIRST_FRAME
    return (1 + _MOVING * moving + _THINGS * things) * in_time[:, None, None, None]


def _likelihood(flow: CaptionFlow, codes: torch.Tensor, described: torch.Tensor) -> torch.Tensor:
    """Return the negative log-likelihood of the codes in nats per number."""
    noise, volume = flow.to_noise(codes, described)
    nats = 0.5 * (noise**2).sum(1) - volume + 0.5 * CODE * math.log(2 * math.pi)
    return nats.mean() / CODE
