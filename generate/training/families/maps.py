"""The clips of a set in the space of the frame codec, made once and kept beside the checkpoints."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import numpy as np
import torch

from vidigree.generate.engines.families.native import FRAMES
from vidigree.generate.engines.families.networks.codec import CHANNELS, GRID, FrameCodec
from vidigree.generate.engines.families.networks.frames import to_unit
from vidigree.generate.training.families.clips import TrainingClips
from vidigree.media.output import output_file
from vidigree.media.progress import Progress, no_progress

__all__ = ["encode_clips"]

_CLIPS_AT_ONCE: Final = 4


def encode_clips(
    clips: TrainingClips, codec: FrameCodec, folder: Path, progress: Progress = no_progress
) -> torch.Tensor:
    """Return the maps of all clips, float16 (N, 24, 6, 8, 8) in [-1, 1], not rounded.

    Args:
        clips: What to encode.
        codec: Trained.
        folder: Where maps of the same clips and codec are looked for, and kept.
        progress: Told of every clip.
    """
    path = folder / f"maps-{_name(clips, codec)}.npy"
    if path.exists():
        return torch.from_numpy(np.load(path, allow_pickle=False))
    maps = torch.empty(len(clips.frames), FRAMES, CHANNELS, GRID, GRID, dtype=torch.float16)
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        for start in range(0, len(maps), _CLIPS_AT_ONCE):
            frames = to_unit(clips.frames[start : start + _CLIPS_AT_ONCE])
            made = codec.encode(frames.flatten(0, 1)).unflatten(0, (-1, FRAMES))
            maps[start : start + len(made)] = made.half()
            progress("encoding clips", start + len(made), len(maps))
    with output_file(path, overwrite=True) as temporary, temporary.open("wb") as stream:
        np.save(stream, maps.numpy())
    return maps


def _name(clips: TrainingClips, codec: FrameCodec) -> str:
    digest = hashlib.sha256(codec.decoder[-2].bias.detach().numpy().tobytes())
    digest.update(codec.encoder[-1].weight.detach().numpy().tobytes())
    digest.update(np.ascontiguousarray(clips.frames[:: max(1, len(clips.frames) // 16)]).tobytes())
    return f"{len(clips.frames)}-{digest.hexdigest()[:12]}"
