"""The denoiser of the embedded model, and its training by flow matching on cached latents.

Flow matching with straight paths (Lipman et al. 2023; Liu et al. 2023), times drawn logit-normal
(Esser et al. 2024). In part of the steps the first latent frame is clean and its tokens stand at
time 0, which is how Wan 2.2-TI2V is told about a first picture: one model then does text- and
image-to-video. Other steps see nothing but first latent frames, a seventh of the tokens: text to
pictures, which a clip can then begin with (Girdhar et al. 2023). Captions are dropped in some steps
for classifier-free guidance (Ho and Salimans 2022).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from vidigree.generate.training.captions import caption_of
from vidigree.generate.training.clips import CaptionedClip
from vidigree.generate.training.loop import Budget, Run, follow, train
from vidigree.generate.training.nano.device import best_device, low_precision
from vidigree.generate.training.nano.latents import Latents
from vidigree.generate.training.nano.words import (
    TEXT_WIDTH,
    build_text_encoder,
    build_tokenizer,
    encode_captions,
)
from vidigree.media.progress import Progress, no_progress

__all__ = ["DENOISER", "DenoiserSettings", "build_denoiser", "train_denoiser"]

DENOISER: Final[dict[str, Any]] = {
    "patch_size": (1, 2, 2),
    "num_attention_heads": 4,
    "attention_head_dim": 48,
    "in_channels": 16,
    "out_channels": 16,
    "text_dim": TEXT_WIDTH,
    "freq_dim": 128,
    "ffn_dim": 640,
    "num_layers": 8,
    "cross_attn_norm": True,
    "qk_norm": "rms_norm_across_heads",
    "rope_max_seq_len": 64,
}
_TIMES: Final = 1000


@dataclass(frozen=True, kw_only=True)
class DenoiserSettings:
    """How to train the denoiser.

    Attributes:
        batch: Clips in a step.
        pictures: First latent frames in a step that sees nothing else.
        picture_share: Share of the steps that see first latent frames only.
        learning_rate: Highest learning rate (AdamW).
        from_image: Share of the other steps in which the first latent frame is given.
        no_caption: Share of the captions that are dropped.
        shift: Shift of the times towards noise, as in the scheduler.
        seed: Seed of weights and batches.
    """

    batch: int = 32
    pictures: int = 80
    picture_share: float = 0.5
    learning_rate: float = 1.2e-3
    from_image: float = 0.6
    no_caption: float = 0.12
    shift: float = 1.5
    seed: int = 1


def build_denoiser() -> Any:
    """Return an untrained ``WanTransformer3DModel`` whose blocks start as nothing."""
    import torch
    from diffusers import WanTransformer3DModel

    denoiser = WanTransformer3DModel(**DENOISER)
    with torch.no_grad():
        denoiser.proj_out.weight.zero_()
        denoiser.proj_out.bias.zero_()
        denoiser.condition_embedder.time_proj.weight.mul_(0.1)
        for block in denoiser.blocks:
            block.scale_shift_table.zero_()
            block.scale_shift_table[:, (2, 5)] = 0.3
    return denoiser


def train_denoiser(
    latents: Latents,
    clips: list[CaptionedClip],
    checkpoint: Path,
    *,
    settings: DenoiserSettings,
    budget: Budget,
    progress: Progress = no_progress,
) -> Run:
    """Train denoiser and text encoder together.

    Args:
        latents: Encoded clips.
        clips: Their facts, in the same order; every step words them anew.
        checkpoint: State to go on from and to write.
        settings: How to train.
        budget: When to stop.
        progress: Told of every step.
    """
    import torch

    torch.manual_seed(settings.seed)
    device = best_device()
    denoiser, encoder = build_denoiser().to(device), build_text_encoder().to(device)
    tokenizer = build_tokenizer()
    parameters = [*denoiser.parameters(), *encoder.parameters()]
    optimiser = torch.optim.AdamW(
        parameters, lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=1e-2
    )
    modules = {"transformer": denoiser, "text_encoder": encoder}
    run = Run(
        family="nano denoiser",
        networks=modules,
        optimisers={"both": optimiser},
        shipped=tuple(modules),
        seed=settings.seed,
        rate={"both": settings.learning_rate},
    )

    def step() -> dict[str, float]:
        rng = np.random.default_rng([settings.seed, run.step])
        whole = rng.random() >= settings.picture_share
        batch = settings.batch if whole else settings.pictures
        chosen = rng.integers(len(latents.values), size=batch)
        captions = [
            "" if rng.random() < settings.no_caption else caption_of(clips[int(k)].facts, rng)
            for k in chosen
        ]
        values = latents.batch(chosen)
        clean = torch.from_numpy(values if whole else values[:, :, :1]).to(device)
        with low_precision(device):
            text = encode_captions(tokenizer, encoder, captions)
            loss = _flow_loss(denoiser, clean, text, settings, rng)
        follow(loss, optimiser)
        return {"clips" if whole else "pictures": float(loss.detach())}

    return train(run, step, checkpoint, budget, progress)


def _flow_loss(
    denoiser: Callable[..., Any],
    clean: Any,
    text: Any,
    settings: DenoiserSettings,
    rng: np.random.Generator,
) -> Any:
    """Return the mean squared error of the velocity from data to noise."""
    import torch

    batch = clean.shape[0]
    drawn = 1 / (1 + np.exp(-rng.normal(size=batch)))
    drawn = settings.shift * drawn / (1 + (settings.shift - 1) * drawn)
    noise = rng.standard_normal(clean.shape, np.float32)
    time = torch.from_numpy(drawn.astype(np.float32)).to(clean.device)
    noise = torch.from_numpy(noise).to(clean.device)
    level = time.view(-1, 1, 1, 1, 1)
    noisy = (1 - level) * clean + level * noise
    times = _TIMES * time
    first = clean.shape[2] > 1 and rng.random() < settings.from_image
    if first:
        noisy[:, :, 0] = clean[:, :, 0]
        frames, height, width = clean.shape[2:]
        tokens = times[:, None].repeat(1, frames * height * width // 4)
        tokens[:, : height * width // 4] = 0
        times = tokens
    velocity = denoiser(
        hidden_states=noisy, timestep=times, encoder_hidden_states=text, return_dict=False
    )[0]
    error = (velocity.float() - (noise - clean)) ** 2
    return error[:, :, 1:].mean() if first else error.mean()
