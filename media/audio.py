"""Audio of an input file carried over into a new MP4, in step with the video."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import av.error

from vidigree.media.audio_track import NotCarriedError, UnevenSoundError, open_track
from vidigree.media.continuity import is_unbroken
from vidigree.media.demuxing import demuxed
from vidigree.media.errors import TruncatedMediaError, UnsupportedMediaError
from vidigree.media.first_sound import first_sound
from vidigree.media.joints import JointFinder, frame_rate, may_be_joined
from vidigree.media.left_out import left_out
from vidigree.media.opening import open_container, video_stream
from vidigree.media.programme import late_tracks
from vidigree.media.sound_lane import SoundLane

__all__ = ["AudioCarrier"]

# What FFmpeg answers to packets that no file may hold; other failures are the output's.
_WRONG = frozenset({errno.EINVAL, errno.ERANGE})


class AudioCarrier:
    """Moves the audio tracks of a file into an output container.

    The packets are copied where MP4 can hold the codec, otherwise encoded again as AAC.
    """

    def __init__(self, source: Any, output: Any, path: Path) -> None:
        self._source, self._output, self._path = source, output, path
        self._lanes: dict[int, SoundLane] = {}
        self._video = video_stream(source, path)
        self._finder = JointFinder(1 / frame_rate(self._video)) if may_be_joined(source) else None
        refused = []
        start = Fraction(source.start_time or 0, 1_000_000)
        for number, stream in enumerate(source.streams.audio, 1):
            try:
                heard = None if _is_known(stream) else first_sound(path, stream.index)
                track = open_track(stream, output, start, heard)
            except NotCarriedError as error:
                refused.append(f"Audio track {number} was left out: {error}.")
            else:
                is_whole = _completeness(source, path, stream.id)
                self._lanes[stream.index] = SoundLane(track, number, self._finder, is_whole)
        self._left_out = (*refused, *left_out(source, self._video), *_late(source, path))
        self._packets = self._moved()
        self._held: tuple[Fraction, Any] | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What is in the file and did not come along so far, a sentence each."""
        return (*self._left_out, *(note for lane in self._lanes.values() for note in lane.notes))

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
            UnsupportedMediaError: A track runs backwards, or changes its form and cannot.
        """
        while True:
            if self._held is None:
                self._held = self._next()
            if self._held is None or (until is not None and self._held[0] > until):
                return
            try:
                self._output.mux(self._held[1])
            except (av.error.FFmpegError, ValueError) as error:
                if not _is_of_the_packet(error):
                    raise
                raise self._damaged() from error
            self._held = None

    def close(self) -> None:
        """Close the input file."""
        self._source.close()

    def _next(self) -> tuple[Fraction, Any] | None:
        try:
            return next(self._packets, None)
        except UnevenSoundError as error:
            raise UnsupportedMediaError(
                f"The audio of {self._path} {error}.",
                hint="Encode its audio anew with FFmpeg (-c:v copy -c:a aac), or remove it.",
            ) from error
        except MemoryError:
            raise  # says nothing of the file
        except (av.error.FFmpegError, ValueError) as error:
            raise self._damaged() from error

    def _moved(self) -> Iterator[tuple[Fraction, Any]]:
        inputs = [self._source.streams[index] for index in self._lanes]
        if not inputs:
            return
        if self._finder is None:
            for packet in demuxed(self._source, *inputs):
                yield from self._lanes[packet.stream.index].take(packet)
            return
        for packet in demuxed(self._source, self._video, *inputs):
            if packet.stream.index == self._video.index:
                self._finder.see(packet)
                for lane in self._lanes.values():
                    yield from lane.go_on()
            else:
                yield from self._lanes[packet.stream.index].take(packet)

    def _damaged(self) -> TruncatedMediaError:
        return TruncatedMediaError(
            f"The audio of {self._path} is damaged.", hint="Remove or repair the audio track."
        )


def _is_of_the_packet(error: Exception) -> bool:
    """Return whether writing failed by what was written, such as AAC without its header."""
    if isinstance(error, av.error.InvalidDataError) or not isinstance(error, av.error.FFmpegError):
        return True
    return error.errno in _WRONG


def _is_known(stream: Any) -> bool:
    """Return whether the file says what the sound is like, or nobody can say it."""
    context = stream.codec_context
    return context is None or bool(context.sample_rate and context.layout.nb_channels)


def _completeness(source: Any, path: Path, number: int) -> Callable[[], bool]:
    """Return what tells whether a file has all of a track; of most kinds nothing does."""
    if source.format.name != "mpegts":
        return lambda: False
    return partial(is_unbroken, path, number)


def _late(source: Any, path: Path) -> tuple[str, ...]:
    """Say in a sentence which tracks nobody knew of at opening, if there are any."""
    if source.format.name != "mpegts":
        return ()
    late = late_tracks(path, {stream.id for stream in source.streams})
    if not late:
        return ()
    return (f"Left out: {late} track{'s' * (late > 1)} in the middle of the file.",)
