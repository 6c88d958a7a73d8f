"""One audio track on its way into an MP4: copied where MP4 can hold it, else encoded as AAC."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Protocol

import av
import av.error

__all__ = ["AudioTrack", "NotCarriedError", "UnevenSoundError", "open_track"]

_COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})
_AAC_FRAME = 1_024  # samples a frame; AAC takes no other length
# ISO/IEC 14496-3, table 1.18: the sampling frequencies that have an index.
_AAC_RATES = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
)  # fmt: skip
# What AAC has a channel configuration for, so that any player knows which channel is which.
_AAC_LAYOUTS = frozenset(
    {"mono", "stereo", "2.1", "3.0", "3.0(back)", "4.0", "quad", "5.0", "5.1", "7.1"}
)
# Others go to one of those in which every channel has a place. FFmpeg drops the channels above
# and below when it mixes, so that layouts with more than these have none.
_WIDER = {
    "downmix": "stereo", "quad(side)": "quad", "3.1": "5.1", "4.1": "5.1", "5.0(side)": "5.0",
    "5.1(side)": "5.1", "6.0": "7.1", "6.0(front)": "7.1", "hexagonal": "7.1", "6.1": "7.1",
    "6.1(back)": "7.1", "6.1(front)": "7.1", "7.0": "7.1", "7.0(front)": "7.1",
    "7.1(wide)": "7.1", "7.1(wide-side)": "7.1", "5.1.2": "7.1", "octagonal": "7.1",
}  # fmt: skip
# Raw formats such as PCM say only how many channels there are.
_USUAL = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "7.1", 8: "7.1"}

_KEPT_DISPOSITIONS = (
    av.stream.Disposition.default
    | av.stream.Disposition.dub
    | av.stream.Disposition.original
    | av.stream.Disposition.comment
    | av.stream.Disposition.hearing_impaired
    | av.stream.Disposition.visual_impaired
)

_Timed = tuple[Fraction, Any]


class NotCarriedError(Exception):
    """A track that an MP4 cannot hold; the text says why."""


class UnevenSoundError(Exception):
    """A track that cannot go on as it began; the text says what it does."""


class AudioTrack(Protocol):
    """One track of an output file."""

    def take(self, packet: Any) -> Iterator[_Timed]:
        """Yield what becomes of a packet of the input: times in seconds, and packets.

        An empty packet ends the track.
        """


def open_track(stream: Any, output: Any, start: Fraction, heard: Any = None) -> AudioTrack:
    """Add a track to an output file.

    Args:
        stream: Audio stream of the input.
        output: Container to write, not begun.
        start: Time in the input, in seconds, that is 0 in the output.
        heard: First frame of the sound, where the file does not say what it is like.

    Raises:
        NotCarriedError: MP4 cannot hold it; nothing was added.
    """
    context = stream.codec_context
    if context is None:
        raise NotCarriedError("it cannot be decoded")
    if heard is not None:
        return _described(_Encoded(heard, output, start), stream)
    if not context.sample_rate or not context.layout.nb_channels:
        raise NotCarriedError("it holds no sound")
    if context.name.removesuffix("float") in _COPIED and _can_copy(stream):
        return _described(_Copied(stream, output, start), stream)
    return _described(_Encoded(context, output, start), stream)


def _described(track: _Copied | _Encoded, stream: Any) -> AudioTrack:
    """Carry over the language, and what the track is for."""
    language = stream.metadata.get("language", "und")
    if language != "und":
        track.stream.metadata["language"] = language
    track.stream.disposition = stream.disposition & _KEPT_DISPOSITIONS
    return track


def _can_copy(stream: Any) -> bool:
    """Try it, in memory: which rates of a codec MP4 takes is known to the muxer alone."""
    with av.open(io.BytesIO(), "w", format="mp4") as trial:
        try:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
        except (av.error.FFmpegError, ValueError):
            return False
    return True


class _Copied:
    """Packets as they are, at new times."""

    def __init__(self, stream: Any, output: Any, start: Fraction) -> None:
        self.stream = output.add_stream_from_template(stream)
        self._shift = round(start / stream.time_base)
        self._form: bytes | None = None

    def take(self, packet: Any) -> Iterator[_Timed]:
        if packet.dts is None:  # the demuxer's end marker
            return
        form = _adts_form(packet)
        if self._form is not None and form and form != self._form:
            # An MP4 says once what AAC is in it, and players hear noise or nothing from here on.
            raise UnevenSoundError("changes its rate or its channels in the middle")
        self._form = form or self._form
        packet.dts -= self._shift
        packet.pts = packet.dts if packet.pts is None else packet.pts - self._shift
        packet.stream = self.stream
        yield packet.dts * packet.time_base, packet


def _adts_form(packet: Any) -> bytes:
    """Return profile, rate and channels of AAC that says them in every packet, else nothing.

    Source:
        ISO/IEC 13818-7, section 6.2.1 (fixed header of ADTS).
    """
    if packet.stream.codec_context.name != "aac" or packet.size < 4:
        return b""
    head = bytes(memoryview(packet)[:4])
    if head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return b""
    return bytes([head[2] & 0xFD, head[3] & 0xC0])


class _Encoded:
    """Sound that is decoded, brought to a rate and a layout that AAC has, and encoded."""

    def __init__(self, sound: Any, output: Any, start: Fraction) -> None:
        self._rate = min(_AAC_RATES, key=lambda rate: abs(rate - sound.sample_rate))
        self._layout = _aac_layout(sound.layout)
        self._start = start
        self.stream = output.add_stream("aac", rate=self._rate, layout=self._layout)
        self._converter: Any = None
        self._converted: Any = None
        self._cutter = av.AudioResampler(
            format="fltp", layout=self._layout, rate=self._rate, frame_size=_AAC_FRAME
        )

    def take(self, packet: Any) -> Iterator[_Timed]:
        for frame in packet.decode():
            for part in self._convert(frame):
                yield from self._encode(self._cutter.resample(part))
        if not packet.size and packet.dts is None:  # the demuxer's end marker
            for part in self._flush():
                yield from self._encode(self._cutter.resample(part))
            yield from self._encode([*self._cutter.resample(None), None])

    def _convert(self, frame: Any) -> Iterator[Any]:
        """Yield sound in the encoder's form; a track may change its own form in the middle."""
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._converted:
            yield from self._flush()
            self._converter = av.AudioResampler(format="fltp", layout=self._layout, rate=self._rate)
            self._converted = form
        yield from self._converter.resample(frame)

    def _flush(self) -> Iterator[Any]:
        converter, self._converter, self._converted = self._converter, None, None
        if converter is not None:
            # One that has nothing to do hands on the end marker, too.
            yield from (part for part in converter.resample(None) if part is not None)

    def _encode(self, parts: list[Any]) -> Iterator[_Timed]:
        for part in parts:
            if part is not None and part.pts is not None:
                part.pts -= round(self._start / part.time_base)
            for packet in self.stream.encode(part):
                yield (packet.dts or 0) * packet.time_base, packet


def _aac_layout(layout: Any) -> str:
    """Return the layout to encode a layout in; no channel is lost.

    Raises:
        NotCarriedError: There is none.
    """
    name = str(layout.name)
    if name.endswith("channels"):
        name = _USUAL.get(layout.nb_channels, name)
    name = _WIDER.get(name, name)
    if name not in _AAC_LAYOUTS:
        raise NotCarriedError(f"AAC has no place for its channels ({layout.name})")
    return name
