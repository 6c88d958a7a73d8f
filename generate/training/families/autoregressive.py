"""Trains the transformer that writes clips code by code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812 -- the name that torch's own documentation uses

from vidigree.generate.engines.families.networks.autoregressive import (
    NONE,
    WINDOW,
    CodeTransformer,
)
from vidigree.generate.engines.families.networks.codec import CODES, FrameCodec
from vidigree.generate.training.families.clips import TrainingClips
from vidigree.generate.training.loop import Budget, Run, follow, train
from vidigree.media.progress import Progress, no_progress

__all__ = ["train_autoregressive"]

_BATCH: Final = 6
# Share of sequences that begin with the first frame, which is the hardest to write.
_FROM_THE_START: Final = 0.5
# Share of captions that are left away, for classifier-free guidance.
_UNTOLD: Final = 0.1
# Share of codes looked back upon that are wrong, so that the engine bears its own mistakes.
_WRONG: Final = 0.03


def train_autoregressive(
    clips: TrainingClips,
    maps: torch.Tensor,
    checkpoint: Path,
    budget: Budget,
    *,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Run:
    """Train on three frames at a time by cross-entropy; arguments as in ``train_captions``."""
    run = _begun(clips, seed)
    codes = torch.stack([FrameCodec.to_codes(clip.float()) for clip in maps]).short()
    step = _Step(run=run, clips=clips, codes=codes)
    return train(run, step, checkpoint, budget, progress)


def _begun(clips: TrainingClips, seed: int) -> Run:
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = CodeTransformer(len(clips.vocabulary))
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.05
    )
    return Run(
        family="autoregressive",
        networks={"transformer": network},
        optimisers={"transformer": optimiser},
        shipped=("transformer",),
        random=random,
        seed=seed,
        rate={"transformer": 2e-3},
        decay=0.998,
        notes={"words": list(clips.vocabulary), "clips": clips.training},
    )


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One step of the transformer, on one batch of three frames each."""

    run: Run
    clips: TrainingClips
    codes: torch.Tensor

    def __call__(self) -> dict[str, float]:
        run, random = self.run, self.run.random
        which = torch.randint(self.clips.training, (_BATCH,), generator=random)
        numbers = self.clips.words(which.numpy(), np.random.default_rng((run.seed, run.step)))
        numbers[torch.rand(_BATCH, generator=random) < _UNTOLD] = 0
        last = self.codes.shape[1] - WINDOW
        starts = torch.randint(1, last + 1, (_BATCH,), generator=random)
        starts[torch.rand(_BATCH, generator=random) < _FROM_THE_START] = 0
        before, wanted = _windows(self.codes[which].long(), starts)
        noised = _with_mistakes(wanted, random)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            first, second = run.networks["transformer"](numbers, before, noised, starts)
        losses = [
            F.cross_entropy(logits.float().flatten(0, 2), wanted[..., group].flatten())
            for group, logits in enumerate((first, second))
        ]
        begun = F.cross_entropy(
            first[:, 0].detach().float()[starts == 0].flatten(0, 1),
            wanted[:, 0, :, 0][starts == 0].flatten(),
        )
        follow(losses[0] + losses[1], run.optimisers["transformer"])
        report = {"first": float(losses[0].detach()), "second": float(losses[1].detach())}
        return report | ({} if begun.isnan() else {"first frame": float(begun)})


def _windows(codes: torch.Tensor, starts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the frame before each start (B, 64, 2), and the frames from it on (B, 3, 64, 2)."""
    rows = torch.arange(len(codes))
    before = codes[rows, (starts - 1).clamp(min=0)]
    before = torch.where((starts == 0)[:, None, None], torch.full_like(before, NONE), before)
    frames = torch.stack([codes[rows, starts + offset] for offset in range(WINDOW)], dim=1)
    return before, frames


def _with_mistakes(codes: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    wrong = torch.rand(codes.shape[:-1], generator=random) < _WRONG
    other = torch.randint(CODES, codes.shape, generator=random)
    return torch.where(wrong[..., None], other, codes)
