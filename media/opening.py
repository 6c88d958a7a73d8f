"""Opening a file that may be hostile: nothing that it names is followed, no device, no playlist."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import av.error

from vidigree.media.errors import (
    MediaError,
    MediaNotFoundError,
    NotAVideoError,
    TruncatedMediaError,
    UnsupportedMediaError,
    UsageError,
)

__all__ = ["check_file", "container_tags", "open_container", "video_stream"]

# Demuxers that read one local file and follow no reference in it. Playlists (hls, concat, dash)
# and devices are left out on purpose: they make the reader open what the file names.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,flv,gif,apng,ivf,h264,hevc,obu,mpeg,mpegts,"
    "mpegvideo,m4v,mxf,nut,ogg,rm,yuv4mpegpipe"
)
_MAX_SIDE = 16_384
_MAX_BOXES = 10_000
_MOST_STREAMS = 64
# Bytes. No list of the packets of a real file takes so much at once.
_AMPLE_MEMORY = 256 << 20


def open_container(path: Path, *, decode: bool = True) -> Any:
    """Open a local file with its demuxer.

    Args:
        path: The file. Playlists and URLs are not followed.
        decode: Whether frames will be asked for. Without it nothing is decoded to learn about the
            streams, which is about fifty times faster and leaves pixel formats unknown.

    Raises:
        MediaNotFoundError: There is no such file.
        NotAVideoError: No demuxer takes it.
        TruncatedMediaError: It is an MP4 without its index.
        MediaError: The file cannot be opened.
    """
    check_file(path)
    try:
        if decode:
            return _opened(path, [])
        try:
            return _opened(path, [{"skip_frame": "all"}] * _MOST_STREAMS)
        except ValueError as error:
            if isinstance(error, av.error.FFmpegError):
                raise
            # PyAV takes no options for an MPEG programme stream: what it holds shows as it is read.
            return _opened(path, [])
    except PermissionError as error:
        raise MediaError(
            f"{path} cannot be opened: permission denied.", hint="Check its permissions."
        ) from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, MemoryError) and _memory_is_short():
            raise  # says nothing of the file
        if _is_cut_mp4(path):
            raise _cut_index(path) from error
        raise NotAVideoError(
            f"{path} is not a video that can be read.",
            hint="Give an MP4, MOV, WebM, MKV, AVI, GIF or MPEG file.",
        ) from error


def _opened(path: Path, streams: Any) -> Any:
    return av.open(
        # "file:" keeps a name like "http:x" from being taken for a URL.
        f"file:{path.absolute()}",
        options={"protocol_whitelist": "file", "format_whitelist": _FORMATS},
        stream_options=streams,
        metadata_errors="replace",
    )


def container_tags(path: Path) -> Mapping[str, str]:
    """Return the tags of a container; none of a file that no demuxer takes.

    Raises:
        MediaNotFoundError: There is no such file.
        MediaError: The file cannot be opened.
    """
    try:
        with open_container(path, decode=False) as container:
            tags: Mapping[str, str] = dict(container.metadata)
            return tags
    except (NotAVideoError, TruncatedMediaError):
        return {}


def video_stream(container: Any, path: Path) -> Any:
    """Return the first video stream that is no cover art.

    Raises:
        NotAVideoError: There is none.
        TruncatedMediaError: There is none because the index is cut.
        UnsupportedMediaError: It cannot be decoded, or its pictures are too large.
    """
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


def check_file(path: Path, *, kind: str = "video") -> None:
    """Refuse what is no file, or an empty one.

    Args:
        path: What shall be read.
        kind: What it shall hold, for messages.

    Raises:
        MediaNotFoundError: There is no such file.
        UsageError: No file can have this name.
        NotAVideoError: It is empty.
        MediaError: It is a folder or a device, or cannot be reached.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise MediaNotFoundError(f"There is no file {path}.", hint="Check the path.") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise UsageError(
                "The file name is too long.", hint="Give the file a shorter one."
            ) from error
        raise MediaError(
            f"{path} cannot be opened: {error.strerror or error}.",
            hint="Check the path and its permissions.",
        ) from error
    except ValueError as error:
        raise UsageError(f"{str(path)!r} is not a file name: {error}.") from error
    if path.is_dir():
        raise MediaError(f"{path} is a folder.", hint=f"Give a {kind} file.")
    if not path.is_file():
        raise MediaError(f"{path} is not a regular file.", hint=f"Copy the {kind} to a file first.")
    if size == 0:
        raise NotAVideoError(f"{path} is empty.", hint=f"Give a complete {kind} file.")


def _memory_is_short() -> bool:
    """Tell whether memory is what is missing, and not a file that claims to need absurdly much."""
    try:
        bytearray(_AMPLE_MEMORY)
    except MemoryError:
        return True
    return False


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
