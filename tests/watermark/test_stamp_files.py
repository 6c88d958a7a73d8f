"""Stamping files made elsewhere: what of them is kept, told, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fixtures.stamping import clip, foreign, images

from vidigree.media import (
    CredentialsError,
    TruncatedMediaError,
    UnsupportedMediaError,
    UsageError,
    VideoWriter,
    open_video,
    probe,
)
from vidigree.watermark import (
    StampSettings,
    stamp,
)
from vidigree.watermark.credentials import (
    TrustSettings,
    read_credentials,
)


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


def test_a_file_that_cannot_be_signed_as_the_source_is_refused_before_any_work(
    settings: StampSettings, folder: Path
) -> None:
    source = foreign(folder / "in.mp4", [Fraction(i, 24) for i in range(12)])
    source.write_bytes(source.read_bytes() + b"what a tool of a camera wrote")
    steps: list[str] = []
    with pytest.raises(CredentialsError, match="cannot become an ingredient") as error:
        stamp(
            source,
            folder / "out.mp4",
            settings=settings,
            progress=lambda step, *_: steps.append(step),
        )
    assert steps == []
    assert "FFmpeg" in error.value.hint
    assert [path.name for path in folder.iterdir()] == ["in.mp4"]


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


def test_an_untagged_file_is_stamped_in_the_colours_that_players_show(
    settings: StampSettings, folder: Path
) -> None:
    tall = [np.tile(image, (7, 1, 1)) // 8 + (170, 40, 30) for image in images()]
    with av.open(str(folder / "in.mp4"), "w") as container:
        track = container.add_stream("libx264", rate=24, options={"crf": "10"})
        track.width, track.height, track.pix_fmt = 128, 7 * 96, "yuv420p"
        for image in tall:
            frame = av.VideoFrame.from_ndarray(image.astype(np.uint8), format="rgb24")
            shown = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
            shown.colorspace = 2
            container.mux(track.encode(shown))
        container.mux(track.encode(None))
    stamp(folder / "in.mp4", folder / "out.mp4", settings=settings)
    with open_video(folder / "out.mp4") as video:
        stamped = next(video.images())
    below = slice(96, None)  # the mark of these tests covers the rows above
    expected = tall[0][below].mean(axis=(0, 1))
    assert stamped[below].mean(axis=(0, 1)) == pytest.approx(expected, abs=4)


def test_pictures_that_a_file_lacks_are_told(settings: StampSettings, folder: Path) -> None:
    with av.open(str(folder / "in.ts"), "w") as container:
        track = container.add_stream("mpeg2video", rate=24)
        track.width, track.height, track.pix_fmt = 128, 96, "yuv420p"
        for image in images(24):
            container.mux(track.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(track.encode(None))
    data = (folder / "in.ts").read_bytes()
    pieces = [data[at : at + 188] for at in range(0, len(data), 188)]
    begins = [at for at, piece in enumerate(pieces) if piece[1] & 0x41 == 0x41]
    del pieces[begins[18] : begins[19]]
    (folder / "in.ts").write_bytes(b"".join(pieces))
    receipt = stamp(folder / "in.ts", folder / "out.mp4", settings=settings)
    assert receipt.num_frames == 23
    assert "lacks packets of its picture at 1 place:" in receipt.summary()


def test_damaged_source_leaves_nothing(settings: StampSettings, folder: Path) -> None:
    source = foreign(folder / "in.mp4", [Fraction(i, 24) for i in range(24)])
    source.write_bytes(source.read_bytes()[:-200])
    with pytest.raises(TruncatedMediaError, match="bytes are missing"):
        stamp(source, folder / "out.mp4", settings=settings)
    assert [p.name for p in folder.iterdir()] == ["in.mp4"]


def test_a_source_is_not_overwritten_through_a_link(settings: StampSettings, folder: Path) -> None:
    source, link = foreign(folder / "in.mp4", [Fraction(0)]), folder / "link.mp4"
    link.symlink_to(source)
    before = source.read_bytes()
    for given, output in ((source, link), (link, source)):
        with pytest.raises(UsageError, match="source itself"):
            stamp(given, output, settings=replace(settings, overwrite=True))
    assert source.read_bytes() == before


@pytest.mark.parametrize("size", [(16_384, 16_384), (8192, 4322)])
def test_a_picture_that_fills_the_memory_is_refused_before_it_is_decoded(
    size: tuple[int, int], settings: StampSettings, folder: Path
) -> None:
    def pictures() -> Iterator[np.ndarray]:
        raise AssertionError("decoded")
        yield

    large = replace(clip(), frames=pictures(), width=size[0], height=size[1])
    with pytest.raises(UnsupportedMediaError, match=f"the limit is {8192 * 4320} in all"):
        stamp(large, folder / "out.mp4", settings=settings)
    assert list(folder.iterdir()) == []


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
