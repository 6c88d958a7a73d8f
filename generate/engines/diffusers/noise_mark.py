"""The initial-noise mark on a pipeline: put in through ``latents=``, read by running backwards."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.diffusers.inversion import check_invertible, invert, noise_shape
from vidigree.generate.request import ClipRequest
from vidigree.media.reading import open_video
from vidigree.watermark.initial_noise import NoiseReading, mark_noise, read_noise
from vidigree.watermark.keyring import KeyRing, MarkKey

__all__ = ["marked_latents", "message_for", "read_noise_mark"]


def message_for(request: ClipRequest) -> int:
    """Return the message of a request: 64 bits of its hash, so that the same one gives the same.

    The clip id cannot be it: it is drawn after the frames are made, and another for every copy.
    """
    text = json.dumps(request.to_dict(), sort_keys=True, default=str)
    return int.from_bytes(hashlib.sha256(b"vidigree noise " + text.encode()).digest()[:8], "big")


def marked_latents(
    pipe: Any, *, message: int, key: MarkKey, seed: int, size: tuple[int, int], num_frames: int
) -> Any:
    """Return the noise to start from, a float32 tensor for ``latents=``.

    Args:
        pipe: A Wan-shaped text-to-video pipeline.
        message: Unsigned integer of 64 bits.
        key: Secret that seeds the signs.
        seed: Draws the magnitudes.
        size: Width and height in pixels.
        num_frames: Frames, a length that the pipeline allows.

    Raises:
        EngineError: This pipeline cannot be run backwards, so nobody could read the mark.
        StampError: The clip is too small.
    """
    import torch

    check_invertible(pipe)
    width, height = size
    shape = noise_shape(pipe, width=width, height=height, num_frames=num_frames)
    noise = torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed)).numpy()
    return torch.from_numpy(mark_noise(noise, message, key))


def read_noise_mark(
    pipe: Any,
    path: Path,
    *,
    keys: KeyRing,
    size: tuple[int, int] | None = None,
    prompt: str = "",
    steps: int = 20,
) -> NoiseReading:
    """Look for an initial-noise mark in a clip, with the model that may have made it.

    Args:
        pipe: That model, loaded.
        path: The clip; all its frames, at its whole size.
        keys: Keys to try.
        size: Width and height in pixels that the model made, if the clip was enlarged since.
        prompt: What it was made for, if that is known.
        steps: Steps back.

    Raises:
        EngineError: This pipeline cannot be run backwards.
        MediaError: The clip cannot be read.
    """
    check_invertible(pipe)
    with open_video(path) as video:
        frames = list(video.images())
    step = pipe.vae_scale_factor_temporal
    frames = frames[: (len(frames) - 1) // step * step + 1]
    if size is not None:
        frames = [_shrunk(frame, size) for frame in frames]
    estimate = invert(pipe, np.stack(frames), prompt=prompt, steps=steps)
    return read_noise(estimate, keys.keys)


def _shrunk(frame: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if (frame.shape[1], frame.shape[0]) == size:
        return frame
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
