"""Reading: orientation, times, counts, and every way a file can be no video."""

from __future__ import annotations

import errno
import os
import struct
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.media import (
    MediaError,
    MediaNotFoundError,
    NotAVideoError,
    TruncatedMediaError,
    UnsupportedMediaError,
    VideoWriter,
    open_video,
    probe,
)
from vidigree.media.reading import _is_transparent


def quadrants(width: int, height: int) -> NDArray[np.uint8]:
    """Red, green, blue and grey corners: every turn and mirroring looks different."""
    image = np.full((height, width, 3), 128, np.uint8)
    image[: height // 2, : width // 2] = (200, 30, 40)
    image[height // 2 :, : width // 2] = (30, 200, 40)
    image[: height // 2, width // 2 :] = (30, 40, 200)
    return image


def write(path: Path, times: list[Fraction], size: tuple[int, int] = (64, 48)) -> Path:
    with VideoWriter(path, width=size[0], height=size[1], fps=Fraction(24), crf=10) as video:
        for time in times:
            video.write(quadrants(*size), time)
    return path


def even(count: int) -> list[Fraction]:
    return [Fraction(i, 24) for i in range(count)]


def test_frames_and_times_come_back(tmp_path: Path) -> None:
    with open_video(write(tmp_path / "a.mp4", even(10))) as video:
        frames = list(video)
    assert [frame.time for frame in frames] == even(10)
    assert frames[0].image.dtype == np.uint8
    assert np.abs(frames[0].image.astype(int) - quadrants(64, 48)).mean() < 4
    assert np.abs(frames[0].image[4:20, 4:28].astype(int) - (200, 30, 40)).max() <= 4
    info = video.info
    assert (info.width, info.height, info.fps, info.num_frames) == (64, 48, Fraction(24), 10)
    assert (info.rotation, info.codec, info.has_audio) == (0, "h264", False)
    assert info.variable_frame_rate is False


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_tag_is_honoured(tmp_path: Path, rotation: int) -> None:
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.set_display_rotation(-rotation)  # FFmpeg counts counter-clockwise
        frame = av.VideoFrame.from_ndarray(quadrants(64, 48), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    upright = np.rot90(quadrants(64, 48), -rotation // 90)
    with open_video(path) as video:
        image = next(iter(video)).image
    assert video.info.rotation == rotation
    assert (video.info.height, video.info.width) == upright.shape[:2]
    assert np.abs(image.astype(int) - upright).mean() < 6


@pytest.mark.parametrize(
    ("rotation", "said", "expected"),
    [
        (0, Fraction(2), Fraction(2)),
        (180, Fraction(40, 33), Fraction(40, 33)),
        (90, Fraction(40, 33), Fraction(33, 40)),
        (270, Fraction(2), Fraction(1, 2)),
        (0, Fraction(5000), Fraction(1)),
    ],
)
def test_pixel_aspect_is_that_of_the_upright_picture(
    tmp_path: Path, rotation: int, said: Fraction, expected: Fraction
) -> None:
    path = tmp_path / "wide.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = said
        stream.set_display_rotation(-rotation)
        frame = av.VideoFrame.from_ndarray(quadrants(64, 48), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert probe(path).pixel_aspect == expected


def test_variable_frame_rate_keeps_times(tmp_path: Path) -> None:
    times = [Fraction(t, 90) for t in (0, 3, 10, 11, 30, 60)]
    with open_video(write(tmp_path / "vfr.mp4", times)) as video:
        assert [frame.time for frame in video] == times
    assert video.info.variable_frame_rate is True


def test_too_little_memory_is_no_damage_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.mp4", [Fraction(n, 24) for n in range(4)])

    def exhausted(*_: object, **__: object) -> None:
        raise av.error.MemoryError(12, "Cannot allocate memory")

    with open_video(path) as video:
        monkeypatch.setattr(video, "_frames", map(exhausted, range(4)))
        with pytest.raises(MemoryError):
            list(video)
    monkeypatch.setattr(av, "open", exhausted)
    monkeypatch.setattr("vidigree.media.opening._AMPLE_MEMORY", 1 << 62)
    with pytest.raises(MemoryError):
        open_video(path)


def test_a_decoder_that_is_allowed_no_threads_is_no_damage_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.mp4", [Fraction(n, 24) for n in range(4)])
    words = "Resource temporarily unavailable"

    def refused(name: str) -> object:
        raise av.error.BlockingIOError(errno.EAGAIN, words, name)

    for name, expected in (
        ('avcodec_open2("h264", {})', BlockingIOError),
        ("avcodec_send_packet()", TruncatedMediaError),
    ):
        with open_video(path) as video:
            monkeypatch.setattr(video, "_frames", map(refused, [name]))
            with pytest.raises(expected):
                list(video)
    with open_video(path) as video:
        frame = next(iter(video))
        decoded = SimpleNamespace(to_ndarray=lambda **_: refused("sws_scale_frame()"))
        monkeypatch.setattr(frame, "_decoded", decoded)
        with pytest.raises(BlockingIOError):
            frame.image  # noqa: B018


def test_missing_frame_count_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(quadrants(64, 48), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with open_video(path) as video:
        assert video.info.num_frames is None
        assert sum(1 for _ in video) == 5


def test_file_cut_in_the_middle_is_truncated(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.mp4", even(48)).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) - 200])
    with pytest.raises(TruncatedMediaError, match=r"cut\.mp4"), open_video(cut) as video:
        list(video)


def test_mp4_without_its_index_is_truncated(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.mp4", even(5)).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[:100])
    with pytest.raises(TruncatedMediaError, match="index"):
        open_video(cut)


def test_damaged_samples_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", even(24))
    data = bytearray(path.read_bytes())
    start = data.rindex(b"mdat") + 800
    data[start:] = bytes(len(data) - start)
    path.write_bytes(data)
    with pytest.raises(TruncatedMediaError, match="damaged"), open_video(path) as video:
        list(video)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFoundError, match="no file"):
        probe(tmp_path / "none.mp4")
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "none.mp4")


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="is a folder"):
        probe(tmp_path)


def test_named_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(MediaError, match="not a regular file"):
        probe(tmp_path / "pipe.mp4")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.mp4", b""),
        ("text.mp4", b"This is a text, not a video.\n" * 50),
        ("noise.mp4", bytes(range(256)) * 40),
        ("page.mp4", b"<html><body>hello</body></html>"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n"),
        ("concat.mp4", b"ffconcat version 1.0\nfile /etc/hostname\n"),
    ],
)
def test_other_files_are_no_video(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(NotAVideoError, match=name):
        probe(path)


def test_sound_only_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44_100)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 4_096), np.float32), format="fltp", layout="mono"
        )
        frame.rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(NotAVideoError, match="no video track"):
        probe(path)


def test_size_change_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "joined.ts"
    parts = []
    for number, size in enumerate([(64, 48), (80, 64)]):
        part = tmp_path / f"{number}.ts"
        with av.open(str(part), "w", format="mpegts") as container:
            stream = container.add_stream("libx264", rate=24)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for _ in range(6):
                frame = av.VideoFrame.from_ndarray(quadrants(*size), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        parts.append(part.read_bytes())
    path.write_bytes(b"".join(parts))
    with (
        pytest.raises(UnsupportedMediaError, match="changes its frame size"),
        open_video(path) as v,
    ):
        list(v)


@pytest.mark.slow
def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "from fractions import Fraction\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from vidigree.media import VideoWriter, open_video\n"
        "path, count = Path(sys.argv[1]), int(sys.argv[2])\n"
        "image = np.zeros((360, 640, 3), np.uint8)\n"
        "with VideoWriter(path, width=640, height=360, fps=Fraction(24), crf=30) as v:\n"
        "    for i in range(count):\n"
        "        image[i % 360] = i % 256\n"
        "        v.write(image)\n"
        "with open_video(path) as v:\n"
        "    assert sum(1 for _ in v) == count\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    import subprocess
    import sys

    peaks = [
        int(
            subprocess.run(
                [sys.executable, "-c", code, str(tmp_path / f"{count}.mp4"), str(count)],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "typings")},
            ).stdout
        )
        for count in (120, 480)
    ]
    # 360 more frames are 250 MB uncompressed; the peak may wander by a few frames only.
    assert peaks[1] - peaks[0] < 20_000


def one_picture(path: Path, codec: str, image: NDArray[np.uint8], kind: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = image.shape[1], image.shape[0], kind
        frame = av.VideoFrame.from_ndarray(image, format="rgba")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("name", "codec"), [("a.mov", "png"), ("b.mov", "qtrle")])
def test_what_is_clear_is_told(tmp_path: Path, name: str, codec: str) -> None:
    image = np.full((48, 64, 4), 255, np.uint8)
    kind = "argb" if codec == "qtrle" else "rgba"
    assert not probe(one_picture(tmp_path / f"opaque-{name}", codec, image, kind)).transparent
    image[5, 6, 3] = 254
    assert probe(one_picture(tmp_path / name, codec, image, kind)).transparent


@pytest.mark.parametrize("kind", ["rgba", "bgra", "argb", "abgr"])
def test_no_picture_is_copied_to_look_for_what_is_clear(kind: str) -> None:
    """A GIF of a few bytes may hold pictures of hundreds of megabytes."""
    image = np.full((500, 501, 4), 255, np.uint8)
    opaque = av.VideoFrame.from_ndarray(image, format="rgba").reformat(format=kind)
    image[5, 500, 3] = 254
    clear = av.VideoFrame.from_ndarray(image, format="rgba").reformat(format=kind)
    image[..., :3], image[5, 500, 3] = 0, 255
    black = av.VideoFrame.from_ndarray(image, format="rgba").reformat(format=kind)
    told = []
    for frame in (opaque, clear, black):
        # Without what converts a frame, which makes a second one.
        seen = SimpleNamespace(format=frame.format, planes=frame.planes, width=frame.width)
        told.append(_is_transparent(seen, SimpleNamespace(metadata={})))
    assert told == [False, True, False]


@pytest.mark.parametrize("alpha", [254, 255])
def test_what_is_clear_is_told_of_pictures_kept_upside_down(tmp_path: Path, alpha: int) -> None:
    image = np.full((48, 64, 4), 255, np.uint8)
    image[5, 6, 3] = alpha
    path = one_picture(tmp_path / "a.avi", "rawvideo", image, "bgra")
    data = bytearray(path.read_bytes())
    height = data.index(b"strf") + 16
    assert struct.unpack_from("<i", data, height) == (-48,)
    struct.pack_into("<i", data, height, 48)
    path.write_bytes(data)
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).planes[0].line_size < 0
    assert probe(path).transparent == (alpha < 255)


def test_planes_of_transparency_that_are_not_decoded_are_told(tmp_path: Path) -> None:
    image = np.full((48, 64, 4), 128, np.uint8)
    assert probe(one_picture(tmp_path / "a.webm", "libvpx-vp9", image, "yuva420p")).transparent
    assert not probe(one_picture(tmp_path / "b.webm", "libvpx-vp9", image, "yuv420p")).transparent


@pytest.mark.parametrize("interlaced", [False, True])
def test_interlaced_pictures_are_told(tmp_path: Path, interlaced: bool) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"x264-params": "interlaced=1:tff=1"} if interlaced else {}
        container.mux(stream.encode(av.VideoFrame.from_ndarray(quadrants(64, 48), format="rgb24")))
        container.mux(stream.encode(None))
    assert probe(path).interlaced is interlaced


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.avi", "libx264"), ("a.avi", "mpeg4"), ("a.mkv", "libx264"), ("a.mp4", "libx265")],
)
def test_pictures_coded_in_another_order_come_at_even_times(
    tmp_path: Path, name: str, codec: str
) -> None:
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"bf": "3", "x265-params": "bframes=3:log-level=none"}
        for shade in range(0, 240, 10):
            image = np.full((48, 64, 3), shade, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with open_video(path) as video:
        frames = list(video)
    shades = [frame.image.mean() for frame in frames]
    times = np.array([float(frame.time) for frame in frames]) * 24
    assert np.diff(times) == pytest.approx(1, abs=0.05)
    assert times[0] < 3
    assert shades == pytest.approx(range(0, 240, 10), abs=7)
