"""The one door: what comes out carries everything, and every failing step leaves nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fixtures.faulty_marks import MARKS
from fixtures.top_row_mark import TopRowMark
from numpy.typing import NDArray

from vidigree.media import (
    CredentialsError,
    LedgerError,
    MediaError,
    OutputError,
    StampError,
    UnsupportedMediaError,
    UsageError,
    VideoWriter,
    open_video,
    probe,
)
from vidigree.watermark import (
    Clip,
    Origin,
    StampSettings,
    stamp,
    watermark_methods,
)
from vidigree.watermark import stamp as _stamp_function
from vidigree.watermark.credentials import (
    Timestamping,
    TrustSettings,
    init_identity,
    read_credentials,
)
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.profiles import Provider


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StampSettings:
    known = watermark_methods.get
    monkeypatch.setattr(watermark_methods, "get", lambda name: MARKS.get(name) or known(name))
    home = tmp_path / "home"
    identity = init_identity(home)
    ledger = Ledger.open(f"sqlite:///{home / 'ledger.sqlite3'}")
    return StampSettings(identity=identity, ledger=ledger, method="top-row")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for outputs: whatever lies there afterwards was left by the stamp."""
    path = tmp_path / "outputs"
    path.mkdir()
    return path


def images(count: int = 12, width: int = 128, height: int = 96) -> list[NDArray[np.uint8]]:
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return [
        np.stack([x + 3 * i, y + 50, x // 2 + y // 2], -1).clip(0, 255).astype(np.uint8)
        for i in range(count)
    ]


def clip(frames: Any = None, **changes: Any) -> Clip:
    values: dict[str, Any] = {
        "frames": iter(images() if frames is None else frames),
        "width": 128,
        "height": 96,
        "fps": Fraction(24),
        "num_frames": 12,
        "origin": Origin(
            task="text-to-video", engine="render", synthetic=True, trained_model=False, seed=3
        ),
    }
    return Clip(**(values | changes))


def foreign(path: Path, times: list[Fraction]) -> Path:
    with VideoWriter(path, width=128, height=96, fps=Fraction(24), crf=8) as video:
        for image, time in zip(images(len(times)), times, strict=True):
            video.write(image, time)
    return path


def test_stamped_clip_carries_everything(settings: StampSettings, folder: Path) -> None:
    receipt = stamp(clip(), folder / "a.mp4", settings=settings)
    assert [p.name for p in folder.iterdir()] == ["a.mp4"]
    with open_video(receipt.path) as video:
        frames = list(video.images())
    assert len(frames) == receipt.num_frames == 12
    assert receipt.duration == 0.5
    reading = TopRowMark().detect(iter(frames), keys=settings.keys.keys, fps=Fraction(24))
    assert reading.message == receipt.clip_id
    credentials = read_credentials(receipt.path, trust=TrustSettings())
    assert (credentials.status, credentials.integrity) == ("present", "intact")
    assert f"{receipt.clip_id:016x}" in " ".join(b.value for b in credentials.soft_bindings)
    entry = settings.ledger.find_clip(receipt.clip_id)
    assert entry is not None
    assert entry.engine == "render"
    assert entry.manifest_store in receipt.path.read_bytes()


def test_every_clip_gets_its_own_id(settings: StampSettings, folder: Path) -> None:
    ids = {stamp(clip(), folder / f"{i}.mp4", settings=settings).clip_id for i in range(3)}
    assert len(ids) == 3


def test_an_id_is_neither_zero_nor_that_of_another_clip(
    settings: StampSettings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = [7, 0, 7, 8]
    monkeypatch.setattr(secrets, "randbits", lambda _: drawn.pop(0))
    for name, clip_id in (("a", 7), ("b", 8)):
        assert stamp(clip(), folder / f"{name}.mp4", settings=settings).clip_id == clip_id


def test_times_and_size_of_a_file_are_kept(settings: StampSettings, folder: Path) -> None:
    times = [Fraction(t, 90) for t in (0, 3, 10, 11, 30, 60)]
    source = foreign(folder / "in.mp4", times)
    receipt = stamp(source, folder / "out.mp4", settings=settings)
    assert receipt.duration == pytest.approx(60 / 90 + 1 / float(probe(source).fps))
    with open_video(folder / "out.mp4") as video:
        assert [frame.time for frame in video] == times
        assert (video.info.width, video.info.height) == (128, 96)


def test_what_is_left_out_of_a_file_is_told(settings: StampSettings, folder: Path) -> None:
    with av.open(str(folder / "in.mkv"), "w") as container:
        tracks = [container.add_stream("libx264", rate=24) for _ in range(2)]
        sounds = [container.add_stream("pcm_s16le", rate=22_255, layout="mono") for _ in range(2)]
        for track in tracks:
            track.width, track.height, track.pix_fmt = 128, 96, "yuv420p"
        for track in tracks:
            for image in images():
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                container.mux(track.encode(frame))
            container.mux(track.encode(None))
        for sound in sounds:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 9_000), np.int16), layout="mono")
            silence.rate, silence.pts = 22_255, 0
            container.mux([*sound.encode(silence), *sound.encode(None)])
    receipt = stamp(folder / "in.mkv", folder / "out.mp4", settings=settings)
    assert "1 further video track" in receipt.summary()
    with av.open(str(folder / "out.mp4")) as container:
        assert [stream.rate for stream in container.streams.audio] == [22_050, 22_050]
    assert read_credentials(folder / "out.mp4", trust=TrustSettings()).integrity == "intact"


def test_what_of_the_picture_does_not_come_along_is_told(
    settings: StampSettings, folder: Path
) -> None:
    with av.open(str(folder / "in.mov"), "w") as container:
        track = container.add_stream("png", rate=24)
        track.width, track.height, track.pix_fmt = 128, 96, "rgba"
        for image in images():
            clear = np.dstack([image, np.full(image.shape[:2], 9, np.uint8)])
            container.mux(track.encode(av.VideoFrame.from_ndarray(clear, format="rgba")))
    receipt = stamp(folder / "in.mov", folder / "out.mp4", settings=settings)
    assert "Transparency was left out" in receipt.summary()
    with av.open(str(folder / "in.mp4"), "w") as container:
        track = container.add_stream("libx264", rate=24)
        track.width, track.height, track.pix_fmt = 128, 96, "yuv420p"
        track.options = {"x264-params": "interlaced=1:tff=1"}
        for image in images():
            container.mux(track.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(track.encode(None))
    receipt = stamp(folder / "in.mp4", folder / "out2.mp4", settings=settings)
    assert "interlaced" in receipt.summary()


def test_pixel_aspect_of_a_file_is_kept(settings: StampSettings, folder: Path) -> None:
    wide = {"width": 128, "height": 96, "fps": Fraction(24), "pixel_aspect": Fraction(2)}
    with VideoWriter(folder / "in.mp4", **wide) as video:  # type: ignore[arg-type]
        for image in images():
            video.write(image)
    stamp(folder / "in.mp4", folder / "out.mp4", settings=settings)
    assert probe(folder / "out.mp4").pixel_aspect == 2
    stamp(clip(), folder / "square.mp4", settings=settings)
    assert probe(folder / "square.mp4").pixel_aspect == 1


@pytest.mark.parametrize(
    ("said", "kept"),
    [((9, 14), (9, 14)), ((12, 13), (12, 13)), ((6, 6), (6, 6)), ((2, 2), (1, 1))],
    ids=["BT.2020", "Display P3", "BT.601", "nothing said"],
)
def test_colours_stay_those_of_the_file(
    settings: StampSettings, folder: Path, said: tuple[int, int], kept: tuple[int, int]
) -> None:
    with av.open(str(folder / "in.mp4"), "w") as container:
        track = container.add_stream("libx264", rate=24)
        track.width, track.height, track.pix_fmt = 128, 96, "yuv420p"
        track.codec_context.color_primaries, track.codec_context.color_trc = said
        for image in images():
            container.mux(track.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(track.encode(None))
    stamp(folder / "in.mp4", folder / "out.mp4", settings=settings)
    with av.open(str(folder / "out.mp4")) as container:
        (frame, *_) = container.decode(video=0)
    assert (frame.color_primaries, frame.color_trc) == kept
    assert (frame.colorspace, frame.color_range) == (1, 1)


def test_odd_sizes_are_padded_only_when_asked(settings: StampSettings, folder: Path) -> None:
    odd = [image[:95, :127] for image in images()]
    shape = {"width": 127, "height": 95}
    for width, height in ((127, 95), (127, 96), (128, 95)):
        made = clip([image[:height, :width] for image in images()], width=width, height=height)
        with pytest.raises(UnsupportedMediaError, match=rf"{width} x {height}.*--pad-odd"):
            stamp(made, folder / "a.mp4", settings=settings)
    assert list(folder.iterdir()) == []
    padded = replace(settings, pad_odd=True)
    receipt = stamp(clip(odd, **shape), folder / "a.mp4", settings=padded)
    assert (receipt.width, receipt.height) == (128, 96)


@pytest.mark.parametrize("method", ["lying", "absent", "doubtful", "dropping"])
def test_mark_that_cannot_be_read_back_is_not_issued(
    settings: StampSettings, folder: Path, method: str
) -> None:
    with pytest.raises(StampError):
        stamp(clip(), folder / "a.mp4", settings=replace(settings, method=method))
    assert list(folder.iterdir()) == []
    assert settings.ledger.count() == 0


def test_clip_that_cannot_be_read_back_is_not_issued(
    settings: StampSettings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MediaError("It is damaged.")

    monkeypatch.setitem(_stamp_function.__globals__, "open_video", fail)
    with pytest.raises(StampError, match=r"cannot be read back: It is damaged\."):
        stamp(clip(), folder / "a.mp4", settings=settings)
    assert list(folder.iterdir()) == []


def test_progress_is_told_frame_by_frame(settings: StampSettings, folder: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    stamp(
        clip(), folder / "a.mp4", settings=settings, progress=lambda *what: told.append(tuple(what))
    )
    assert told == [("Marking and encoding", done, 12) for done in range(1, 13)]


def test_method_with_too_few_bits_is_refused(settings: StampSettings, folder: Path) -> None:
    with pytest.raises(UsageError, match="64"):
        stamp(clip(), folder / "a.mp4", settings=replace(settings, method="short"))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("step", ["sign_file", "read_credentials"])
def test_failed_signing_leaves_nothing(
    settings: StampSettings, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise CredentialsError("The signer is away.")

    monkeypatch.setitem(_stamp_function.__globals__, step, fail)
    with pytest.raises(CredentialsError, match="away"):
        stamp(clip(), folder / "a.mp4", settings=settings)
    assert list(folder.iterdir()) == []
    assert settings.ledger.count() == 0


def test_altered_credentials_are_not_issued(
    settings: StampSettings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sign_and_damage(source: Path, target: Path, **options: Any) -> bytes:
        store = sign(source, target, **options)
        data = bytearray(target.read_bytes())
        data[data.rindex(b"mdat") + 200] ^= 1
        target.write_bytes(data)
        return store

    sign = _stamp_function.__globals__["sign_file"]
    monkeypatch.setitem(_stamp_function.__globals__, "sign_file", sign_and_damage)
    with pytest.raises(StampError, match="do not validate"):
        stamp(clip(), folder / "a.mp4", settings=settings)
    assert list(folder.iterdir()) == []


def test_failed_ledger_leaves_nothing(
    settings: StampSettings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Ledger, entry: object) -> None:
        raise LedgerError("The ledger is locked.")

    monkeypatch.setattr(Ledger, "record", fail)
    with pytest.raises(LedgerError, match="locked"):
        stamp(clip(), folder / "a.mp4", settings=settings)
    assert list(folder.iterdir()) == []


def test_failing_generator_leaves_nothing(settings: StampSettings, folder: Path) -> None:
    def breaking() -> Iterator[NDArray[np.uint8]]:
        yield from images(5)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stamp(clip(breaking()), folder / "a.mp4", settings=settings)
    assert list(folder.iterdir()) == []


def test_empty_generator_leaves_nothing(settings: StampSettings, folder: Path) -> None:
    with pytest.raises(OutputError, match="no frames"):
        stamp(clip([]), folder / "a.mp4", settings=settings)
    assert list(folder.iterdir()) == []


def test_damaged_source_leaves_nothing(settings: StampSettings, folder: Path) -> None:
    source = foreign(folder / "in.mp4", [Fraction(i, 24) for i in range(24)])
    source.write_bytes(source.read_bytes()[:-200])
    with pytest.raises(MediaError):
        stamp(source, folder / "out.mp4", settings=settings)
    assert [p.name for p in folder.iterdir()] == ["in.mp4"]


def test_names_that_credentials_cannot_bear_are_refused(
    settings: StampSettings, folder: Path
) -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        stamp(clip(), folder / "a\udcff.mp4", settings=settings)
    assert list(folder.iterdir()) == []


def test_names_that_are_too_long_are_refused(settings: StampSettings, folder: Path) -> None:
    source = foreign(folder / "in.mp4", [Fraction(0)])
    for made in (clip(), source):
        with pytest.raises(OutputError, match="too long"):
            stamp(made, folder / f"{'x' * 252}.mp4", settings=settings)
    assert [path.name for path in folder.iterdir()] == ["in.mp4"]


def test_names_steer_no_terminal(settings: StampSettings, folder: Path) -> None:
    receipt = stamp(clip(), folder / "a\nb\x1b[31m.mp4", settings=settings)
    assert receipt.path.exists()
    first = receipt.summary().splitlines()[0]
    assert first.startswith(f"{folder}/a b\\x1b[31m.mp4  128 x 96")


def test_what_is_said_of_a_clip_is_utf8(settings: StampSettings) -> None:
    with pytest.raises(UsageError, match="model's name is not valid Unicode"):
        Origin(model="\udcff")
    with pytest.raises(UsageError, match="provider is not valid Unicode"):
        replace(settings, provider=Provider(name="\udcff"))
    with pytest.raises(UsageError, match="label is not valid Unicode"):
        replace(settings, label="\udcff")


def test_a_source_is_not_overwritten_through_a_link(settings: StampSettings, folder: Path) -> None:
    source, link = foreign(folder / "in.mp4", [Fraction(0)]), folder / "link.mp4"
    link.symlink_to(source)
    before = source.read_bytes()
    for given, output in ((source, link), (link, source)):
        with pytest.raises(UsageError, match="source itself"):
            stamp(given, output, settings=replace(settings, overwrite=True))
    assert source.read_bytes() == before


def test_only_mp4_is_written(settings: StampSettings, folder: Path) -> None:
    with pytest.raises(UsageError, match=r"\.mp4"):
        stamp(clip(), folder / "a.webm", settings=settings)


def test_hdr_is_refused(settings: StampSettings, folder: Path) -> None:
    import av

    with av.open(str(folder / "hdr.mp4"), "w") as container:
        stream = container.add_stream("libx265", rate=24, options={"x265-params": "log-level=0"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p10le"
        stream.codec_context.color_trc = 16
        for image in images(3):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p10le")
            frame.color_trc = 16
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(UnsupportedMediaError, match="HDR"):
        stamp(folder / "hdr.mp4", folder / "out.mp4", settings=settings)


def test_receipt_is_json_and_text(settings: StampSettings, folder: Path) -> None:
    import json

    receipt = stamp(clip(), folder / "a.mp4", settings=settings)
    row = json.loads(json.dumps(receipt.to_dict()))
    assert int(row["clip_id"], 16) == receipt.clip_id
    assert row["mark"]["message"] == row["clip_id"]
    assert f"{receipt.clip_id:016x}" in receipt.summary()


def test_stamp_that_was_only_tried_is_noted(settings: StampSettings, folder: Path) -> None:
    tried = replace(settings, timestamping=Timestamping(policy="try", url="http://127.0.0.1:9/"))
    receipt = stamp(clip(), folder / "a.mp4", settings=tried)
    assert receipt.path.exists()
    assert not receipt.timestamped
    (note,) = receipt.notes
    assert "http://127.0.0.1:9/ gave no time stamp" in note
    assert "issued without one" in note


def test_stamp_that_is_required_and_does_not_come(settings: StampSettings, folder: Path) -> None:
    url = "http://127.0.0.1:9/"
    required = replace(settings, timestamping=Timestamping(policy="require", url=url))
    with pytest.raises(CredentialsError, match="Nothing was issued"):
        stamp(clip(), folder / "a.mp4", settings=required)
    assert list(folder.iterdir()) == []
    assert settings.ledger.count() == 0
