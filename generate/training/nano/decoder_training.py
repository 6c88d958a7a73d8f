"""Trains the codec's decoder further on latents that no longer change.

The denoiser can be trained meanwhile: it sees the same latents.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidigree.generate.training.clips import ClipFolder
from vidigree.generate.training.loop import Budget, Run, follow, load_averages, train
from vidigree.generate.training.nano.codec import decode_clips
from vidigree.generate.training.nano.codec_training import frame_loss, to_model
from vidigree.generate.training.nano.device import best_device, low_precision
from vidigree.generate.training.nano.latents import Latents
from vidigree.media.progress import Progress, no_progress

__all__ = ["DecoderSettings", "load_decoder", "train_decoder"]


@dataclass(frozen=True, kw_only=True)
class DecoderSettings:
    """How to train the decoder.

    Attributes:
        batch: Clips in a step.
        frames: Frames of each that are decoded and compared.
        learning_rate: Highest learning rate (AdamW).
        seed: Seed of the batches.
    """

    batch: int = 2
    frames: int = 6
    learning_rate: float = 8e-4
    seed: int = 1


def _parts(codec: Any) -> dict[str, Any]:
    return {"decoder": codec.decoder, "post_quant_conv": codec.post_quant_conv}


def load_decoder(checkpoint: Path, codec: Any) -> None:
    """Load the averaged weights of a checkpoint into the decoding half of ``codec``."""
    load_averages(checkpoint, _parts(codec))


def train_decoder(
    latents: Latents,
    clips: ClipFolder,
    codec: Any,
    checkpoint: Path,
    *,
    settings: DecoderSettings,
    budget: Budget,
    progress: Progress = no_progress,
) -> Run:
    """Train on a few frames of some clips at a time.

    Args:
        latents: What the codec made of the clips.
        clips: The clips.
        codec: The trained codec; only its decoding half changes.
        checkpoint: State to go on from and to write.
        settings: How to train.
        budget: When to stop.
        progress: Told of every step.
    """
    import torch

    device = best_device()
    parts = _parts(codec.to(device).train())
    parameters = [parameter for part in parts.values() for parameter in part.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=1e-3)
    run = Run(
        family="nano decoder",
        networks=parts,
        optimisers={"decoder": optimiser},
        shipped=tuple(parts),
        seed=settings.seed,
        rate={"decoder": settings.learning_rate},
        decay=0.998,
    )

    def step() -> dict[str, float]:
        rng = np.random.default_rng([settings.seed, run.step])
        picked = rng.integers(len(latents.values), size=settings.batch)
        length = clips.frames.shape[1]
        chosen = sorted(rng.choice(length, settings.frames, replace=False).tolist())
        target = to_model(np.stack([clips.frames[k][chosen] for k in picked]), device)
        values = torch.from_numpy(latents.values[picked].astype(np.float32)).to(device)
        with low_precision(device):
            rebuilt = decode_clips(codec, values, chosen)
        loss = frame_loss(rebuilt, target)
        follow(loss, optimiser)
        return {"loss": float(loss.detach())}

    return train(run, step, checkpoint, budget, progress)
