"""Latents of all training clips, encoded once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.training.clips import ClipFolder
from vidigree.generate.training.nano.codec import encode_clips
from vidigree.generate.training.nano.codec_training import to_model
from vidigree.generate.training.nano.device import best_device, low_precision
from vidigree.media.errors import MediaNotFoundError
from vidigree.media.progress import Progress, no_progress

__all__ = ["Latents", "cache_latents", "open_latents"]

_BATCH: Final = 4


@dataclass(frozen=True)
class Latents:
    """Encoded clips.

    Attributes:
        values: float16 (N, Z, T, h, w), as the codec gives them.
        mean: float32 (Z,), mean of each channel.
        std: float32 (Z,), standard deviation of each channel.
    """

    values: NDArray[np.float16]
    mean: NDArray[np.float32]
    std: NDArray[np.float32]

    def batch(self, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return chosen latents with mean 0 and variance 1 in every channel."""
        shape = (1, -1, 1, 1, 1)
        values = self.values[chosen].astype(np.float32)
        scaled: NDArray[np.float32] = (values - self.mean.reshape(shape)) / self.std.reshape(shape)
        return scaled


def cache_latents(
    clips: ClipFolder, codec: Any, path: Path, progress: Progress = no_progress
) -> None:
    """Encode all clips into ``path`` (``.npy``), and their statistics beside it (``.json``)."""
    import torch

    device = best_device()
    codec = codec.to(device).eval()
    parts = []
    for start in range(0, len(clips), _BATCH):
        with torch.no_grad(), low_precision(device):
            mean, _ = encode_clips(codec, to_model(clips.frames[start : start + _BATCH], device))
        parts.append(mean.half().cpu().numpy())
        progress("encoding clips", min(start + _BATCH, len(clips)), len(clips))
    values = np.concatenate(parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, values)
    wide = values.astype(np.float32)
    row = {"mean": wide.mean((0, 2, 3, 4)).tolist(), "std": wide.std((0, 2, 3, 4)).tolist()}
    path.with_suffix(".json").write_text(json.dumps(row) + "\n", encoding="utf-8")


def open_latents(path: Path) -> Latents:
    """Open what :func:`cache_latents` wrote.

    Raises:
        MediaNotFoundError: It is not there.
    """
    try:
        row = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        values = np.load(path, mmap_mode="r")
    except FileNotFoundError as error:
        raise MediaNotFoundError(
            f"There are no latents {path}.", hint="Run the stage 'latents' first."
        ) from error
    return Latents(values, np.array(row["mean"], np.float32), np.array(row["std"], np.float32))
