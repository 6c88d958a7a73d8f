"""Trains the encoders of captions and of clips to meet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812 -- the name that torch's own documentation uses

from vidigree.generate.engines.families.networks.captions import CaptionEncoder, ClipEncoder
from vidigree.generate.training.families.clips import TrainingClips
from vidigree.generate.training.loop import Budget, Run, train
from vidigree.media.progress import Progress, no_progress

__all__ = ["train_captions"]

_BATCH: Final = 96
_NOISE: Final = 0.1


def train_captions(
    clips: TrainingClips,
    maps: torch.Tensor,
    checkpoint: Path,
    budget: Budget,
    *,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Run:
    """Train by telling which caption of a batch belongs to which clip (Radford et al., 2021).

    Args:
        clips: Clips and their facts; captions are worded anew at every step.
        maps: Of the same clips (:func:`~vidigree.generate.training.families.maps.encode_clips`).
        checkpoint: State to go on from and to write.
        budget: When to stop.
        seed: Of everything.
        progress: Told of the share of the budget.
    """
    run = _begun(clips, seed)
    step = _Step(run=run, clips=clips, maps=maps)
    return train(run, step, checkpoint, budget, progress)


def _begun(clips: TrainingClips, seed: int) -> Run:
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        captions, encoder = CaptionEncoder(len(clips.vocabulary)), ClipEncoder()
    weights = [*captions.parameters(), *encoder.parameters()]
    return Run(
        family="captions",
        networks={"captions": captions, "clips": encoder},
        optimisers={"both": torch.optim.AdamW(weights, lr=1e-3, weight_decay=0.02)},
        shipped=("captions", "clips"),
        random=random,
        seed=seed,
        rate={"both": 1e-3},
        decay=0.995,
        notes={"words": list(clips.vocabulary), "clips": clips.training},
    )


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One step of both encoders, on one batch."""

    run: Run
    clips: TrainingClips
    maps: torch.Tensor

    def __call__(self) -> dict[str, float]:
        run, training = self.run, self.clips.training
        which = torch.randint(training, (min(_BATCH, training),), generator=run.random)
        numbers = self.clips.words(which.numpy(), np.random.default_rng((run.seed, run.step)))
        seen = self.maps[which].float()
        seen = seen + _NOISE * torch.randn(seen.shape, generator=run.random)
        logits = self._likeness(numbers, seen)
        right = torch.arange(len(which))
        loss = (F.cross_entropy(logits, right) + F.cross_entropy(logits.T, right)) / 2
        run.optimisers["both"].zero_grad()
        loss.backward()
        run.optimisers["both"].step()
        found = (logits.argmax(1) == right).float().mean()
        return {"loss": float(loss.detach()), "found": float(found)}

    def _likeness(self, numbers: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """Return how alike each caption (a row) and each clip (a column) are."""
        captions, encoder = self.run.networks["captions"], self.run.networks["clips"]
        told = captions(numbers)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            shown = encoder(seen)
        logits = told @ shown.float().T * encoder.scale.exp()
        # Clips whose captions are the same word for word do not count against each other.
        same = (numbers[:, None] == numbers[None]).all(-1) & ~torch.eye(
            len(numbers), dtype=torch.bool
        )
        return logits.masked_fill(same, -1e4)
