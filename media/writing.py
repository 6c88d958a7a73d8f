"""Writing video: MP4 with H.264, yuv420p, colour tags, index in front, audio carried over."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from vidigree.media.audio import AudioCarrier
from vidigree.media.colour import BT709
from vidigree.media.errors import MediaError, OutputError, UnsupportedMediaError
from vidigree.media.output import output_error

__all__ = ["VideoWriter"]

_LIMITED_RANGE = 1  # FFmpeg's AVCOL_RANGE_MPEG
_CLOCK = 90_000  # ticks per second; the usual video clock, divides 24, 25, 30 and 60 frames
# Seconds from one frame to the next: a distance of 2**31 ticks is read as none, without a word.
_LONGEST_WAIT = 6 * 3_600
_CUT_IT = "Cut the clip there, or encode it at an even frame rate first."


class VideoWriter:
    """Encodes RGB frames to an MP4 file, one at a time, in constant memory.

    Args:
        path: The file to write; replaced if it exists. Use :func:`vidigree.media.output_file`
            for a file that is there whole or not at all.
        width: Frame width in pixels; must be even, since 4:2:0 has one colour sample per 2 pixels.
        height: Frame height in pixels; must be even.
        fps: Frames per second; the distance of frames written without a time.
        crf: x264 constant rate factor, 0 (lossless) to 51; 18 looks the same as the source.
        preset: x264 preset, ``"ultrafast"`` to ``"veryslow"``.
        audio_from: File whose audio tracks are carried over; copied where MP4 can hold them, else
            AAC.
        pixel_aspect: Width of a pixel over its height; 1 writes none.
        primaries: Of the frames' red, green and blue (ITU-T H.273); nothing is converted.
        transfer: Of the frames' values, likewise.

    Attributes:
        notes: What of ``audio_from`` is left out beside its picture, a sentence each.

    Raises:
        UnsupportedMediaError: An odd size, or a size H.264 does not have.
        MediaError: ``audio_from`` cannot be read.
        OutputError: The file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        fps: Fraction,
        crf: float = 18,
        preset: str = "medium",
        audio_from: Path | None = None,
        pixel_aspect: Fraction = Fraction(1),
        primaries: int = BT709,
        transfer: int = BT709,
    ) -> None:
        if width % 2 or height % 2:
            raise UnsupportedMediaError(
                f"H.264 in 4:2:0 needs even sizes, and this clip is {width} x {height}.",
                hint="Pad or crop it by one pixel first; sizes are never changed silently.",
            )
        if min(width, height) < 16 or max(width, height) > 16_384:
            raise UnsupportedMediaError(
                f"{width} x {height} is not a size that can be encoded.",
                hint="Each side must have 16 to 16384 pixels.",
            )
        self.path = path
        self.num_frames = 0
        self._shape = (height, width, 3)
        self._step = 1 / Fraction(fps)
        self._last = Fraction(-1)
        self.notes: tuple[str, ...] = ()
        self._audio: AudioCarrier | None = None
        try:
            self._container = av.open(
                str(path), "w", format="mp4", options={"movflags": "+faststart"}
            )
            self._stream = self._add_stream(Fraction(fps), crf, preset)
            self._stream.codec_context.color_primaries = primaries
            self._stream.codec_context.color_trc = transfer
            if pixel_aspect != 1:
                self._stream.codec_context.sample_aspect_ratio = pixel_aspect
            if audio_from is not None:
                self._audio = AudioCarrier.open(audio_from, self._container)
                self.notes = self._audio.notes
        except MediaError:
            self.abandon()
            raise
        except (av.error.FFmpegError, OSError) as error:
            raise output_error(path, cast("OSError", error)) from error

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def write(self, image: NDArray[np.uint8], time: Fraction | None = None) -> None:
        """Encode one frame.

        Args:
            image: uint8 RGB of shape (height, width, 3).
            time: Presentation time in seconds, growing; ``None`` means one step after the last.

        Raises:
            OutputError: The frame has another shape or type, the time does not grow, or the file
                cannot be written.
            UnsupportedMediaError: The frame comes less than 1/90000 s after the last, or more than
                six hours; or the coding order needs longer waits than MP4 has.
        """
        if image.shape != self._shape or image.dtype != np.uint8:
            raise OutputError(
                f"Frame {self.num_frames} is {image.dtype} {image.shape},"
                f" expected uint8 {self._shape}."
            )
        if time is None:
            time = Fraction(0) if self.num_frames == 0 else self._last + self._step
        if time <= self._last:
            raise OutputError(f"Frame {self.num_frames} is not later than the one before it.")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
        frame.pts = self._tick(time)
        frame.time_base = Fraction(1, _CLOCK)
        self._last = time
        self.num_frames += 1
        self._encode(frame)
        if self._audio is not None:
            self._carry_audio(time)

    def close(self) -> None:
        """Finish the file.

        Raises:
            OutputError: No frame was written, or the file cannot be finished.
            UnsupportedMediaError: As of :meth:`write`.
        """
        if self.num_frames == 0:
            self.abandon()
            raise OutputError("No video was written: there were no frames.")
        try:
            self._encode(None)
            if self._audio is not None:
                self._carry_audio(None)
                self.notes = self._audio.notes
                self._audio.close()
        except BaseException:
            self.abandon()
            raise
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError) as error:
            raise output_error(self.path, cast("OSError", error)) from error

    def abandon(self) -> None:
        """Close without finishing; what is on the disk then is not a video."""
        if self._audio is not None:
            self._audio.close()
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError) as error:
            # The job failed already for another reason, and the caller deletes the file.
            del error

    def _add_stream(self, fps: Fraction, crf: float, preset: str) -> Any:
        stream = cast("Any", self._container.add_stream("libx264", rate=fps))
        height, width, _ = self._shape
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(crf), "preset": preset}
        context = stream.codec_context
        context.time_base = Fraction(1, _CLOCK)
        context.colorspace = BT709
        context.color_range = _LIMITED_RANGE
        return stream

    def _tick(self, time: Fraction) -> int:
        """Return the time of the next frame as the file will have it."""
        tick, wait = round(time * _CLOCK), time - self._last
        if self.num_frames and not (tick > round(self._last * _CLOCK) and wait <= _LONGEST_WAIT):
            raise UnsupportedMediaError(
                f"Frame {self.num_frames} comes {float(wait):g} s after the one before it;"
                " the MP4 that is written holds distances from 1/90000 s to six hours.",
                hint=_CUT_IT,
            )
        return tick

    def _encode(self, frame: av.VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except av.error.PatchWelcomeError as error:
            # Frames are coded before others that are shown earlier, hours earlier here.
            raise UnsupportedMediaError(
                "Frames are shown too long after each other for the MP4 that is written.",
                hint=_CUT_IT,
            ) from error
        except (av.error.FFmpegError, OSError) as error:
            raise output_error(self.path, cast("OSError", error)) from error

    def _carry_audio(self, until: Fraction | None) -> None:
        assert self._audio is not None  # noqa: S101 - narrowed for the type checker
        try:
            self._audio.carry(until)
        except (av.error.FFmpegError, OSError) as error:
            raise output_error(self.path, cast("OSError", error)) from error
