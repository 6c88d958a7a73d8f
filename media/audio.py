"""Audio of an input file carried over into a new MP4, in step with the video."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from vidigree.media.errors import TruncatedMediaError

__all__ = ["AudioCarrier"]

_COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})
_AAC_FRAME = 1_024  # samples a frame; AAC takes no other length


class AudioCarrier:
    """Moves the first audio track of a file into an output container.

    The packets are copied where MP4 can hold the codec, otherwise encoded again as AAC.
    """

    def __init__(self, source: Any, output: Any, path: Path) -> None:
        self._source, self._output, self._path = source, output, path
        self._input = source.streams.audio[0]
        self._start = Fraction(source.start_time or 0, 1_000_000)
        self._copied = self._input.codec_context.name.removesuffix("float") in _COPIED
        if self._copied:
            self._stream = output.add_stream_from_template(self._input)
        else:
            self._layout = _layout_name(self._input.codec_context.layout)
            self._stream = output.add_stream("aac", rate=self._input.rate, layout=self._layout)
        self._packets = self._copies() if self._copied else self._encoded()
        self._held: tuple[Fraction, Any] | None = None

    @classmethod
    def open(cls, path: Path, output: Any) -> AudioCarrier | None:
        """Return a carrier for ``path``, or ``None`` if it has no audio."""
        source = av.open(f"file:{path.absolute()}", options={"protocol_whitelist": "file"})
        if not source.streams.audio or source.streams.audio[0].codec_context is None:
            source.close()
            return None
        return cls(source, output, path)

    def carry(self, until: Fraction | None) -> None:
        """Move all audio before ``until`` (seconds); ``None`` moves the rest.

        Raises:
            TruncatedMediaError: The audio track is damaged.
        """
        while True:
            if self._held is None:
                self._held = self._next()
            if self._held is None or (until is not None and self._held[0] > until):
                return
            self._output.mux(self._held[1])
            self._held = None

    def close(self) -> None:
        """Close the input file."""
        self._source.close()

    def _next(self) -> tuple[Fraction, Any] | None:
        try:
            return next(self._packets, None)
        except (av.error.InvalidDataError, av.error.EOFError) as error:
            raise TruncatedMediaError(
                f"The audio of {self._path} is damaged.", hint="Remove or repair the audio track."
            ) from error

    def _copies(self) -> Iterator[tuple[Fraction, Any]]:
        shift = round(self._start / self._input.time_base)
        for packet in self._source.demux(self._input):
            if packet.dts is None:  # the demuxer's end marker
                continue
            packet.dts -= shift
            packet.pts = packet.dts if packet.pts is None else packet.pts - shift
            packet.stream = self._stream
            yield packet.dts * self._input.time_base, packet

    def _encoded(self) -> Iterator[tuple[Fraction, Any]]:
        resampler = av.AudioResampler(
            format="fltp", layout=self._layout, rate=self._input.rate, frame_size=_AAC_FRAME
        )
        shift = None
        for frame in self._decoded():
            for part in resampler.resample(frame):
                if shift is None and part.time_base is not None:
                    shift = round(self._start / part.time_base)
                if part.pts is not None:
                    part.pts -= shift or 0
                yield from self._timed(self._stream.encode(part))
        yield from self._timed(self._stream.encode(None))

    def _decoded(self) -> Iterator[Any]:
        yield from self._source.decode(self._input)
        yield None  # flushes the resampler

    def _timed(self, packets: Any) -> Iterator[tuple[Fraction, Any]]:
        for packet in packets:
            yield (packet.dts or 0) * packet.time_base, packet


def _layout_name(layout: Any) -> str:
    """Name a channel layout; raw formats such as PCM say only how many channels there are."""
    usual = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}
    name = str(layout.name)
    return usual.get(layout.nb_channels, "stereo") if name.endswith("channels") else name
