"""Sound that comes along: every track, at its time, in a form that MP4 has, or a word about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidigree.media import TruncatedMediaError, VideoWriter, open_video

_FRAMES = 36
_FPS = 24


@dataclass(frozen=True)
class Track:
    """A track that is silent but for a click, in all channels, at a time in seconds."""

    codec: str = "pcm_s16le"
    rate: int = 48_000
    layout: str = "mono"
    click: float = 1.0
    language: str = ""
    disposition: int = 0


def picture(number: int) -> np.ndarray:
    x, y = np.meshgrid(np.arange(96), np.arange(64))
    return np.stack([(x * 2 + number) % 256, (y * 3) % 256, (x + y) % 256], -1).astype(np.uint8)


def source(
    path: Path, tracks: Sequence[Track], *, videos: int = 1, offset: int = 0, title: str = ""
) -> Path:
    """Write a clip of 1.5 s with tracks, beginning ``offset`` seconds later than others."""
    options = {"output_ts_offset": str(offset)}
    with av.open(str(path), "w", container_options=options) as container:
        container.metadata["title"] = title
        codec = "mpeg4" if path.suffix == ".avi" else "libx264"
        pictures = [container.add_stream(codec, rate=_FPS) for _ in range(videos)]
        for video in pictures:
            video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        streams = [container.add_stream(t.codec, rate=t.rate, layout=t.layout) for t in tracks]
        for stream, track in zip(streams, tracks, strict=True):
            stream.disposition = track.disposition
            if track.language:
                stream.metadata["language"] = track.language
        for video in pictures:
            for number in range(_FRAMES):
                frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        for stream, track in zip(streams, tracks, strict=True):
            resampler = av.AudioResampler(
                format=stream.codec_context.format,
                layout=track.layout,
                rate=track.rate,
                frame_size=stream.codec_context.frame_size or 1_024,
            )
            for part in [*resampler.resample(clicking(track)), *resampler.resample(None)]:
                container.mux(stream.encode(part))
            container.mux(stream.encode(None))
    return path


def clicking(track: Track) -> av.AudioFrame:
    channels = av.AudioLayout(track.layout).nb_channels
    samples = np.zeros((track.rate * _FRAMES // _FPS, channels), np.float32)
    start, length = int(track.click * track.rate), track.rate // 20
    # So low that a channel for bass lets it pass, too.
    samples[start : start + length] = 0.7
    frame = av.AudioFrame(format="flt", layout=track.layout, samples=len(samples))
    data = samples.tobytes()
    frame.planes[0].update(data.ljust(frame.planes[0].buffer_size, b"\0"))
    frame.rate, frame.pts, frame.time_base = track.rate, 0, Fraction(1, track.rate)
    return frame


def carried(path: Path, output: Path) -> tuple[str, ...]:
    """Write the pictures of a file anew, its sound carried over; return the notes."""
    with (
        open_video(path) as video,
        VideoWriter(output, width=96, height=64, fps=Fraction(_FPS), audio_from=path) as writer,
    ):
        for frame in video:
            writer.write(frame.image, frame.time)
    return writer.notes


def clicks(path: Path, number: int = 0) -> list[float]:
    """Return when each channel of a track first is loud, in seconds; -1 if never."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[number]
        layout = stream.codec_context.layout
        resampler = av.AudioResampler(format="flt", layout=layout, rate=stream.rate)
        firsts = [-1.0] * layout.nb_channels
        for frame in container.decode(stream):
            for part in resampler.resample(frame):
                sound = np.frombuffer(part.planes[0], np.float32)[: part.samples * len(firsts)]
                loud = np.abs(sound.reshape(part.samples, -1)) > 0.2
                for channel in np.flatnonzero(loud.any(0)):
                    at = part.pts * part.time_base + loud[:, channel].argmax() / stream.rate
                    firsts[channel] = at if firsts[channel] < 0 else firsts[channel]
    return [float(first) for first in firsts]


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(384_000, 96_000), (192_000, 96_000), (44_056, 44_100), (22_255, 22_050), (5_000, 7_350),
     (48_000, 48_000)],
)  # fmt: skip
def test_rates_that_aac_has_not_go_to_the_nearest_at_the_same_time(
    tmp_path: Path, rate: int, expected: int
) -> None:
    output = tmp_path / "out.mp4"
    assert carried(source(tmp_path / "in.mkv", [Track(rate=rate)]), output) == ()
    with av.open(str(output)) as container:
        assert container.streams.audio[0].rate == expected
    assert clicks(output) == [pytest.approx(1, abs=0.002)]


def test_a_rate_that_mp4_does_not_take_of_a_codec_is_encoded(tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    carried(source(tmp_path / "in.mkv", [Track("libmp3lame", 8_000)]), output)
    with av.open(str(output)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
    assert clicks(output) == [pytest.approx(1, abs=0.002)]


@pytest.mark.parametrize("codec", ["pcm_u8", "pcm_s24le", "pcm_f64le", "wavpack", "tta"])
def test_sample_formats(tmp_path: Path, codec: str) -> None:
    output = tmp_path / "out.mp4"
    carried(source(tmp_path / "in.mkv", [Track(codec)]), output)
    assert clicks(output) == [pytest.approx(1, abs=0.002)]


@pytest.mark.parametrize(
    ("layout", "expected"),
    [("4.1", "5.1"), ("5.1", "5.1"), ("5.1(side)", "5.1"), ("6.1", "7.1"), ("7.1", "7.1"),
     ("7.1(wide)", "7.1")],
)  # fmt: skip
def test_channels_keep_their_place(tmp_path: Path, layout: str, expected: str) -> None:
    path, output = tmp_path / "in.mov", tmp_path / "out.mp4"
    carried(source(path, [Track(layout=layout)]), output)
    with av.open(str(output)) as container:
        found = container.streams.audio[0].codec_context.layout
    assert found.name == expected
    names = [channel.name for channel in av.AudioLayout(layout).channels]
    heard = {c.name for c, at in zip(found.channels, clicks(output), strict=True) if at > 0}
    assert len(heard) >= len(set(names) & {channel.name for channel in found.channels})


@pytest.mark.parametrize("name", ["in.mov", "in.mkv"])
def test_more_channels_than_aac_places_are_left_out_with_a_word(tmp_path: Path, name: str) -> None:
    tracks = [Track(layout="7.1.4"), Track(click=0.5)]
    (note,) = carried(source(tmp_path / name, tracks), tmp_path / "out.mp4")
    assert note.startswith("Audio track 1 was left out: AAC has no place for its channels")
    assert clicks(tmp_path / "out.mp4") == [pytest.approx(0.5, abs=0.002)]


def test_every_track_comes_with_its_language_and_its_use(tmp_path: Path) -> None:
    kinds = av.stream.Disposition
    tracks = [
        Track(click=0.25, language="deu"),
        Track("flac", 22_255, "stereo", 0.5, "fra", kinds.default),
        Track("aac", click=0.75, language="eng", disposition=kinds.comment),
    ]
    output = tmp_path / "out.mp4"
    assert carried(source(tmp_path / "in.mkv", tracks), output) == ()
    with av.open(str(output)) as container:
        streams = container.streams.audio
        assert [stream.metadata["language"] for stream in streams] == ["deu", "fra", "eng"]
        assert [stream.disposition for stream in streams] == [0, kinds.default, kinds.comment]
    for number, track in enumerate(tracks):
        assert clicks(output, number)[0] == pytest.approx(track.click, abs=0.025)


def test_what_is_neither_picture_nor_sound_is_named(tmp_path: Path) -> None:
    path = source(tmp_path / "in.mkv", [Track()], videos=3)
    (note,) = carried(path, tmp_path / "out.mp4")
    assert note.endswith("2 further video tracks.")


def test_a_track_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    path = source(tmp_path / "in.mkv", [Track("wavpack"), Track(click=0.5)])
    path.write_bytes(path.read_bytes().replace(b"A_WAVPACK4", b"A_NO_CODEC"))
    notes = carried(path, tmp_path / "out.mp4")
    assert notes == ("Audio track 1 was left out: it cannot be decoded.",)
    assert clicks(tmp_path / "out.mp4") == [pytest.approx(0.5, abs=0.002)]


def test_a_title_in_another_code_is_no_hindrance(tmp_path: Path) -> None:
    path = source(tmp_path / "in.avi", [Track()], title="XXXX")
    path.write_bytes(path.read_bytes().replace(b"XXXX", "\xc4h\xe9!".encode("latin-1")))
    carried(path, tmp_path / "out.mp4")
    assert clicks(tmp_path / "out.mp4") == [pytest.approx(1, abs=0.002)]


@pytest.mark.parametrize("offset", [0, 2])
def test_a_track_may_change_its_form_but_not_run_backwards(tmp_path: Path, offset: int) -> None:
    silent = source(tmp_path / "a.ts", [Track("mp2", 32_000, click=9)])
    other = source(tmp_path / "b.ts", [Track("mp2", 48_000, "stereo", click=0.5)], offset=offset)
    path, output = tmp_path / "in.ts", tmp_path / "out.mp4"
    path.write_bytes(silent.read_bytes() + other.read_bytes())
    if offset:
        carried(path, output)
        assert clicks(output) == [pytest.approx(offset + 0.5, abs=0.1)]
    else:
        with pytest.raises(TruncatedMediaError, match=r"audio of .* is damaged"):
            carried(path, output)
