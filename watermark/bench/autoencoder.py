"""A round trip through the codec of a latent diffusion model: what regeneration does to pixels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import UsageError

__all__ = ["round_trip"]

_MULTIPLE = 16
_TEMPORAL = 4


def round_trip(frames: list[NDArray[np.uint8]], folder: Path) -> list[NDArray[np.uint8]]:
    """Encode frames to latents and decode them again.

    Args:
        frames: uint8 RGB frames of one shape; edges beyond a multiple of 16 are cut off. A codec of
            video sees 4 k + 1 frames, the last one repeated as needed.
        folder: A diffusers autoencoder on this machine, with ``config.json``.

    Raises:
        UsageError: diffusers is missing, or there is no autoencoder that it can load.
    """
    try:
        import diffusers
        import torch
    except ImportError as error:
        raise UsageError(
            "A round trip through a codec needs diffusers.",
            hint="Install it with: pip install 'vidigree[diffusers]'",
        ) from error
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        name = str(config["_class_name"])
        # Only such a name is looked up, whatever the file says.
        kind = getattr(diffusers, name) if name.startswith("Autoencoder") else None
        codec = None if kind is None else kind.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise UsageError(
            f"There is no autoencoder that diffusers can load in {folder}.",
            hint="Give a folder with config.json and weights, such as a pipeline's vae folder.",
        ) from error
    if codec is None:
        raise UsageError(f"{folder} holds a {name}, not an autoencoder.")
    height, width = (side // _MULTIPLE * _MULTIPLE for side in frames[0].shape[:2])
    batch = np.stack([frame[:height, :width] for frame in frames]).astype(np.float32) / 127.5 - 1
    pictures = torch.from_numpy(batch).permute(0, 3, 1, 2)
    with torch.no_grad():
        if "Wan" in name or "Video" in name or "Temporal" in name:
            missing = -(len(frames) - 1) % _TEMPORAL
            film = torch.cat([pictures, pictures[-1:].repeat(missing, 1, 1, 1)])
            latents = codec.encode(film.permute(1, 0, 2, 3)[None]).latent_dist.mode()
            decoded = codec.decode(latents).sample[0].permute(1, 0, 2, 3)
        else:
            decoded = codec.decode(codec.encode(pictures).latent_dist.mode()).sample
    values = (decoded[: len(frames)].float().clamp(-1, 1) + 1) * 127.5
    return list(values.round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy())
