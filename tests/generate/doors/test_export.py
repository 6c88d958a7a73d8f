"""The drop-in writes what it was given, whole, at its size, and stamped."""

from __future__ import annotations

import inspect
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.generate import RequestWarning, export_to_video, stamp_frames
from vidigree.media import UnsupportedMediaError, open_video, probe
from vidigree.media.errors import EngineError, UsageError
from vidigree.watermark.credentials import TrustSettings, read_credentials

pytestmark = pytest.mark.slow


def test_signature_begins_like_the_one_it_replaces() -> None:
    export_utils = pytest.importorskip("diffusers.utils.export_utils")
    theirs = inspect.signature(export_utils.export_to_video).parameters
    ours = inspect.signature(export_to_video).parameters
    assert list(ours)[: len(theirs)] == list(theirs)
    for name, parameter in theirs.items():
        assert ours[name].default == parameter.default, name


@pytest.mark.parametrize("kind", ["uint8", "float", "PIL", "torch"])
def test_pixels_come_back(home: Path, tmp_path: Path, drawn: NDArray[np.uint8], kind: str) -> None:
    image = pytest.importorskip("PIL.Image")
    torch = pytest.importorskip("torch")
    floats = drawn.astype(np.float32) / 255
    frames: dict[str, Any] = {
        "uint8": drawn,
        "float": floats,
        "PIL": [image.fromarray(frame) for frame in drawn],
        "torch": torch.from_numpy(floats).permute(0, 3, 1, 2),
    }
    path = export_to_video(frames[kind], str(tmp_path / "clip.mp4"), fps=12, quality=8)
    info = probe(Path(path))
    assert (info.width, info.height, info.fps) == (192, 192, 12)
    with open_video(Path(path)) as video:
        written = np.stack(list(video.images()))
    assert written.shape == drawn.shape
    error = np.abs(written.astype(float) - drawn)
    assert error.mean() < 4
    reading = read_credentials(Path(path), trust=TrustSettings())
    assert (reading.status, reading.integrity) == ("present", "intact")
    assert reading.claimed_source == "generated"


def test_no_path_makes_a_temporary_file(home: Path, drawn: NDArray[np.uint8]) -> None:
    path = Path(export_to_video(drawn, fps=8))
    try:
        assert path.stat().st_size > 1000
    finally:
        path.unlink()
        path.parent.rmdir()


def test_existing_files_are_replaced_as_by_the_original(
    home: Path, tmp_path: Path, drawn: NDArray[np.uint8]
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"old")
    export_to_video(drawn, str(path), fps=8)
    assert path.stat().st_size > 1000


def test_odd_sizes_are_refused_not_resized(
    home: Path, tmp_path: Path, drawn: NDArray[np.uint8]
) -> None:
    with pytest.raises(UnsupportedMediaError, match="191"):
        export_to_video(drawn[:, :191], str(tmp_path / "clip.mp4"), fps=8)
    assert not (tmp_path / "clip.mp4").exists()


def test_bitrate_is_told_to_be_unused(home: Path, tmp_path: Path, drawn: NDArray[np.uint8]) -> None:
    with pytest.warns(RequestWarning, match="bitrate"):
        export_to_video(drawn, str(tmp_path / "clip.mp4"), bitrate=1000)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"quality": 11}, "quality"),
        ({"fps": 0}, "frame rate"),
        ({"fps": float("nan")}, "frame rate"),
    ],
)
def test_wrong_values_are_refused(
    home: Path, tmp_path: Path, drawn: NDArray[np.uint8], values: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        export_to_video(drawn, str(tmp_path / "clip.mp4"), **values)
    assert list(tmp_path.glob("*.mp4")) == []


def test_no_frames_and_latents_are_refused(home: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(UsageError, match="no frames"):
        stamp_frames([], tmp_path / "clip.mp4", fps=Fraction(8))
    with pytest.raises(EngineError, match="decode them first"):
        stamp_frames(torch.zeros(16, 5, 8, 8), tmp_path / "clip.mp4", fps=Fraction(8))
    assert list(tmp_path.glob("*.mp4")) == []
