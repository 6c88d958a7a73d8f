"""Trains the generator that moves a still by optical flow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F  # noqa: N812 -- the name that torch's own documentation uses

from vidigree.generate.engines.families.native import FRAMES, SIDE
from vidigree.generate.engines.families.networks.captions import CaptionEncoder
from vidigree.generate.engines.families.networks.flow_gan import (
    JUDGED,
    NOISE,
    FlowDiscriminator,
    FlowGenerator,
    warp,
)
from vidigree.generate.engines.families.networks.frames import to_unit
from vidigree.generate.training.families.clips import TrainingClips
from vidigree.generate.training.loop import Budget, Run, train
from vidigree.media.progress import Progress, no_progress

__all__ = ["measured_flow", "train_flow_gan"]

_BATCH: Final = 4
_MOVING: Final = 4.0
_FLOW: Final = 2.0
_ADVERSARIAL: Final = 0.03


def train_flow_gan(
    clips: TrainingClips,
    captions: CaptionEncoder,
    checkpoint: Path,
    budget: Budget,
    *,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Run:
    """Train on stills and three later frames of the same clip.

    L1 of the pixels (moving ones count up to five times), L1 of the flow against the flow that
    dense inverse search finds between the true frames (Kroeger et al., 2016) where it explains
    them, and the hinge loss of the discriminator.

    Args:
        clips: Clips and their facts.
        captions: Caption encoder, trained.
        checkpoint: State to go on from and to write.
        budget: When to stop.
        seed: Of everything.
        progress: Told of the share of the budget.
    """
    run = _begun(clips.training, seed)
    step = _Step(run=run, clips=clips, captions=captions)
    return train(run, step, checkpoint, budget, progress)


def _begun(clips: int, seed: int) -> Run:
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator, judge = FlowGenerator(), FlowDiscriminator()
    return Run(
        family="flow-gan",
        networks={"generator": generator, "judge": judge},
        optimisers={
            "generator": torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.99)),
            "judge": torch.optim.Adam(judge.parameters(), lr=4e-4, betas=(0.0, 0.99)),
        },
        shipped=("generator",),
        random=random,
        seed=seed,
        rate={"generator": 1e-3, "judge": 4e-4},
        decay=0.995,
        notes={"clips": clips},
    )


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """Stills and later frames of the same clips.

    Attributes:
        pixels: uint8 (B, 64, 64, 3) and (B, K, 64, 64, 3), the stills and the later frames.
        stills: float32 (B, 3, 64, 64) in [-1, 1].
        wanted: float32 (B, K, 3, 64, 64), the later frames likewise.
        times: int64 (B, K), which frames they are.
        told: float32, what the captions say.
    """

    pixels: tuple[NDArray[np.uint8], NDArray[np.uint8]]
    stills: torch.Tensor
    wanted: torch.Tensor
    times: torch.Tensor
    told: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One step of the discriminator and one of the generator, on one batch."""

    run: Run
    clips: TrainingClips
    captions: CaptionEncoder

    def __call__(self) -> dict[str, float]:
        batch = self._drawn()
        noise = torch.randn(_BATCH, NOISE, generator=self.run.random)
        each = [part.repeat_interleave(JUDGED, dim=0) for part in (batch.stills, batch.told, noise)]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            made, flow, mask = self.run.networks["generator"](*each, batch.times.flatten().float())
        made = made.float()
        frames = made.unflatten(0, (_BATCH, JUDGED)).flatten(1, 2)
        made_stack = torch.cat([batch.stills, frames], dim=1)
        loss_judge = self._follow_judge(batch, made_stack)
        pixels, flows = _apart(batch, made, flow)
        self._follow_generator(pixels + _FLOW * flows, made_stack, batch.told)
        return {
            "pixels": float(pixels.detach()),
            "flow": float(flows.detach()),
            "mask": float(mask.detach().mean()),
            "judge": float(loss_judge.detach()),
        }

    def _drawn(self) -> _Batch:
        run = self.run
        which = torch.randint(self.clips.training, (_BATCH,), generator=run.random)
        times = 1 + torch.rand(_BATCH, FRAMES - 1, generator=run.random).argsort(1)[:, :JUDGED]
        times = times.sort(1).values
        numbers = self.clips.words(which.numpy(), np.random.default_rng((run.seed, run.step)))
        chosen = self.clips.frames[which.numpy()]
        later = chosen[np.arange(_BATCH)[:, None], times.numpy()]
        with torch.no_grad():
            told = self.captions(numbers)
        return _Batch(
            pixels=(chosen[:, 0], later),
            stills=to_unit(chosen[:, 0]),
            wanted=to_unit(later),
            times=times,
            told=told,
        )

    def _follow_judge(self, batch: _Batch, made_stack: torch.Tensor) -> torch.Tensor:
        told, optimiser = batch.told, self.run.optimisers["judge"]
        true_stack = torch.cat([batch.stills, batch.wanted.flatten(1, 2)], dim=1)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            scores = self.run.networks["judge"](
                torch.cat([true_stack, made_stack.detach(), true_stack]),
                torch.cat([told, told, told.roll(1, 0)]),
            ).float()
        real, fake, wrong = scores.chunk(3)
        # Under a wrong caption only the last score, the one of the caption, is asked to be low.
        loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean() + F.relu(1 + wrong[:, -1]).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss

    def _follow_generator(
        self, apart: torch.Tensor, made_stack: torch.Tensor, told: torch.Tensor
    ) -> None:
        generator, optimiser = self.run.networks["generator"], self.run.optimisers["generator"]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            fooled = self.run.networks["judge"](made_stack, told).float().mean()
        optimiser.zero_grad()
        (apart - _ADVERSARIAL * fooled).backward()
        torch.nn.utils.clip_grad_norm_(generator.parameters(), 1.0)
        optimiser.step()


def _apart(
    batch: _Batch, made: torch.Tensor, flow: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return how far pixels and flow are from the true ones."""
    target = batch.wanted.flatten(0, 1)
    stills = batch.stills.repeat_interleave(JUDGED, dim=0)
    moving = 1 + _MOVING * (4 * (target - stills).abs().amax(1, keepdim=True)).clamp(max=1)
    pixels = ((made - target).abs() * moving).mean()
    true_flow, known = measured_flow(*batch.pixels)
    flows = ((flow - true_flow).abs() * known).sum() / known.sum().clamp(min=1)
    return pixels, flows


def measured_flow(
    stills: NDArray[np.uint8], later: NDArray[np.uint8]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the flow from later frames back to their stills, and where to believe it.

    Args:
        stills: uint8 (B, 64, 64, 3).
        later: uint8 (B, K, 64, 64, 3).

    Returns:
        Flow (B * K, 2, 32, 32) in units of half the side; weights (B * K, 1, 32, 32): 1 where the
        moved still is nearer to the frame than the still itself, a tenth where nothing moves.
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flows = []
    for still, frames in zip(stills, later, strict=True):
        grey = cv2.cvtColor(still, cv2.COLOR_RGB2GRAY)
        for frame in frames:
            now = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
            flows.append(search.calc(now, grey, None))
    flow = torch.from_numpy(np.stack(flows)).permute(0, 3, 1, 2) / (SIDE / 2)
    before = to_unit(stills).repeat_interleave(later.shape[1], dim=0)
    after = to_unit(later).flatten(0, 1)
    stood = (before - after).abs().mean(1, keepdim=True)
    left = (warp(before, flow) - after).abs().mean(1, keepdim=True)
    believed = ((left < 0.6 * stood) & (stood > 0.06)).float() + 0.1 * (stood < 0.03)
    return F.avg_pool2d(flow, 2), F.avg_pool2d(believed, 2)
