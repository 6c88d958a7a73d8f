"""Puts trained parts together into a stock diffusers folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from vidigree.generate.engines.diffusers.loading import quiet_libraries
from vidigree.generate.training.loop import load_averages
from vidigree.generate.training.nano.denoiser import build_denoiser
from vidigree.generate.training.nano.words import build_text_encoder, build_tokenizer

__all__ = ["export_model", "folder_digest"]

# Shift of the sampling times towards noise.
SAMPLING_SHIFT: Final = 3.0


def export_model(codec: Any, denoiser_checkpoint: Path, folder: Path) -> None:
    """Write a folder that ``DiffusionPipeline.from_pretrained`` loads by itself, in float16.

    The averaged weights of the denoiser are taken.

    Args:
        codec: The trained codec; the statistics of its latents stand in its configuration, where
            the pipelines look for them.
        denoiser_checkpoint: From training the denoiser.
        folder: Where to write.
    """
    import torch
    from diffusers import FlowMatchEulerDiscreteScheduler, WanPipeline

    parts: dict[str, Any] = {"transformer": build_denoiser(), "text_encoder": build_text_encoder()}
    load_averages(denoiser_checkpoint, parts)
    pipe = WanPipeline(
        tokenizer=build_tokenizer(),
        vae=codec,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=SAMPLING_SHIFT),
        transformer_2=None,
        expand_timesteps=True,
        **parts,
    )
    with quiet_libraries():
        for part in (codec, *parts.values()):
            part.eval().to(torch.float16)
        pipe.save_pretrained(folder, safe_serialization=True)


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 over the names and bytes of all files of a folder, in hex."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
