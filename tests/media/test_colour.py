"""Which matrix the colours of a picture are read by."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidigree.media import open_video
from vidigree.media.colour import shown_as_bt709

ORANGE = (200, 60, 40)
MATRICES = {"ITU601": 5, "ITU709": 1}


def _clip(path: Path, *, size: tuple[int, int], made_by: str, tagged: bool) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        if tagged:
            stream.codec_context.colorspace = MATRICES[made_by]
        picture = np.full((size[1], size[0], 3), ORANGE, np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=made_by)
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return path


def _colour(path: Path, *, as_shown: bool) -> tuple[int, int, int]:
    with open_video(path, as_shown=as_shown) as video:
        picture = next(video.images())
    red, green, blue = (round(float(value)) for value in picture.mean(axis=(0, 1)))
    return red, green, blue


@pytest.mark.parametrize(
    ("size", "made_by", "tagged"),
    [
        pytest.param((1280, 64), "ITU709", False, id="wide"),
        pytest.param((64, 720), "ITU709", False, id="high"),
        pytest.param((64, 576), "ITU601", False, id="standard definition"),
        pytest.param((1280, 64), "ITU601", True, id="wide and tagged BT.601"),
        pytest.param((64, 64), "ITU709", True, id="small and tagged BT.709"),
    ],
)
def test_what_is_shown_again_has_the_colours_that_players_show(
    tmp_path: Path, size: tuple[int, int], made_by: str, tagged: bool
) -> None:
    path = _clip(tmp_path / "clip.mp4", size=size, made_by=made_by, tagged=tagged)
    assert _colour(path, as_shown=True) == pytest.approx(ORANGE, abs=2)


def test_what_is_measured_is_converted_alike_at_every_size(tmp_path: Path) -> None:
    small = _clip(tmp_path / "small.mp4", size=(64, 64), made_by="ITU709", tagged=False)
    large = _clip(tmp_path / "large.mp4", size=(1280, 64), made_by="ITU709", tagged=False)
    assert _colour(small, as_shown=False) == _colour(large, as_shown=False)
    assert _colour(large, as_shown=False) != pytest.approx(ORANGE, abs=8)


@pytest.mark.parametrize("matrix", [0, 1, 5, 6, 9])
def test_a_matrix_that_is_named_counts_at_every_size(matrix: int) -> None:
    assert not shown_as_bt709(matrix, 1920, 1080)
