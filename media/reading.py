"""Reading video: any container PyAV reads, as a stream of upright RGB frames with their times."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import (
    MediaError,
    MediaNotFoundError,
    NotAVideoError,
    TruncatedMediaError,
    UnsupportedMediaError,
    UsageError,
)
from vidigree.media.orientation import Orientation

__all__ = ["Frame", "VideoInfo", "VideoReader", "open_video", "probe"]

# Demuxers that read one local file and follow no reference in it. Playlists (hls, concat, dash)
# and devices are left out on purpose: they make the reader open what the file names.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,flv,gif,apng,ivf,h264,hevc,obu,mpeg,mpegts,"
    "mpegvideo,m4v,mxf,nut,ogg,rm,yuv4mpegpipe"
)
_HDR_TRANSFERS = {16: "PQ (SMPTE ST 2084)", 18: "HLG (ARIB STD-B67)"}
_MAX_SIDE = 16_384
_MAX_BOXES = 10_000


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One decoded frame.

    Attributes:
        image: uint8 RGB of shape (height, width, 3), upright.
        time: Presentation time in seconds from the start of the container.
    """

    image: NDArray[np.uint8]
    time: Fraction


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
        pixel_format: Coded pixel format, e.g. ``"yuv420p"``.
        has_audio: Whether there is an audio stream.
        variable_frame_rate: Whether the container declares frames at uneven distances.
        hdr: Name of the HDR transfer function, empty for standard range.
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


class VideoReader:
    """A video file that is open for one pass; use :func:`open_video`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._container = _open_container(path)
        try:
            self._stream = _video_stream(self._container, path)
            first, self._orientation, self._hdr = self._first_frame()
            self._pending: av.VideoFrame | None = first
            self.info = self._describe(first)
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
        """
        step = 1 / self.info.fps
        start = Fraction(self._container.start_time or 0, 1_000_000)
        previous: Fraction | None = None
        while (frame := self._pending) is not None:
            if frame.pts is not None and frame.time_base is not None:
                time = max(frame.pts * frame.time_base - start, Fraction(0))
            else:
                time = Fraction(0) if previous is None else previous + step
            # Damaged or missing stamps must not run backwards: later code divides by distances.
            if previous is not None and time <= previous:
                time = previous + step
            previous = time
            yield Frame(image=self._upright(frame), time=time)
            self._pending = self._next_frame()
        self._check_complete()

    def images(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames' images only: uint8 RGB, (height, width, 3)."""
        for frame in self:
            yield frame.image

    def _first_frame(self) -> tuple[av.VideoFrame, Orientation, str]:
        self._frames = self._container.decode(self._stream)
        self._decoded = 0
        frame = self._next_frame()
        if frame is None:
            raise NotAVideoError(
                f"{self._path} has a video track without frames.",
                hint="Give a complete video file.",
            )
        return frame, Orientation.of(frame), _HDR_TRANSFERS.get(int(frame.color_trc or 0), "")

    def _next_frame(self) -> av.VideoFrame | None:
        try:
            frame = next(self._frames, None)
        except (av.error.FFmpegError, OSError, ValueError) as error:
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

    def _upright(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        try:
            image = frame.to_ndarray(format="rgb24")
        except (av.error.FFmpegError, ValueError) as error:
            raise UnsupportedMediaError(
                f"{self._path}: pixel format {frame.format.name} cannot be converted to RGB.",
                hint="Convert it to H.264 yuv420p first.",
            ) from error
        upright = self._orientation.apply(cast("NDArray[np.uint8]", image))
        expected = (self.info.height, self.info.width)
        if upright.shape[:2] != expected:
            raise UnsupportedMediaError(
                f"{self._path} changes its frame size in the middle"
                f" ({expected[1]} x {expected[0]} to {upright.shape[1]} x {upright.shape[0]}).",
                hint="Split it at the change, or re-encode it at one size.",
            )
        return upright

    def _describe(self, first: av.VideoFrame) -> VideoInfo:
        stream = self._stream
        average, base = stream.average_rate, stream.base_rate
        fps = average or stream.guessed_rate or base or Fraction(25)
        width, height = self._orientation.size(first.width, first.height)
        duration = None
        if stream.duration and stream.time_base:
            duration = stream.duration * stream.time_base
        elif self._container.duration:
            duration = Fraction(self._container.duration, 1_000_000)
        uneven = bool(average and base) and abs(float(average) / float(base) - 1) > 0.01
        return VideoInfo(
            path=self._path,
            width=width,
            height=height,
            fps=Fraction(fps),
            num_frames=stream.frames or None,
            duration=duration,
            rotation=self._orientation.rotation,
            codec=stream.codec_context.name,
            container=self._container.format.name,
            pixel_format=first.format.name,
            has_audio=bool(self._container.streams.audio),
            variable_frame_rate=uneven,
            hdr=self._hdr,
        )

    def _check_complete(self) -> None:
        """Refuse a file whose index points past its end; the decoder alone just stops early."""
        # Only MP4 indexes are complete at opening; elsewhere they grow as packets are read.
        entries = self._stream.index_entries
        if "mp4" in self._container.format.name and entries:
            end = max(entry.pos + entry.size for entry in entries)
            size = self._path.stat().st_size
            if end > size:
                raise TruncatedMediaError(
                    f"{self._path} is truncated: {end - size} bytes are missing at its end.",
                    hint="Get a complete copy of the file.",
                )


def open_video(path: Path | str) -> VideoReader:
    """Open a video file for one pass over its frames.

    Args:
        path: A local file. Playlists and URLs are not followed.

    Returns:
        A context manager with ``.info``; iterate over it for frames.

    Raises:
        MediaNotFoundError: There is no such file.
        NotAVideoError: The file holds no video, or no frames.
        TruncatedMediaError: The file is cut off or damaged.
        UnsupportedMediaError: A video of a kind that cannot be handled.
        MediaError: The file cannot be opened.
    """
    return VideoReader(Path(path))


def probe(path: Path | str) -> VideoInfo:
    """Return what the container says; only the first frame is decoded. Raises as open_video."""
    with open_video(path) as reader:
        return reader.info


def _open_container(path: Path) -> Any:
    _check_file(path)
    options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    try:
        # "file:" keeps a name like "http:x" from being taken for a URL.
        return av.open(f"file:{path.absolute()}", options=options)
    except PermissionError as error:
        raise MediaError(f"{path} cannot be opened: permission denied.") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if _is_cut_mp4(path):
            raise _cut_index(path) from error
        raise NotAVideoError(
            f"{path} is not a video that can be read.",
            hint="Give an MP4, MOV, WebM, MKV, AVI, GIF or MPEG file.",
        ) from error


def _check_file(path: Path) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise MediaNotFoundError(f"There is no file {path}.", hint="Check the path.") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise UsageError("The file name is too long.") from error
        raise MediaError(f"{path} cannot be opened: {error.strerror or error}.") from error
    except ValueError as error:
        raise UsageError(f"{str(path)!r} is not a file name: {error}.") from error
    if path.is_dir():
        raise MediaError(f"{path} is a folder.", hint="Give a video file.")
    if not path.is_file():
        raise MediaError(f"{path} is not a regular file.", hint="Copy the video to a file first.")
    if size == 0:
        raise NotAVideoError(f"{path} is empty.", hint="Give a complete video file.")


def _cut_index(path: Path) -> TruncatedMediaError:
    return TruncatedMediaError(
        f"{path} is truncated: its index (moov box) is missing or cut.",
        hint="Get a complete copy of the file.",
    )


def _is_cut_mp4(path: Path) -> bool:
    """Tell whether this is an MP4 whose top-level boxes end early or lack the index."""
    size = path.stat().st_size
    names: list[bytes] = []
    with path.open("rb") as stream:
        offset = 0
        while offset < size and len(names) < _MAX_BOXES:
            stream.seek(offset)
            header = stream.read(16)
            length = int.from_bytes(header[:4], "big")
            if length == 1:  # 64-bit size follows the name
                length = int.from_bytes(header[8:16], "big")
            names.append(header[4:8])
            if names[0] != b"ftyp":
                return False
            offset = offset + length if length >= 8 else size
    return offset > size or b"moov" not in names


def _video_stream(container: Any, path: Path) -> Any:
    attached = int(av.stream.Disposition.attached_pic)
    for stream in container.streams.video:
        if int(stream.disposition) & attached:  # cover art of an audio file
            continue
        context = stream.codec_context
        if context is None:
            raise UnsupportedMediaError(
                f"{path} uses a video codec that cannot be decoded.",
                hint="Convert it to H.264 first.",
            )
        if max(context.width, context.height) > _MAX_SIDE:
            raise UnsupportedMediaError(
                f"{path} is {context.width} x {context.height} pixels;"
                f" the limit is {_MAX_SIDE} a side.",
                hint="Scale it down first.",
            )
        stream.thread_type = "AUTO"
        return stream
    if _is_cut_mp4(path):
        raise _cut_index(path)
    raise NotAVideoError(f"{path} has no video track.", hint="Give a file with a video track.")
