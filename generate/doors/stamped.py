"""A diffusers pipeline whose frames come out marked, whatever type they are asked for in."""

from __future__ import annotations

import inspect
import secrets
import warnings
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engine import RequestWarning
from vidigree.generate.engines.diffusers.families import family_of
from vidigree.generate.frames import clips_of, name_of_frames, to_uint8
from vidigree.media.errors import EngineError, StampError, UsageError
from vidigree.watermark.keyring import KeyRing
from vidigree.watermark.method import issuing_method, watermark_methods

__all__ = ["MarkedFrames", "StampedPipeline", "stamped"]


@dataclass(frozen=True, kw_only=True)
class MarkedFrames:
    """What was put into one clip in memory.

    Attributes:
        clip_id: Message of the mark; becomes the clip id when the frames are exported.
        key_id: Key of the mark.
        method: Watermark method.
        p_value: Of the mark as it was read back.
    """

    clip_id: int
    key_id: str
    method: str
    p_value: float


def stamped(
    pipe: Any,
    *,
    keys: KeyRing | None = None,
    method: str = "robust",
    fps: Fraction | None = None,
) -> StampedPipeline:
    """Wrap a diffusers pipeline so that no unmarked frame leaves it.

    The pipeline's float frames are marked before they are rounded or converted, and the mark is
    read back; the result carries a ``provenance`` attribute. Frames in memory cannot carry content
    credentials: export them with :func:`vidigree.generate.export_to_video`, which keeps their clip
    id, signs, and records them.

    Args:
        pipe: Any diffusers video pipeline.
        keys: Ring of mark keys; ``None`` loads it from the data folder.
        method: Registered watermark method.
        fps: Frames per second; ``None`` takes the rate of the pipeline's family.

    Raises:
        UsageError: There is no such method, or no clip can be issued with it.
        CredentialsError: The ring of mark keys cannot be read.

    Example:
        >>> pipe = stamped(WanPipeline.from_pretrained(folder))  # doctest: +SKIP
        >>> frames = pipe("a red ball").frames[0]  # doctest: +SKIP
        >>> export_to_video(frames, "ball.mp4", fps=16)  # doctest: +SKIP
    """
    if isinstance(pipe, StampedPipeline):
        return pipe
    issuing_method(method)  # told before anything is made
    rate = fps or family_of(type(pipe).__name__).fps
    return StampedPipeline(pipe, keys or KeyRing.load(), method, rate)


class StampedPipeline:
    """A pipeline in the hands of :func:`stamped`; everything but calling it is passed on."""

    def __init__(self, pipe: Any, keys: KeyRing, method: str, fps: Fraction) -> None:
        object.__setattr__(self, "_pipe", pipe)
        object.__setattr__(self, "_keys", keys)
        object.__setattr__(self, "_method", method)
        object.__setattr__(self, "_fps", fps)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._pipe, name)
        return self._staying_wrapped(value) if inspect.ismethod(value) else value

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._pipe, name, value)

    def __repr__(self) -> str:
        return f"stamped({type(self._pipe).__name__})"

    def _staying_wrapped(self, method: Any) -> Any:
        """Return ``method`` so that ``.to()`` and its like hand back the wrapper, not the pipe."""

        def call(*arguments: Any, **options: Any) -> Any:
            result = method(*arguments, **options)
            return self if result is self._pipe else result

        return call

    def __call__(self, *arguments: Any, allow_unstamped: bool = False, **options: Any) -> Any:
        """Run the pipeline and return its own kind of result, with marked frames.

        Args:
            *arguments: As the pipeline takes them.
            allow_unstamped: Needed to get latents, which cannot be marked.
            **options: As the pipeline takes them; any ``output_type`` and ``return_dict``.

        Raises:
            UsageError: Latents were asked for without ``allow_unstamped``, or the pipeline takes no
                ``output_type`` and so cannot be asked for floats.
            EngineError: The pipeline returned no frames.
            StampError: The frames could not be marked, or the mark could not be read back.
        """
        signature = inspect.signature(self._pipe.__call__)
        if "output_type" not in signature.parameters:
            raise UsageError(
                f"{type(self._pipe).__name__} takes no output_type, so its frames cannot be marked"
                " before they are rounded.",
                hint="Give the frames to stamp_frames or export_to_video.",
            )
        bound = signature.bind(*arguments, **options)
        bound.apply_defaults()
        wanted = bound.arguments.get("output_type", "pil")
        as_dict = bound.arguments.get("return_dict", True)
        if wanted == "latent":
            return self._unstamped(bound, allowed=allow_unstamped)
        if wanted not in ("pil", "np", "pt"):
            raise UsageError(f"The output type is {wanted!r}; it must be pil, np or pt.")
        if "HDR" in type(self._pipe).__name__:
            raise UsageError("HDR frames are linear light, which the mark is not made for.")
        bound.arguments.update(output_type="pt", return_dict=True)
        result = self._pipe(*bound.args, **bound.kwargs)
        clips, provenance = [], []
        for clip in clips_of(result):
            marked, mark = self._mark(clip)
            clips.append(marked)
            provenance.append(mark)
        converted = _converted(clips, wanted)
        name = name_of_frames(result)
        if not (as_dict and name):
            return (converted,)
        setattr(result, name, converted)
        result.provenance = tuple(provenance)
        return result

    def _unstamped(self, bound: inspect.BoundArguments, *, allowed: bool) -> Any:
        if not allowed:
            raise UsageError(
                "Latents cannot be marked, so a stamped pipeline does not give them out.",
                hint="Ask for frames, or pass allow_unstamped=True and mark what you decode.",
            )
        warnings.warn("Unmarked latents were given out.", RequestWarning, stacklevel=3)
        return self._pipe(*bound.args, **bound.kwargs)

    def _mark(self, clip: Any) -> tuple[NDArray[np.float32], MarkedFrames]:
        """Return the frames (F, H, W, 3) in [0, 1], marked, and what was put in.

        The method marks 8-bit frames; what it changed is added to the float frames, so that their
        precision is kept.
        """
        method = watermark_methods.get(self._method)()
        key = self._keys.active
        clip_id = secrets.randbits(64) or 1
        images = list(to_uint8(clip))
        if not images:
            raise EngineError(f"{type(self._pipe).__name__} returned no frames.")
        plain = np.stack(images)
        marked = np.stack(list(method.embed(plain, clip_id, key=key, fps=self._fps)))
        if len(marked) != len(plain):
            raise StampError(
                f"The mark lost {len(plain) - len(marked)} frames.", hint="Please report this."
            )
        change = (marked.astype(np.float32) - plain) / 255
        frames = np.clip(_floats(clip, plain) + change, 0, 1).astype(np.float32)
        levels = np.round(255 * frames).astype(np.uint8)
        reading = method.detect(levels, keys=[key], fps=self._fps)
        if not reading.present or reading.message != clip_id:
            raise StampError(
                "The mark cannot be read back from the frames, so they were not given out.",
                hint="Make the clip larger or longer.",
            )
        mark = MarkedFrames(
            clip_id=clip_id, key_id=key.key_id, method=self._method, p_value=reading.p_value
        )
        return frames, mark


def _floats(clip: Any, plain: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the frames of a clip before rounding, (F, H, W, 1 or 3), where there are such."""
    if not hasattr(clip, "detach"):
        return plain.astype(np.float32) / np.float32(255)
    floats: NDArray[np.float32] = clip.detach().float().cpu().permute(0, 2, 3, 1).numpy()
    return floats[..., :3]  # without what covers the picture, as 8-bit frames are


def _converted(clips: list[NDArray[np.float32]], wanted: str) -> Any:
    """Return marked clips as the pipeline would have: tensor, array, or lists of PIL images."""
    if wanted == "np":
        return np.stack(clips)
    if wanted == "pt":
        import torch

        return torch.from_numpy(np.stack(clips)).permute(0, 1, 4, 2, 3)
    from PIL import Image

    return [
        [Image.fromarray(np.round(255 * frame).astype(np.uint8)) for frame in clip]
        for clip in clips
    ]
