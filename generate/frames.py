"""From whatever a pipeline returns to 8-bit frames, rounded and not truncated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import EngineError

__all__ = ["clips_of", "name_of_frames", "to_uint8"]


def clips_of(result: Any) -> list[Any]:
    """Return the clips of a pipeline's result, one for each prompt of the batch."""
    name = name_of_frames(result)
    frames = getattr(result, name) if name else result[0] if isinstance(result, tuple) else None
    clips = [] if frames is None else list(frames)
    if not clips:
        raise EngineError(f"The pipeline returned {type(result).__name__}, which holds no frames.")
    return clips


def name_of_frames(result: Any) -> str:
    """Return the attribute that holds the clips of a pipeline's result; empty if none does."""
    names = (name for name in ("frames", "videos") if getattr(result, name, None) is not None)
    return next(names, "")


def to_uint8(clip: Any) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames of one clip.

    Args:
        clip: A torch tensor (F, C, H, W) in [0, 1]; an array (F, H, W, C), float in [0, 1] or
            uint8; or a sequence of PIL images or of such arrays (H, W, C).

    Yields:
        uint8 (H, W, 3) RGB. Floats are rounded to the nearest of 256 levels.

    Raises:
        EngineError: The frames are latents or of an unknown kind, or hold values that are no
            numbers.
    """
    if hasattr(clip, "detach"):
        if clip.ndim != 4 or clip.shape[1] not in (1, 3, 4):
            raise EngineError(
                f"A tensor of shape {tuple(clip.shape)} is no clip of frames (F, 3, H, W).",
                hint="Latents cannot be marked; decode them first.",
            )
        for frame in clip:
            yield _round(frame.detach().float().cpu().permute(1, 2, 0).numpy())
        return
    if not isinstance(clip, np.ndarray | Sequence):
        raise EngineError(f"{type(clip).__name__} is not a sequence of frames.")
    for frame in clip:
        if hasattr(frame, "detach"):
            yield _round(frame.detach().float().cpu().permute(1, 2, 0).numpy())
        elif hasattr(frame, "convert"):
            yield np.asarray(frame.convert("RGB"))
        else:
            yield _round(np.asarray(frame))


def _round(frame: NDArray[Any]) -> NDArray[np.uint8]:
    if frame.ndim == 2:
        frame = frame[..., None]
    if frame.ndim != 3 or frame.shape[2] not in (1, 3, 4):
        raise EngineError(f"An array of shape {frame.shape} is no frame (H, W, 3).")
    if frame.shape[2] == 1:
        frame = np.repeat(frame, 3, axis=2)
    frame = frame[..., :3]
    if frame.dtype == np.uint8:
        return np.ascontiguousarray(frame)
    if frame.dtype.kind != "f":
        raise EngineError(f"Frames of type {frame.dtype} are neither uint8 nor float in [0, 1].")
    if not np.isfinite(frame).all():
        raise EngineError(
            "The model returned values that are not numbers.",
            hint="Try dtype=bfloat16 or float32; float16 overflows in some codecs.",
        )
    if frame.max(initial=0.0) > 1.5 or frame.min(initial=0.0) < -0.5:
        raise EngineError(
            f"Float frames must lie in [0, 1]; these reach from {frame.min():.3g} to"
            f" {frame.max():.3g}.",
            hint="Divide by 255, or convert them to uint8.",
        )
    levels: NDArray[np.uint8] = np.round(np.clip(frame, 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(levels)
