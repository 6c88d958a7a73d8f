"""Pictures and clips to start from, in the shape that the embedded model works in."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidigree.generate.engines.pictures import cut_note, read_picture, tell_clear
from vidigree.media.reading import open_video

__all__ = ["SourceClip", "read_source_clip", "read_square"]


@dataclass(frozen=True)
class SourceClip:
    """A clip to start from.

    Attributes:
        images: Exactly as many square PIL images as the model makes frames.
        used: How many of them are from the clip; the last one is repeated after that.
        fps: Their rate.
        notes: What was left away.
    """

    images: list[Any]
    used: int
    fps: Fraction
    notes: tuple[str, ...]


def read_square(path: Path, side: int) -> tuple[Any, tuple[str, ...]]:
    """Return the middle square of a picture as a PIL image of ``side`` pixels, and notes."""
    image = read_picture(path)
    return _square(image, side), cut_note(path, image.size)


def read_source_clip(path: Path, side: int, num_frames: int, fps: Fraction) -> SourceClip:
    """Read the beginning of a clip, thinned out to about the rate that the model was trained at.

    Args:
        path: The clip.
        side: Pixels of the square images.
        num_frames: Frames that the model makes.
        fps: The rate it was trained at.
    """
    from PIL import Image

    images: list[Any] = []
    notes: tuple[str, ...] = ()
    left_over = False
    with open_video(path, as_shown=True) as video:
        tell_clear(path, video.info)
        step = max(1, round(video.info.fps / fps))
        for number, frame in enumerate(video.images()):
            if number % step:
                continue
            if len(images) == num_frames:
                left_over = True
                break
            image = Image.fromarray(frame)
            notes = notes or cut_note(path, image.size)
            images.append(_square(image, side))
        rate = video.info.fps / step
    used = len(images)
    if left_over:
        seconds = used / float(rate)
        notes += (f"The first {seconds:.1f} s of {path.name} were used: the model makes no more.",)
    if step > 1:
        notes += (f"One in {step} frames of {path.name} was used.",)
    images += images[-1:] * (num_frames - used)
    return SourceClip(images, used, rate, notes)


def _square(image: Any, side: int) -> Any:
    width, height = image.size
    short = min(width, height)
    left, top = (width - short) // 2, (height - short) // 2
    return image.crop((left, top, left + short, top + short)).resize((side, side), _lanczos())


def _lanczos() -> Any:
    from PIL import Image

    return Image.Resampling.LANCZOS
