"""Reading video: any container PyAV reads, as a stream of upright frames with their times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from vidigree.media.arguments import path_of
from vidigree.media.colour import BT709, known_primaries, known_transfer
from vidigree.media.completeness import damaged_places, missing_bytes
from vidigree.media.demuxing import demuxed
from vidigree.media.errors import NotAVideoError, TruncatedMediaError, UnsupportedMediaError
from vidigree.media.frame import DecodedFrame, Frame
from vidigree.media.gaps import GapFinder
from vidigree.media.joints import FrameClock, frame_rate, may_be_joined
from vidigree.media.opening import open_container, video_stream
from vidigree.media.orientation import Orientation, turns_nothing
from vidigree.media.reordering import in_order, says_no_order

__all__ = ["Frame", "VideoInfo", "VideoReader", "open_video", "probe", "probe_container"]

_HDR_TRANSFERS = {16: "PQ (SMPTE ST 2084)", 18: "HLG (ARIB STD-B67)"}


_WIDEST_PIXEL = Fraction(100)

# Which byte of a pixel is alpha.
_ALPHA_AT = {"rgba": 3, "bgra": 3, "argb": 0, "abgr": 0}


@dataclass(frozen=True, kw_only=True)
class VideoInfo:
    """What a container says about its first video stream.

    Attributes:
        path: The file.
        width: Width as displayed, in pixels (after rotation).
        height: Height as displayed, in pixels (after rotation).
        fps: Average frame rate in frames per second.
        num_frames: Frame count by the container; ``None`` where it has none.
        duration: Seconds; ``None`` where the container has none.
        rotation: Degrees clockwise that a player turns the coded picture: 0, 90, 180 or 270.
        codec: Codec name, e.g. ``"h264"``.
        container: Demuxer name, e.g. ``"mov,mp4,m4a,3gp,3g2,mj2"``.
        pixel_format: Coded pixel format, e.g. ``"yuv420p"``; empty where nothing was decoded.
        has_audio: Whether there is an audio stream.
        variable_frame_rate: Whether the container declares frames at uneven distances.
        hdr: Name of the HDR transfer function, empty for standard range.
        pixel_aspect: Width of a pixel over its height as displayed (after rotation); 1 is square,
            and taken where the file says nothing or nothing that can be.
        interlaced: Whether the first picture holds two moments, line by line.
        transparent: Whether the first picture is not opaque everywhere, or other planes say so.
        primaries: Whose red, green and blue the RGB pictures have (ITU-T H.273, table 2); BT.709
            where the file says none.
        transfer: How light becomes code in them (table 3); BT.709 where the file says nothing.
    """

    path: Path
    width: int
    height: int
    fps: Fraction
    num_frames: int | None
    duration: Fraction | None
    rotation: int
    codec: str
    container: str
    pixel_format: str
    has_audio: bool
    variable_frame_rate: bool
    hdr: str = ""
    pixel_aspect: Fraction = Fraction(1)
    interlaced: bool = False
    transparent: bool = False
    primaries: int = BT709
    transfer: int = BT709


class VideoReader:
    """A video file that is open for one pass; use :func:`open_video`."""

    def __init__(self, path: Path, *, as_shown: bool = False) -> None:
        self._path = path
        self._as_shown = as_shown
        self._container = open_container(path)
        try:
            self._stream = video_stream(self._container, path)
            self._refuse_cut(missing_bytes(path, self._container.format.name))
            self._gaps = GapFinder(1 / frame_rate(self._stream))
            first, self._orientation, self._hdr = self._first_frame()
            self._pending: av.VideoFrame | None = first
            described = _describe(
                path,
                self._container,
                self._stream,
                self._orientation.size(first.width, first.height),
                rotation=self._orientation.rotation,
                pixel_format=first.format.name,
                hdr=self._hdr,
            )
            self.info = replace(
                described,
                interlaced=bool(first.interlaced_frame),
                transparent=_is_transparent(first, self._stream),
                primaries=known_primaries(first.color_primaries),
                transfer=known_transfer(first.color_trc),
            )
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yield every frame in display order, once.

        Raises:
            TruncatedMediaError: The file ends early, or a frame cannot be decoded.
            UnsupportedMediaError: The pictures change their size.
        """
        clock = FrameClock(1 / self.info.fps, joined=may_be_joined(self._container))
        start = Fraction(self._container.start_time or 0, 1_000_000)
        while (frame := self._pending) is not None:
            stamp = None
            if frame.pts is not None and frame.time_base is not None:
                stamp = frame.pts * frame.time_base - start
            time = clock.time(stamp)
            self._check_size(frame)
            yield DecodedFrame(
                frame,
                orientation=self._orientation,
                time=time,
                name=str(self._path),
                as_shown=self._as_shown,
            )
            self._pending = self._next_frame()
        self._check_complete()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the frames that were read so far are known to lack, a sentence each."""
        notes = (
            (self._gaps.found, "lacks packets of its picture", "frames are missing or damaged"),
            (self._damaged_places, "is damaged", "pictures and sound are missing"),
        )
        return tuple(
            f"The file {what} at {places} place{'s' * (places > 1)}: {lost} there."
            " Get a complete copy of it, if there is one."
            for places, what, lost in notes
            if places
        )

    @cached_property
    def _damaged_places(self) -> int:
        """Of the whole file, which is read through for it."""
        return damaged_places(self._path, self._container.format.name)

    def images(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames' images only: uint8 RGB, (height, width, 3)."""
        for frame in self:
            yield frame.image

    def _first_frame(self) -> tuple[av.VideoFrame, Orientation, str]:
        if says_no_order(self._container, self._stream):
            self._frames = in_order(self._container, self._stream)
        else:
            self._frames = self._as_stamped()
        self._decoded = 0
        frame = self._next_frame()
        if frame is None:
            raise NotAVideoError(
                f"{self._path} has a video track without frames.",
                hint="Give a complete video file.",
            )
        return frame, Orientation.of(frame), _HDR_TRANSFERS.get(int(frame.color_trc or 0), "")

    def _as_stamped(self) -> Iterator[av.VideoFrame]:
        for packet in demuxed(self._container, self._stream):
            self._gaps.see(packet)
            yield from packet.decode()

    def _next_frame(self) -> av.VideoFrame | None:
        try:
            frame = next(self._frames, None)
        except MemoryError:
            raise  # says nothing of the file
        except (av.error.FFmpegError, OSError, ValueError) as error:
            if isinstance(error, BlockingIOError) and "avcodec_open2" in str(error.filename):
                raise  # nor does a system that allows the decoder no threads
            raise TruncatedMediaError(
                f"{self._path} is damaged: frame {self._decoded} cannot be decoded.",
                hint="Get a complete copy of the file.",
            ) from error
        if frame is not None:
            self._decoded += 1
            if frame.is_corrupt:
                raise TruncatedMediaError(
                    f"{self._path} is damaged at frame {self._decoded - 1}.",
                    hint="Get a complete copy of the file.",
                )
        return frame

    def _check_size(self, frame: av.VideoFrame) -> None:
        width, height = self._orientation.size(frame.width, frame.height)
        if (width, height) != (self.info.width, self.info.height):
            raise UnsupportedMediaError(
                f"{self._path} changes its frame size in the middle"
                f" ({self.info.width} x {self.info.height} to {width} x {height}).",
                hint="Split it at the change, or re-encode it at one size.",
            )

    def _check_complete(self) -> None:
        """Refuse a file whose index points past its end; the decoder alone just stops early."""
        # Only MP4 indexes are complete at opening; elsewhere they grow as packets are read.
        entries = self._stream.index_entries
        if "mp4" in self._container.format.name and entries:
            end = max(entry.pos + entry.size for entry in entries)
            self._refuse_cut(end - self._path.stat().st_size)

    def _refuse_cut(self, missing: int) -> None:
        if missing > 0:
            raise TruncatedMediaError(
                f"{self._path} is truncated: bytes are missing, at least {missing}.",
                hint="Get a complete copy of the file.",
            )


def open_video(path: Path | str, *, as_shown: bool = False) -> VideoReader:
    """Open a video file for one pass over its frames.

    Args:
        path: A local file. Playlists and URLs are not followed.
        as_shown: Whether RGB pictures have the colours that players show where the file names no
            matrix: for what is shown again. Measurements want one conversion for all.

    Returns:
        A context manager with ``.info``; iterate over it for frames.

    Raises:
        MediaNotFoundError: There is no such file.
        NotAVideoError: The file holds no video, or no frames.
        TruncatedMediaError: The file is cut off or damaged.
        UnsupportedMediaError: A video of a kind that cannot be handled.
        MediaError: The file cannot be opened.
        UsageError: The path is none, or no file can have it.
    """
    return VideoReader(path_of(path, "clip"), as_shown=as_shown)


def probe(path: Path | str) -> VideoInfo:
    """Return what the container says; only the first frame is decoded. Raises as open_video."""
    with open_video(path) as reader:
        return reader.info


def probe_container(path: Path | str) -> VideoInfo:
    """Return what the container says; where that is plain, as in most MP4s, nothing is decoded.

    Whether the frames can be decoded stays open. Raises as open_video.
    """
    path = path_of(path, "clip")
    with open_container(path, decode=False) as container:
        stream = video_stream(container, path)
        size = (stream.codec_context.width, stream.codec_context.height)
        plain = "mp4" in container.format.name and stream.average_rate and stream.frames
        if plain and min(size) > 0 and turns_nothing(path):
            return _describe(path, container, stream, size)
    return probe(path)


def _describe(
    path: Path,
    container: Any,
    stream: Any,
    size: tuple[int, int],
    *,
    rotation: int = 0,
    pixel_format: str = "",
    hdr: str = "",
) -> VideoInfo:
    average, base = stream.average_rate, stream.base_rate
    duration = None
    if stream.duration and stream.time_base:
        duration = stream.duration * stream.time_base
    elif container.duration:
        duration = Fraction(container.duration, 1_000_000)
    return VideoInfo(
        path=path,
        width=size[0],
        height=size[1],
        fps=frame_rate(stream),
        num_frames=stream.frames or None,
        duration=duration,
        rotation=rotation,
        codec=stream.codec_context.name,
        container=container.format.name,
        pixel_format=pixel_format,
        has_audio=bool(container.streams.audio),
        variable_frame_rate=bool(average and base) and abs(float(average) / float(base) - 1) > 0.01,
        hdr=hdr,
        pixel_aspect=_pixel_aspect(stream, rotation),
    )


def _is_transparent(frame: av.VideoFrame, stream: Any) -> bool:
    # FFmpeg's own decoders of VP8 and VP9 leave these planes out.
    if stream.metadata.get("alpha_mode") == "1":
        return True
    if not any(component.is_alpha for component in frame.format.components):
        return False
    if frame.format.name in _ALPHA_AT:  # a picture of 100 million pixels is not copied for this
        plane: Any = frame.planes[0]
        # Lines of a picture that is kept upside down have a length below zero.
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, abs(plane.line_size))
        return bool(rows[:, _ALPHA_AT[frame.format.name] : 4 * frame.width : 4].min() < 255)
    try:
        return bool(frame.to_ndarray(format="rgba")[..., 3].min() < 255)
    except MemoryError:
        raise
    except (av.error.FFmpegError, ValueError) as error:
        raise UnsupportedMediaError(
            f"Pixel format {frame.format.name} cannot be converted to RGB.",
            hint="Convert it to H.264 yuv420p first.",
        ) from error


def _pixel_aspect(stream: Any, rotation: int) -> Fraction:
    said = Fraction(stream.sample_aspect_ratio or 1)
    if not 1 / _WIDEST_PIXEL <= said <= _WIDEST_PIXEL:
        return Fraction(1)
    return 1 / said if rotation % 180 else said
