"""Trains the autoencoder of clips together with the caption's prior over its codes."""

from __future__ import annotations

import math
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
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        autoencoder, flow = ClipAutoencoder(), CaptionFlow()
    run = Run(
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
        notes={"clips": clips.training},
    )
    in_time = torch.ones(maps.shape[1])
    in_time[0] = _FIRST_FRAME

    def step() -> dict[str, float]:
        which = torch.randint(clips.training, (_BATCH,), generator=random)
        seen = maps[which].float()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            mean, spread = autoencoder.encode(seen)
        mean, spread = mean.float(), spread.float()
        codes = mean + spread.exp() * torch.randn(mean.shape, generator=random)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            again = autoencoder.decode(codes).float()
        moving = (seen - seen.mean(1, keepdim=True)).abs().mean(2, keepdim=True)
        things = (seen - seen.median(-1, keepdim=True).values).abs().mean(2, keepdim=True)
        weights = 1 + _MOVING * moving + _THINGS * things
        away = ((again - seen).abs() * weights * in_time[:, None, None, None]).mean()
        divergence = 0.5 * (mean**2 + (2 * spread).exp() - 2 * spread - 1).sum(1).mean()
        likelihood = _likelihood(flow, codes.detach(), described(which, seen))
        for optimiser in run.optimisers.values():
            optimiser.zero_grad()
        (away + _DIVERGENCE * divergence + likelihood).backward()
        torch.nn.utils.clip_grad_norm_(autoencoder.parameters(), 1.0)
        torch.nn.utils.clip_grad_norm_(flow.parameters(), 5.0)
        for optimiser in run.optimisers.values():
            optimiser.step()
        return {
            "away": float(away.detach()),
            "divergence": float(divergence.detach()),
            "flow": float(likelihood.detach()),
        }

    def described(which: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        numbers = clips.words(which.numpy(), np.random.default_rng((seed, run.step)))
        by_caption = torch.rand(len(which), 1, generator=random) < 0.5
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            by_sight = encoders[1](seen).float()
        return torch.where(by_caption, encoders[0](numbers), by_sight)

    return train(run, step, checkpoint, budget, progress)


def _likelihood(flow: CaptionFlow, codes: torch.Tensor, described: torch.Tensor) -> torch.Tensor:
    """Return the negative log-likelihood of the codes in nats per number."""
    noise, volume = flow.to_noise(codes, described)
    nats = 0.5 * (noise**2).sum(1) - volume + 0.5 * CODE * math.log(2 * math.pi)
    return nats.mean() / CODE
