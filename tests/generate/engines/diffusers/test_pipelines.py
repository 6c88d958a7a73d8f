"""Real pipelines with tiny random weights: loaded from a folder, run, and understood."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vidigree.generate import ClipRequest
from vidigree.watermark import Clip

pytest.importorskip("diffusers")

from fixtures.tiny_pipelines import BUILDERS

from vidigree.generate.engines.diffusers import DiffusersEngine
from vidigree.generate.engines.diffusers.arguments import tasks_of
from vidigree.generate.engines.diffusers.families import family_of, is_known
from vidigree.generate.engines.diffusers.loading import load_pipeline
from vidigree.generate.engines.diffusers.options import DiffusersOptions

# What third-party code warns about is not what is tested here; our own warnings are asserted.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]

T2V, I2V, V2V = "text-to-video", "image-to-video", "video-to-video"
TASKS = {
    "animatediff": (T2V,),
    "animatediff-v2v": (V2V,),
    "cogvideox": (T2V,),
    "cogvideox-i2v": (I2V,),
    "cogvideox-v2v": (V2V,),
    "easyanimate": (T2V,),
    "hunyuan": (T2V,),
    "hunyuan15": (T2V,),
    "kandinsky5": (T2V,),
    "latte": (T2V,),
    "ltx": (T2V,),
    "ltx-condition": (T2V, I2V, V2V),
    "ltx-i2v": (I2V,),
    "ltx2": (T2V,),
    "mochi": (T2V,),
    "sana-video": (T2V,),
    "skyreels": (T2V,),
    "svd": (I2V,),
    "text-to-video-sd": (T2V,),
    "wan": (T2V,),
    "wan-i2v": (I2V,),
    "wan-v2v": (V2V,),
    "wan-vace": (T2V, V2V),
}
RUNS = [(name, task) for name, tasks in sorted(TASKS.items()) for task in tasks]
# Tiny models have tiny text windows.
CALL: dict[str, dict[str, Any]] = {
    "hunyuan": {
        "call.prompt_template": {"template": "{}", "crop_start": 0},
        "call.max_sequence_length": 16,
    },
    "cogvideox": {"call.max_sequence_length": 16},
    "cogvideox-i2v": {"call.max_sequence_length": 16},
    "cogvideox-v2v": {"call.max_sequence_length": 16},
    "kandinsky5": {"call.max_sequence_length": 16},
    "ltx2": {"call.max_sequence_length": 16},
    "mochi": {"call.max_sequence_length": 16},
    "sana-video": {"call.use_resolution_binning": False},
}


def test_every_tiny_pipeline_is_run() -> None:
    assert sorted(TASKS) == sorted(BUILDERS)
    assert len(BUILDERS) >= 20


@pytest.fixture
def run(
    tiny_pipeline: Callable[[str], Path], picture: Path, footage: Path
) -> Callable[..., tuple[Clip, list[str]]]:
    def make(name: str, task: str = "", seed: int = 1, **values: Any) -> tuple[Clip, list[str]]:
        size: dict[str, Any] = {"width": 32, "height": 32, "num_frames": 9}
        inputs = {I2V: {"image": picture}, V2V: {"video": footage}}
        request = ClipRequest(
            prompt="a red ball",
            engine="diffusers",
            model=str(tiny_pipeline(name)),
            seed=seed,
            options={"steps": 2, "device": "cpu"} | CALL.get(name, {}),
            **(size | inputs.get(task or TASKS[name][0], {}) | values),
        )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            clip = DiffusersEngine().generate(request)
        notes = [str(w.message) for w in caught if w.category.__name__ == "RequestWarning"]
        return clip, notes

    return make


@pytest.mark.parametrize(("name", "task"), RUNS)
def test_pipeline_makes_the_clip_that_was_asked(
    name: str, task: str, run: Callable[..., Any]
) -> None:
    clip, notes = run(name, task)
    frames = np.stack(list(clip.frames))
    assert frames.dtype == np.uint8
    # Mochi's codec works in steps of six frames: 13 are made, nine kept.
    assert frames.shape == (9, 32, 32, 3)
    assert (clip.num_frames, clip.width, clip.height) == (9, 32, 32)
    assert np.std(frames) > 0.5
    again = np.stack(list(run(name, task)[0].frames))
    assert np.array_equal(frames, again), "the seed decides"
    if task == T2V:
        assert not np.array_equal(frames, np.stack(list(run(name, task, seed=2)[0].frames)))
    if name == "svd":
        assert len(notes) == 1
        assert "does not take the prompt" in notes[0]
    else:
        assert notes == []
    assert clip.origin.task == task
    assert clip.origin.trained_model is True
    assert clip.origin.model == name, "the name of the folder, not its path"
    assert clip.fps == family_of(clip.origin.parameters["pipeline"]).fps
    assert len(clip.origin.inputs) == (task != T2V)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_tasks_are_read_from_the_pipeline(name: str, tiny_pipeline: Callable[[str], Path]) -> None:
    options = DiffusersOptions(device="cpu")
    pipe = load_pipeline(str(tiny_pipeline(name)), options)
    assert tasks_of(type(pipe)) == TASKS[name]
    assert is_known(type(pipe).__name__)


def test_frame_counts_are_rounded_up_and_cut(run: Callable[..., Any]) -> None:
    clip, notes = run("wan", num_frames=7)
    assert len(list(clip.frames)) == clip.num_frames == 7
    assert notes == []


def test_sizes_are_rounded_with_a_word(run: Callable[..., Any]) -> None:
    clip, notes = run("wan", width=45)
    assert (clip.width, clip.height) == (48, 32)
    assert notes == [
        "The width was rounded from 45 to 48: WanPipeline works in steps of 16 pixels."
    ]


def test_video_to_video_keeps_size_and_length_of_its_input(run: Callable[..., Any]) -> None:
    clip, notes = run("wan-v2v", width=None, height=None, num_frames=None)
    assert (clip.width, clip.height, clip.num_frames) == (32, 32, 9)
    assert len(notes) == 1
    assert "first 9 of 11 frames" in notes[0]


def test_a_clear_clip_is_read_with_a_word(run: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "logo.mov"
    with av.open(str(path), "w") as container:
        track = container.add_stream("png", rate=8)
        track.width, track.height, track.pix_fmt = 32, 32, "rgba"
        for _ in range(5):
            clear = np.full((32, 32, 4), 9, np.uint8)
            container.mux(track.encode(av.VideoFrame.from_ndarray(clear, format="rgba")))
    _, notes = run("wan-v2v", width=None, height=None, num_frames=None, video=path)
    assert len(notes) == 1
    assert "transparency of logo.mov was left out" in notes[0]
