"""Audio of an input file carried over into a new MP4, in step with the video."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from vidigree.media.audio_track import AudioTrack, NotCarriedError, open_track
from vidigree.media.errors import TruncatedMediaError
from vidigree.media.opening import open_container, video_stream

__all__ = ["AudioCarrier"]

# What FFmpeg answers to packets that no file may hold; other failures are the output's.
_WRONG = frozenset({errno.EINVAL, errno.ERANGE})

_NAMES = {"video": "further video track", "attachment": "attachment"}


class AudioCarrier:
    """Moves the audio tracks of a file into an output container.

    The packets are copied where MP4 can hold the codec, otherwise encoded again as AAC.

    Attributes:
        notes: What else is in the file and does not come along, a sentence each.
    """

    def __init__(self, source: Any, output: Any, path: Path) -> None:
        self._source, self._output, self._path = source, output, path
        self._tracks: dict[int, AudioTrack] = {}
        left_out = []
        start = Fraction(source.start_time or 0, 1_000_000)
        for number, stream in enumerate(source.streams.audio, 1):
            try:
                self._tracks[stream.index] = open_track(stream, output, start)
            except NotCarriedError as error:
                left_out.append(f"Audio track {number} was left out: {error}.")
        self.notes = (*left_out, *_others(source, path))
        self._packets = self._moved()
        self._held: tuple[Fraction, Any] | None = None

    @classmethod
    def open(cls, path: Path, output: Any) -> AudioCarrier:
        """Return a carrier for ``path``, which may have no audio.

        Raises:
            MediaError: The file cannot be read.
        """
        source = open_container(path)
        try:
            return cls(source, output, path)
        except BaseException:
            source.close()
            raise

    def carry(self, until: Fraction | None) -> None:
        """Move all audio before ``until`` (seconds); ``None`` moves the rest.

        Raises:
            TruncatedMediaError: An audio track is damaged.
        """
        while True:
            if self._held is None:
                self._held = self._next()
            if self._held is None or (until is not None and self._held[0] > until):
                return
            try:
                self._output.mux(self._held[1])
            except (av.error.FFmpegError, ValueError) as error:
                if isinstance(error, av.error.FFmpegError) and error.errno not in _WRONG:
                    raise
                raise self._damaged() from error
            self._held = None

    def close(self) -> None:
        """Close the input file."""
        self._source.close()

    def _next(self) -> tuple[Fraction, Any] | None:
        try:
            return next(self._packets, None)
        except (av.error.FFmpegError, ValueError) as error:
            raise self._damaged() from error

    def _moved(self) -> Iterator[tuple[Fraction, Any]]:
        inputs = [self._source.streams[index] for index in self._tracks]
        if inputs:
            for packet in self._source.demux(inputs):
                yield from self._tracks[packet.stream.index].take(packet)

    def _damaged(self) -> TruncatedMediaError:
        return TruncatedMediaError(
            f"The audio of {self._path} is damaged.", hint="Remove or repair the audio track."
        )


def _others(source: Any, path: Path) -> tuple[str, ...]:
    """Say in a sentence what is in the file beside its picture and its sound, if anything is."""
    attached = av.stream.Disposition.attached_pic
    video = video_stream(source, path)
    kinds = Counter(
        "cover picture"
        if stream.disposition & attached
        else _NAMES.get(stream.type, f"{stream.type} track")
        for stream in source.streams
        if stream.type != "audio" and stream.index != video.index
    )
    if not kinds:
        return ()
    counts = [f"{count} {kind}{'s' * (count > 1)}" for kind, count in sorted(kinds.items())]
    return (f"Left out, as only picture and sound are carried over: {', '.join(counts)}.",)
