"""What latents look like, cheaply: one still, for previews."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["glimpse"]


def glimpse(pipe: Any, latents: Any) -> NDArray[np.uint8] | None:
    """Return a picture of latents, or ``None`` if they are of no known shape.

    Wan-shaped pipelines decode their first latent frame, which is one frame of the clip. For others
    the three strongest components of the middle frame stand for red, green and blue: shapes can be
    made out, colours mean nothing.

    Args:
        pipe: The pipeline that is denoising them.
        latents: Tensor (1, C, F, H, W), or (1, F, C, H, W).

    Returns:
        uint8 (H, W, 3).
    """
    if latents.ndim != 5:
        return None
    if type(pipe).__name__.startswith("Wan") and hasattr(pipe.vae.config, "latents_mean"):
        return _decoded(pipe.vae, latents[:1, :, :1])
    channels = getattr(pipe.vae.config, "latent_channels", latents.shape[1])
    clip = latents[0] if latents.shape[1] == channels else latents[0].transpose(0, 1)
    return _components(clip[:, clip.shape[1] // 2].float().cpu().numpy())


def _decoded(vae: Any, latents: Any) -> NDArray[np.uint8]:
    import torch

    shape = (1, -1, 1, 1, 1)
    mean = torch.tensor(vae.config.latents_mean).view(shape).to(latents)
    std = torch.tensor(vae.config.latents_std).view(shape).to(latents)
    (clip,) = vae.decode((latents * std + mean).to(vae.dtype), return_dict=False)
    frame = (clip[0, :, 0].float().clamp(-1, 1) + 1) * 127.5
    picture: NDArray[np.uint8] = frame.round().permute(1, 2, 0).cpu().numpy().astype(np.uint8)
    return picture


def _components(frame: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the three strongest components of (C, H, W) as RGB."""
    channels, height, width = frame.shape
    flat = frame.reshape(channels, -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    axes, _, _ = np.linalg.svd(flat, full_matrices=False)
    three = np.zeros((3, height * width))
    found = axes[:, :3].T @ flat
    three[: len(found)] = found
    low, high = np.percentile(three, (1, 99), axis=1, keepdims=True)
    levels = np.clip((three - low) / np.maximum(high - low, 1e-6), 0, 1) * 255
    picture: NDArray[np.uint8] = np.round(levels).astype(np.uint8).reshape(3, height, width)
    return picture.transpose(1, 2, 0)
