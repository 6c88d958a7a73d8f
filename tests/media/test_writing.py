"""Writing: tags, order of boxes, audio, sizes, and nothing partial."""

from __future__ import annotations

import errno
import os
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidigree.media import OutputError, UnsupportedMediaError, VideoWriter, open_video, output_file


def moving(count: int, width: int = 96, height: int = 64) -> list[np.ndarray]:
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return [
        np.stack([(x * 2 + i) % 256, (y * 3) % 256, (x + y + 2 * i) % 256], -1).astype(np.uint8)
        for i in range(count)
    ]


def write(path: Path, count: int = 12, **options: object) -> Path:
    with VideoWriter(path, width=96, height=64, fps=Fraction(24), **options) as video:  # type: ignore[arg-type]
        for image in moving(count):
            video.write(image)
    return path


def with_audio(path: Path, codec: str, seconds: int = 1) -> Path:
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=24)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        audio = container.add_stream(codec, rate=48_000, layout="mono")
        for image in moving(24 * seconds):
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode(None))
        tone = np.sin(2 * np.pi * 440 * np.arange(48_000 * seconds) / 48_000).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(tone[None] * 0.5, format="fltp", layout="mono")
        frame.rate, frame.pts = 48_000, 0
        resampler = av.AudioResampler(
            format=audio.codec_context.format, layout="mono", rate=48_000, frame_size=1_024
        )
        for part in resampler.resample(frame):
            container.mux(audio.encode(part))
        container.mux(audio.encode(None))
    return path


def tone(path: Path) -> tuple[str, float, float]:
    """Return the codec, the loudest frequency in Hz, and the seconds of sound."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=48_000)
        parts = [p.to_ndarray()[0] for f in container.decode(stream) for p in resampler.resample(f)]
        samples = np.concatenate(parts)
        spectrum = np.abs(np.fft.rfft(samples))
        peak = float(np.fft.rfftfreq(samples.size, 1 / 48_000)[spectrum.argmax()])
        return stream.codec_context.name, peak, samples.size / 48_000


def test_tags_and_index_in_front(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4")
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        frame = next(container.decode(video=0))
    assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
    assert (int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc)) == (1, 1, 1)
    assert int(frame.color_range) == 1
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_pixel_aspect_is_written(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", pixel_aspect=Fraction(40, 33))
    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(40, 33)
    assert b"pasp" not in write(tmp_path / "square.mp4").read_bytes()


def test_quality_is_chosen(tmp_path: Path) -> None:
    errors = {}
    for crf in (10, 40):
        with open_video(write(tmp_path / f"{crf}.mp4", crf=crf)) as video:
            pairs = zip(video.images(), moving(12), strict=True)
            errors[crf] = np.mean([np.abs(a.astype(int) - b).mean() for a, b in pairs])
    assert errors[10] * 1.5 < errors[40]


@pytest.mark.parametrize("size", [(95, 64), (96, 63), (8, 8), (2, 64), (20_000, 64)])
def test_sizes_are_never_changed_silently(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.mp4"
    with pytest.raises(UnsupportedMediaError, match=f"{size[0]} x {size[1]}"):
        VideoWriter(path, width=size[0], height=size[1], fps=Fraction(24))
    assert not path.exists()


@pytest.mark.parametrize(
    ("container", "codec", "expected"),
    [("mp4", "aac", "aac"), ("mkv", "libmp3lame", "mp3"), ("mkv", "pcm_s16le", "aac"),
     ("mkv", "mp2", "aac"), ("mkv", "flac", "flac")],
)  # fmt: skip
def test_audio_is_carried_over(tmp_path: Path, container: str, codec: str, expected: str) -> None:
    source = with_audio(tmp_path / f"in.{container}", codec)
    name, peak, seconds = tone(write(tmp_path / "out.mp4", count=24, audio_from=source))
    assert name.removesuffix("float") == expected
    assert peak == pytest.approx(440, abs=3)
    assert seconds == pytest.approx(1, abs=0.08)


def test_audio_stays_in_step_with_late_video(tmp_path: Path) -> None:
    source = with_audio(tmp_path / "in.mp4", "aac", seconds=2)
    out = write(tmp_path / "out.mp4", count=48, audio_from=source)
    with av.open(str(out)) as container:
        order = [
            (float(p.dts * p.time_base), p.stream.type)
            for p in container.demux()
            if p.dts is not None
        ]
    times = {kind: [t for t, k in order if k == kind] for kind in ("video", "audio")}
    assert abs(times["video"][-1] - times["audio"][-1]) < 0.2


def test_no_audio_is_fine(tmp_path: Path) -> None:
    silent = write(tmp_path / "silent.mp4")
    with open_video(write(tmp_path / "out.mp4", audio_from=silent)) as video:
        assert video.info.has_audio is False


def test_wrong_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="expected uint8"):
        with VideoWriter(tmp_path / "a.mp4", width=96, height=64, fps=Fraction(24)) as video:
            video.write(np.zeros((64, 98, 3), np.uint8))
    with pytest.raises(OutputError, match="not later"):
        with VideoWriter(tmp_path / "b.mp4", width=96, height=64, fps=Fraction(24)) as video:
            video.write(moving(1)[0], Fraction(1))
            video.write(moving(1)[0], Fraction(1))


def apart(path: Path, wait: Fraction, preset: str) -> list[Fraction]:
    """Write two frames, wait, and write two more; return their times."""
    times = [Fraction(0), Fraction(1, 24)]
    times += [times[-1] + wait, times[-1] + wait + Fraction(1, 24)]
    with VideoWriter(path, width=96, height=64, fps=Fraction(24), preset=preset) as video:
        for image, time in zip(moving(4), times, strict=True):
            video.write(image, time)
    return times


@pytest.mark.parametrize("wait", [Fraction(1, 90_000), Fraction(6 * 3_600)])
def test_frames_keep_their_times_however_far_apart(wait: Fraction, tmp_path: Path) -> None:
    times = apart(tmp_path / "out.mp4", wait, "ultrafast")
    with open_video(tmp_path / "out.mp4") as video:
        assert [frame.time for frame in video] == times


def test_waits_that_the_coding_order_makes_too_long_are_told(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedMediaError, match="too long after each other"):
        apart(tmp_path / "out.mp4", Fraction(6 * 3_600), "medium")


@pytest.mark.parametrize("wait", [Fraction(1, 200_000), Fraction(6 * 3_600) + 1, Fraction(10**6)])
def test_frames_whose_distance_no_file_holds_are_refused(wait: Fraction, tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", width=96, height=64, fps=Fraction(24)) as video:
        for image, time in zip(moving(2), (Fraction(0), Fraction(1, 24)), strict=True):
            video.write(image, time)
        with pytest.raises(
            UnsupportedMediaError, match=r"Frame 2 comes \S+ s after the one before"
        ):
            video.write(moving(1)[0], Fraction(1, 24) + wait)


def test_no_frames_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"^No video was written: there were no frames\.$"):
        with VideoWriter(tmp_path / "a.mp4", width=96, height=64, fps=Fraction(24)):
            pass


def test_a_file_that_cannot_be_finished_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(frame: object) -> None:
        raise OutputError("The disk is full.")

    video = VideoWriter(tmp_path / "clip.mp4", width=96, height=64, fps=Fraction(24))
    for image in moving(100):  # more than the encoder holds back
        video.write(image)
    monkeypatch.setattr(video, "_encode", fail)
    with pytest.raises(OutputError, match="disk is full"):
        video.close()
    opened = {os.path.realpath(path) for path in Path("/proc/self/fd").iterdir()}
    assert str(tmp_path / "clip.mp4") not in opened


def test_output_is_there_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with output_file(target) as temporary:
        temporary.write_text("whole", encoding="utf-8")
        assert not target.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert target.read_text(encoding="utf-8") == "whole"


def test_output_is_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, synced = tmp_path / "a.txt", []
    sync = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda file: (synced.append((os.fstat(file), target.exists())), sync(file))
    )
    with output_file(target) as temporary:
        temporary.write_text("whole", encoding="utf-8")
    (content, before), (folder, after) = synced
    assert (content.st_size, before) == (5, False)
    assert (os.path.samestat(folder, tmp_path.stat()), after) == (True, True)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_output_is_not_there_at_all(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), output_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_existing_output_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(OutputError, match="exists already"), output_file(target):
        pass
    with output_file(target, overwrite=True) as temporary:
        temporary.write_text("new", encoding="utf-8")
    assert target.read_text(encoding="utf-8") == "new"


def test_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with pytest.raises(OutputError, match="exists already"), output_file(target):
        target.write_text("other", encoding="utf-8")
    assert target.read_text(encoding="utf-8") == "other"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_of_two_writers_of_one_name_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.txt"
    # As if the other had looked when there was nothing yet.
    looked = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: path != target and looked(path))
    with pytest.raises(OutputError, match="exists already"), output_file(target) as late:
        late.write_text("late", encoding="utf-8")
        with output_file(target) as early:
            early.write_text("early", encoding="utf-8")
    monkeypatch.undo()
    assert target.read_text(encoding="utf-8") == "early"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("code", [errno.EPERM, errno.EIO])
def test_file_systems_without_links_are_written_and_faults_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def link(*_: object) -> None:
        raise OSError(code, os.strerror(code), str(tmp_path / "a.txt"))

    monkeypatch.setattr(os, "link", link)
    told = nullcontext() if code == errno.EPERM else pytest.raises(OutputError, match="written")
    with told, output_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("new", encoding="utf-8")
    assert len(list(tmp_path.iterdir())) == (code == errno.EPERM)


@pytest.mark.parametrize("name", ["missing/a.mp4", "file/a.mp4", "folder", "x" * 300 + ".mp4"])
def test_unusable_output_paths(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError), output_file(tmp_path / name):
        pytest.fail("the work must not start")


def test_a_name_as_long_as_names_may_be_is_written(tmp_path: Path) -> None:
    # 252 bytes in 66 characters: what is written before must not have a longer one.
    target = tmp_path / ("\N{MOVIE CAMERA}" * 62 + ".txt")
    with output_file(target) as temporary:
        temporary.write_text("whole", encoding="utf-8")
    assert list(tmp_path.iterdir()) == [target]


def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.symlink_to("/dev/null")
    with pytest.raises(OutputError, match="not a regular file"):
        with output_file(target, overwrite=True):
            pytest.fail("the work must not start")
    assert target.is_symlink()


def test_full_disk_is_an_output_error() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full here")
    with pytest.raises(OutputError, match="disk is full"):
        with VideoWriter(full, width=96, height=64, fps=Fraction(24), crf=0) as video:
            for image in moving(60):
                video.write(image)


def test_other_errors_pass_through_unchanged(tmp_path: Path) -> None:
    from vidigree.media import MediaNotFoundError

    with pytest.raises(MediaNotFoundError, match="no file"), output_file(tmp_path / "a.mp4"):
        with open_video(tmp_path / "missing.mp4"):
            pass
    with pytest.raises(ConnectionError), output_file(tmp_path / "a.mp4"):
        raise ConnectionError(111, "refused", "elsewhere")
    assert list(tmp_path.iterdir()) == []
