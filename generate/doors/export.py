"""Frames in memory become a stamped file; one of the two doors is shaped like diffusers' own."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engine import RequestWarning
from vidigree.generate.frames import to_uint8
from vidigree.generate.request import frame_rate
from vidigree.media.arguments import check_kind, path_of
from vidigree.media.errors import EngineError, UsageError
from vidigree.media.progress import Progress, no_progress
from vidigree.watermark.clip import Clip, Origin
from vidigree.watermark.method import watermark_methods
from vidigree.watermark.stamp import StampReceipt, StampSettings, stamp

__all__ = ["export_to_video", "stamp_frames"]

# Frames in which a mark from memory is looked for; a stamped pipeline marks all of them.
_LOOKED_AT = 24


def stamp_frames(
    frames: Any,
    output: Path | str,
    *,
    fps: Fraction | float,
    origin: Origin | None = None,
    settings: StampSettings | None = None,
    progress: Progress = no_progress,
) -> StampReceipt:
    """Issue frames that some other code made: marked, signed, recorded.

    Frames that :func:`stamped` marked in memory keep their clip id and are not marked twice. What
    was joined to them unmarked leaves so, where it is less than a tenth of the time.

    Args:
        frames: PIL images, a float array or tensor in [0, 1], or uint8; (F, H, W, 3), tensors
            (F, 3, H, W).
        output: The MP4 file to write.
        fps: Frames per second.
        origin: What made them; by default an unnamed generative model.
        settings: Keys, ledger and quality; ``None`` loads them from the data folder.
        progress: Called as frames are written and read back.

    Raises:
        EngineError: ``frames`` are not frames (latents, wrong ranges, no numbers), or of different
            sizes.
        UsageError: There are none, they were issued already, or rate, name or settings mean
            nothing.
        UnsupportedMediaError: A side is odd, which H.264 4:2:0 cannot hold.
        StampError: The clip could not be marked; nothing was issued.
        CredentialsError: There is no signing identity, or signing failed.
        LedgerError: The ledger cannot be opened, or the clip could not be recorded.
        OutputError: The output cannot be written.
    """
    output = path_of(output, "output")
    settings = StampSettings.load() if settings is None else settings
    check_kind(settings, StampSettings, "the settings")
    images = _images(frames)
    rate = _rate(fps)
    clip = Clip(
        frames=images,
        width=images[0].shape[1],
        height=images[0].shape[0],
        fps=rate,
        num_frames=len(images),
        origin=origin or Origin(synthetic=True, trained_model=True),
        clip_id=_known_mark(images, rate, settings),
    )
    return stamp(clip, output, settings=settings, progress=progress)


def export_to_video(  # noqa: PLR0917 -- the signature that it replaces
    video_frames: Any,
    output_video_path: str | None = None,
    fps: float = 10,
    quality: float = 5.0,
    bitrate: int | None = None,
    macro_block_size: int | None = 16,
    *,
    origin: Origin | None = None,
    settings: StampSettings | None = None,
) -> str:
    """Write frames to an MP4 file; drop-in for ``diffusers.utils.export_to_video``.

    What differs: the file is marked, signed and recorded; the size never changes; floats are
    rounded, and uint8 frames are taken as they are; the file carries colour tags. An existing file
    is replaced, as there.

    Args:
        video_frames: PIL images, float arrays or tensors in [0, 1], or uint8 arrays.
        output_video_path: The MP4 file; ``None`` makes a temporary one.
        fps: Frames per second.
        quality: 0 (worst) to 10 (lossless); 5 is x264's CRF 25, as there.
        bitrate: Not used: the quality decides. A warning says so.
        macro_block_size: Not used: frames are never resized.
        origin: What made the frames; by default an unnamed generative model.
        settings: Keys and ledger; ``None`` loads them from the data folder.

    Returns:
        The path of the file.

    Raises:
        EngineError: ``video_frames`` are not frames.
        UsageError: The quality is out of range, there are no frames, they were issued already, or
            rate, name or settings mean nothing.
        UnsupportedMediaError: A side is odd, which H.264 4:2:0 cannot hold.
        StampError: The clip could not be marked; nothing was issued.
        CredentialsError: There is no signing identity, or signing failed.
        LedgerError: The ledger cannot be opened, or the clip could not be recorded.
        OutputError: The output cannot be written.
    """
    del macro_block_size
    crf = _crf(quality)
    if bitrate is not None:
        warnings.warn("The bitrate is not used; quality decides.", RequestWarning, stacklevel=2)
    settings = StampSettings.load() if settings is None else settings
    check_kind(settings, StampSettings, "the settings")
    settings = replace(settings, crf=crf, overwrite=True)
    path = None if output_video_path is None else path_of(output_video_path, "output")
    own = tempfile.mkdtemp(prefix="vidigree-") if path is None else None
    path = path or Path(own or "", "video.mp4")
    try:
        stamp_frames(video_frames, path, fps=fps, origin=origin, settings=settings)
    except BaseException:
        if own is not None:
            Path(own).rmdir()
        raise
    return output_video_path or str(path)


def _crf(quality: float) -> int:
    if not 0 <= quality <= 10:
        raise UsageError(f"The quality is {quality}; it must be in the range 0 to 10.")
    return int(51 * (1 - quality / 10))


def _images(frames: Any) -> list[NDArray[np.uint8]]:
    """Return frames as 8-bit pictures of one size, at least one."""
    images = list(to_uint8(frames))
    if not images:
        raise UsageError("There are no frames to stamp.")
    sizes = {image.shape[1::-1] for image in images}
    if len(sizes) > 1:
        named = ", ".join(f"{width} x {height}" for width, height in sorted(sizes)[:3])
        raise EngineError(
            f"The frames have different sizes: {named}.", hint="Bring them to one size first."
        )
    return images


def _rate(fps: Fraction | float | str) -> Fraction:
    try:
        # Of text, a long exponent would fill the memory.
        rate = frame_rate(fps) if isinstance(fps, str) else Fraction(fps).limit_denominator(1001)
    except (ValueError, OverflowError, TypeError, ZeroDivisionError) as error:
        raise UsageError(f"{fps!r} is not a frame rate.") from error
    if not 1 <= rate <= 240:
        raise UsageError(f"The frame rate is {fps}; it must be in the range 1 to 240.")
    return rate


def _known_mark(
    images: Sequence[NDArray[np.uint8]], fps: Fraction, settings: StampSettings
) -> int | None:
    """Return the clip id that the frames carry already, if they were marked in memory.

    A second mark over the first would make both unreadable.
    """
    method = watermark_methods.get(settings.method)()
    reading = method.detect(images[:_LOOKED_AT], keys=[settings.keys.active], fps=fps)
    if not reading.present or reading.message is None:
        return None
    entry = settings.ledger.find_clip(reading.message)
    if entry is not None:
        raise UsageError(
            f"These frames were issued already, as clip {reading.message:016x}"
            f" ({entry.file or 'file unknown'}).",
            hint="Copy that file; an edited clip is stamped with 'vidigree stamp'.",
        )
    return reading.message
