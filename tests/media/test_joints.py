"""Files made by appending one to another play one after the other, sound and picture together."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fixtures.sounding_clips import Track, carried, clicks, source, without_sound

from vidigree.media import UnsupportedMediaError, open_video

LENGTH = 1.5


def joined(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def loud_at(path: Path) -> list[float]:
    """Return when the first track begins to be loud, every time, in seconds of its container."""
    found: list[float] = []
    last = -1.0
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="flt", layout="mono", rate=stream.rate)
        for frame in container.decode(stream):
            for part in resampler.resample(frame):
                loud = np.abs(np.frombuffer(part.planes[0], np.float32)[: part.samples]) > 0.2
                time = float(part.pts * part.time_base)
                if loud.any():
                    if time - last > 0.3:
                        found.append(time + float(loud.argmax()) / stream.rate)
                    last = time
    return found


@pytest.mark.parametrize(
    ("name", "video", "audio"),
    [
        ("x.ts", "libx264", "aac"),
        ("x.ts", "mpeg2video", "mp2"),
        ("x.ts", "libx264", "libmp3lame"),
        ("x.mpg", "mpeg2video", "mp2"),
    ],
)
def test_parts_follow_each_other_in_step(tmp_path: Path, name: str, video: str, audio: str) -> None:
    parts = [
        source(tmp_path / f"{click}{name}", [Track(audio, click=click)], codec=video)
        for click in (0.5, 0.75, 1.0)
    ]
    path, output = joined(tmp_path / name, *parts), tmp_path / "out.mp4"
    alone = [clicks(part)[0] - 0.5 for part in parts]
    notes = carried(path, output)
    with open_video(output) as video_file:
        times = [float(frame.time) for frame in video_file]
    assert np.diff(times) == pytest.approx(1 / 24, abs=1e-3)
    assert len(times) == 3 * 36
    with av.open(str(parts[0])) as container:
        start = float(Fraction(container.start_time, 1_000_000))
    heard = [number * LENGTH + at + 0.5 - start for number, at in enumerate(alone)]
    assert loud_at(output) == [pytest.approx(at, abs=0.01) for at in heard]
    assert all("where the joined parts of the file overlap" in note for note in notes)


def test_a_part_without_sound(tmp_path: Path) -> None:
    sounding = source(tmp_path / "a.ts", [Track("mp2", click=0.5)])
    mute, output = without_sound(tmp_path / "mute.ts", sounding), tmp_path / "out.mp4"
    carried(joined(tmp_path / "x.ts", sounding, mute, sounding), output)
    assert loud_at(output) == [pytest.approx(at, abs=0.1) for at in (0.5, 2 * LENGTH + 0.5)]


@pytest.mark.parametrize(
    ("name", "video", "audio"),
    [
        ("x.ts", "libx264", "aac"),
        ("x.ts", "libx264", "mp2"),
        ("x.ts", "mpeg2video", "ac3"),
        ("x.mpg", "mpeg2video", "mp2"),
    ],
)
@pytest.mark.parametrize("until", [0.0, 0.9])
def test_sound_that_begins_in_a_later_part_comes_with_its_pictures(
    tmp_path: Path, name: str, video: str, audio: str, until: float
) -> None:
    sounding = source(tmp_path / name, [Track(audio, click=1.2)], codec=video)
    mute = without_sound(tmp_path / f"mute{name}", sounding)
    late = without_sound(tmp_path / f"late{name}", sounding, until=until)
    output = tmp_path / "out.mp4"
    notes = carried(joined(tmp_path / f"in{name}", mute, mute, late), output)
    with av.open(str(output)) as container:
        assert container.streams.audio[0].rate == 48_000
    assert loud_at(output) == [pytest.approx(2 * LENGTH + 1.2, abs=0.06)]
    assert notes == ()


def test_a_track_may_change_its_form_where_parts_were_joined(tmp_path: Path) -> None:
    silent = source(tmp_path / "a.ts", [Track("mp2", 32_000, click=9)])
    other = source(tmp_path / "b.ts", [Track("mp2", 48_000, "stereo", click=0.5)])
    output = tmp_path / "out.mp4"
    carried(joined(tmp_path / "in.ts", silent, other), output)
    assert loud_at(output) == [pytest.approx(LENGTH + 0.5, abs=0.1)]


def test_a_track_may_change_its_form_where_times_go_on(tmp_path: Path) -> None:
    silent = source(tmp_path / "a.ts", [Track("mp2", 32_000, click=9)])
    other = source(tmp_path / "b.ts", [Track("mp2", 48_000, "stereo", click=0.5)], offset=2)
    output = tmp_path / "out.mp4"
    carried(joined(tmp_path / "in.ts", silent, other), output)
    assert loud_at(output) == [pytest.approx(2.5, abs=0.1)]


def test_sound_that_lasts_much_longer_than_its_part_is_refused_with_a_word(
    tmp_path: Path,
) -> None:
    long = source(tmp_path / "a.ts", [Track("mp2", seconds=3)])
    path = joined(tmp_path / "x.ts", long, source(tmp_path / "b.ts", [Track("mp2")]))
    with pytest.raises(UnsupportedMediaError, match=r"runs backwards by 1\.\d+ s") as error:
        carried(path, tmp_path / "out.mp4")
    assert "FFmpeg" in error.value.hint


@pytest.mark.parametrize(("rate", "layout"), [(24_000, "mono"), (48_000, "stereo")])
def test_aac_that_changes_its_form_is_not_copied_as_if_it_did_not(
    tmp_path: Path, rate: int, layout: str
) -> None:
    parts = [
        source(tmp_path / "a.ts", [Track("aac", 48_000, "mono")]),
        source(tmp_path / "b.ts", [Track("aac", rate, layout)], offset=1.5),
    ]
    with pytest.raises(UnsupportedMediaError, match="changes its rate or its channels"):
        carried(joined(tmp_path / "x.ts", *parts), tmp_path / "out.mp4")
