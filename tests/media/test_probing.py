"""What a container says without decoding, in every kind of file."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from vidigree.cli import main
from vidigree.media.reading import probe, probe_container


def _clip(path: Path, codec: str) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height = 96, 64
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        for index in range(12):
            picture = np.full((64, 96, 3), 20 * index, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    return path


KINDS = [
    ("x.mp4", "libx264"),
    ("x.mkv", "libx264"),
    ("x.webm", "libvpx-vp9"),
    ("x.avi", "mpeg4"),
    ("x.ts", "libx264"),
    ("x.mpg", "mpeg2video"),
    ("x.gif", "gif"),
]


@pytest.mark.parametrize(("name", "codec"), KINDS)
def test_size_and_rate_are_those_of_a_reader(name: str, codec: str, tmp_path: Path) -> None:
    clip = _clip(tmp_path / name, codec)
    told, read = probe_container(clip), probe(clip)
    assert (told.width, told.height, told.fps) == (read.width, read.height, read.fps)
    assert (told.width, told.height, told.fps) == (96, 64, 25)


@pytest.mark.parametrize(("name", "codec"), KINDS)
def test_credentials_alone_are_asked_for_in_every_kind(
    name: str, codec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = _clip(tmp_path / name, codec)
    with pytest.raises(SystemExit) as ended:
        main(["audit", str(clip), "--only", "credentials"])
    assert ended.value.code == 0
    assert "no-evidence" in capsys.readouterr().out
