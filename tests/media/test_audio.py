"""Sound that comes along: every track, at its time, in a form that MP4 has, or a word about it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest
from fixtures.sounding_clips import Track, carried, clicks, source

from vidigree.media import OutputError, audio


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


def test_chapters_and_tags_that_stay_behind_are_named(tmp_path: Path) -> None:
    bare, full = tmp_path / "bare.mkv", tmp_path / "full.mkv"
    source(bare, [Track("aac")])
    tags = {"title": "A", "artist": "B", "COMMENT": "C", "x" * 99: "D"}
    with av.open(str(bare)) as reading, av.open(str(full), "w") as writing:
        writing.metadata.update(tags)
        streams = [writing.add_stream_from_template(stream) for stream in reading.streams]
        parts = {"id": 1, "start": 0, "end": 1, "time_base": Fraction(1), "metadata": {}}
        writing.set_chapters([parts])
        for packet in reading.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                writing.mux(packet)
    assert carried(bare, tmp_path / "out.mp4") == ()
    (note,) = carried(full, tmp_path / "out.mp4")
    assert note.startswith(
        "Left out, as only picture and sound are carried over: 1 chapter, 4 tags"
    )
    assert "ARTIST" in note
    assert len(note) < 150


def test_too_little_memory_is_no_damage_of_the_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object) -> None:
        raise av.error.MemoryError(12, "Cannot allocate memory")

    path = source(tmp_path / "in.mkv", [Track("mp2")])
    monkeypatch.setattr(audio, "demuxed", exhausted)
    with pytest.raises(OutputError, match=r"there is not enough memory\. Free some"):
        carried(path, tmp_path / "out.mp4")
