"""A preview is one small labelled still, and nothing is left of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import cv2
import numpy as np
import pytest

from vidigree.generate import ClipRequest, EngineInfo, generate
from vidigree.generate.preview import Previewing, preview_beside
from vidigree.media.errors import EngineError, OutputError, UsageError
from vidigree.media.progress import Progress, no_progress
from vidigree.watermark import Clip, Origin, StampSettings

PICTURE = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)


def test_it_is_small_and_says_what_it_is(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    with preview_beside(tmp_path / "clip.mp4", lambda *row: seen.append(row)) as preview:
        preview("denoising", 1, 2)
        preview.show(np.full((480, 640, 3), 128, np.uint8))
        (path,) = tmp_path.iterdir()
        assert path.name == "clip.preview.jpg"
        picture = cv2.imread(str(path))
        preview.show(PICTURE)
        assert len(list(tmp_path.iterdir())) == 1, "it replaces the one before"
    assert picture.shape == (120, 160, 3)
    assert picture[40:90].min() < 40, "black of the label"
    assert picture[40:90].max() > 200, "white of the label"
    assert picture[:20].std() < 5, "and nothing elsewhere"
    assert seen == [("denoising", 1, 2)]
    assert list(tmp_path.iterdir()) == []


class Showing:
    """Shows a preview, then fails as asked, or not."""

    info: ClassVar[EngineInfo] = EngineInfo(
        name="showing", family="test", tasks=("text-to-video",), licence="none", description="-"
    )

    def __init__(self, beside: Path, error: BaseException | None) -> None:
        self.beside, self.error = beside, error
        self.shown: list[str] = []

    def generate(self, request: ClipRequest, *, progress: Progress = no_progress) -> Clip:
        if isinstance(progress, Previewing):
            progress.show(PICTURE)
        self.shown = [path.name for path in self.beside.iterdir()]
        if self.error is not None:
            raise self.error
        frames = [np.zeros((48, 64, 3), np.uint8)] * 2
        return Clip(frames=frames, width=64, height=48, fps=Fraction(8), origin=Origin())


@pytest.mark.parametrize("error", [None, KeyboardInterrupt(), EngineError("no")])
def test_nothing_is_left_however_it_ends(
    stamp_settings: StampSettings, outputs: Path, error: BaseException | None
) -> None:
    engine = Showing(outputs, error)
    request, out = ClipRequest(prompt="a ball"), outputs / "clip.mp4"
    run = lambda: generate(request, out, engine=engine, settings=stamp_settings, preview=True)  # noqa: E731
    if error is None:
        run()
    else:
        with pytest.raises(type(error)):
            run()
    assert engine.shown == ["clip.preview.jpg"]
    assert [path.name for path in outputs.iterdir()] == (["clip.mp4"] if error is None else [])


def test_a_picture_of_somebody_else_is_kept(stamp_settings: StampSettings, outputs: Path) -> None:
    other = outputs / "clip.preview.jpg"
    other.write_text("mine", encoding="utf-8")
    engine = Showing(outputs, None)
    with pytest.raises(OutputError, match=r"preview.jpg exists already"):
        generate(
            ClipRequest(prompt="a ball"),
            outputs / "clip.mp4",
            engine=engine,
            settings=stamp_settings,
            preview=True,
        )
    assert other.read_text(encoding="utf-8") == "mine"


def test_what_the_clip_starts_from_is_no_preview(
    stamp_settings: StampSettings, outputs: Path
) -> None:
    source = outputs / "clip.preview.jpg"
    assert cv2.imwrite(str(source), PICTURE)
    engine = Showing(outputs, None)
    with pytest.raises(UsageError, match=r"clip\.preview\.jpg is the source itself"):
        generate(
            ClipRequest(prompt="a ball", image=source),
            outputs / "clip.mp4",
            engine=engine,
            settings=replace(stamp_settings, overwrite=True),
            preview=True,
        )
    assert cv2.imread(str(source)).shape == PICTURE.shape
    assert engine.shown == []


def test_without_asking_there_is_none(stamp_settings: StampSettings, outputs: Path) -> None:
    engine = Showing(outputs, None)
    generate(ClipRequest(prompt="a"), outputs / "a.mp4", engine=engine, settings=stamp_settings)
    assert engine.shown == []


def test_an_engine_that_shows_none_is_told(stamp_settings: StampSettings, outputs: Path) -> None:
    request = ClipRequest(prompt="a ball", width=64, height=48, num_frames=3)
    receipt = generate(request, outputs / "a.mp4", settings=stamp_settings, preview=True)
    assert receipt.notes == ("No preview was shown: the engine render made none on its way.",)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_real_pipeline_shows_a_decoded_frame(tiny_pipeline: Callable[[str], Path]) -> None:
    from vidigree.generate.engines.diffusers import DiffusersEngine

    shown: list[np.ndarray] = []

    class Gallery:
        def __call__(self, step: str, done: int, total: int | None) -> None: ...

        def show(self, picture: np.ndarray) -> None:
            shown.append(picture)

    request = ClipRequest(
        prompt="a red ball",
        engine="diffusers",
        model=str(tiny_pipeline("wan")),
        width=32,
        height=32,
        num_frames=5,
        options={"steps": 4, "device": "cpu", "call.max_sequence_length": 16},
    )
    DiffusersEngine().generate(request, progress=Gallery())
    assert [picture.shape for picture in shown] == [(32, 32, 3)] * 2
    assert all(picture.dtype == np.uint8 and picture.std() > 0 for picture in shown)


@pytest.mark.parametrize("shape", [(1, 4, 3, 6, 5), (1, 3, 4, 6, 5), (1, 2, 3, 6, 5)])
def test_latents_of_other_pipelines_are_shown_in_false_colours(shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    from vidigree.generate.engines.diffusers.glimpse import glimpse

    pipe = SimpleNamespace(vae=SimpleNamespace(config=SimpleNamespace(latent_channels=4)))
    picture = glimpse(pipe, torch.randn(shape, generator=torch.Generator().manual_seed(0)))
    assert picture is not None
    assert picture.shape == (6, 5, 3)
    assert picture.std() > 10
    assert glimpse(pipe, torch.zeros(1, 128, 16)) is None, "packed latents have no picture"
