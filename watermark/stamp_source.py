"""What is stamped: frames with their times and sizes, from a generated clip or from a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidigree.media.colour import BT709
from vidigree.media.errors import UnsupportedMediaError, UsageError
from vidigree.media.frame import MOST_PIXELS
from vidigree.media.reading import VideoInfo, open_video
from vidigree.watermark.clip import Clip, Origin

__all__ = ["StampSource", "check_name", "check_size", "keep_source", "open_source", "padded"]


@dataclass(frozen=True, kw_only=True)
class StampSource:
    """Frames with their times, wherever they come from.

    Attributes:
        frames: uint8 RGB (H, W, 3) and presentation time in seconds, ``None`` where the frame rate
            says it.
        width: Pixels.
        height: Pixels.
        fps: Frames per second.
        num_frames: How many there will be, where that is known.
        origin: What made the clip.
        path: The file, where there is one; its audio is carried over.
        clip_id: The mark that the frames carry already, if any.
        pixel_aspect: Width of a pixel over its height.
        primaries: Of red, green and blue (ITU-T H.273).
        transfer: Of the values, likewise.
        notes: What of the picture does not come along, a sentence each.
        told: Returns what else is known of the picture once the frames were read, likewise.
    """

    frames: Iterable[tuple[NDArray[np.uint8], Fraction | None]]
    width: int
    height: int
    fps: Fraction
    num_frames: int | None
    origin: Origin
    path: Path | None = None
    clip_id: int | None = None
    pixel_aspect: Fraction = Fraction(1)
    primaries: int = BT709
    transfer: int = BT709
    notes: tuple[str, ...] = ()
    told: Callable[[], tuple[str, ...]] = tuple


def open_source(source: Clip | Path, origin: Origin | None, stack: ExitStack) -> StampSource:
    """Return a source's frames and facts; a file stays open as long as ``stack``.

    Raises:
        UnsupportedMediaError: The file is HDR video.
        MediaError: It cannot be read.
    """
    if isinstance(source, Clip):
        return StampSource(
            frames=((image, None) for image in source.frames),
            width=source.width,
            height=source.height,
            fps=source.fps,
            num_frames=source.num_frames,
            origin=origin or source.origin,
            clip_id=source.clip_id,
        )
    video = stack.enter_context(open_video(source, as_shown=True))
    info = video.info
    if info.hdr:
        raise UnsupportedMediaError(
            f"{source} is HDR video ({info.hdr}), which would lose its range.",
            hint="Convert it to SDR (BT.709) first.",
        )
    return StampSource(
        frames=((frame.image, frame.time) for frame in video),
        width=info.width,
        height=info.height,
        fps=info.fps,
        num_frames=info.num_frames,
        origin=origin or Origin(),
        path=source,
        pixel_aspect=info.pixel_aspect,
        primaries=info.primaries,
        transfer=info.transfer,
        notes=tuple(_lost(info)),
        told=lambda: video.notes,
    )


def _lost(info: VideoInfo) -> Iterator[str]:
    if info.transparent:
        yield "Transparency was left out: clear places show the colour that is stored for them."
    if info.interlaced:
        yield (
            "The clip says that it is interlaced, and players will not know it any more: where the"
            " lines of two moments are in a frame, they stay. Deinterlace it before it is stamped."
        )


def check_name(output: Path) -> None:
    """Refuse the name of an output that no clip may have.

    Raises:
        UsageError: It does not end in .mp4, or is not UTF-8.
    """
    if output.suffix.lower() != ".mp4":
        raise UsageError(
            f"The output {str(output)!r} must be a name that ends in .mp4.",
            hint="Only MP4 files are written.",
        )
    try:
        str(output.absolute()).encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            "The output's name or folder is not UTF-8; credentials and ledger name the clip.",
            hint="Choose another one.",
        ) from error


def check_size(width: int, height: int) -> None:
    """Refuse pictures that fill the memory, and that no audit would take afterwards.

    Args:
        width: Pixels.
        height: Pixels.

    Raises:
        UnsupportedMediaError: There are more than :data:`MOST_PIXELS` of them.
    """
    if width * height > MOST_PIXELS:
        raise UnsupportedMediaError(
            f"A picture of {width} x {height} pixels is too large to be stamped;"
            f" the limit is {MOST_PIXELS} in all.",
            hint="Scale it down first.",
        )


def keep_source(source: Path, output: Path) -> None:
    """Refuse to write onto the source.

    Raises:
        UsageError: Both are the same file.
    """
    try:
        same = output.samefile(source)
    except (OSError, ValueError):
        return  # one of them is not there, or has no usable name: opening it says so
    if same:
        raise UsageError(
            f"{output} is the source itself, which is never overwritten.",
            hint="Choose another name for the output.",
        )


def padded(
    images: Iterable[NDArray[np.uint8]], width: int, height: int
) -> Iterator[NDArray[np.uint8]]:
    """Yield uint8 RGB images of this size, their last row and column repeated as needed."""
    for image in images:
        missing = (height - image.shape[0], width - image.shape[1])
        if any(missing):
            yield np.pad(image, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
        else:
            yield image
