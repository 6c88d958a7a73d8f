"""Fourteen real pipelines with tiny random weights: loaded from a folder, run, and understood."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidigree.generate import ClipRequest
from vidigree.watermark import Clip

pytest.importorskip("diffusers")

from fixtures.tiny_pipelines import BUILDERS

from vidigree.generate.engines.diffusers import DiffusersEngine
from vidigree.generate.engines.diffusers.arguments import tasks_of
from vidigree.generate.engines.diffusers.families import family_of
from vidigree.generate.engines.diffusers.loading import load_pipeline
from vidigree.generate.engines.diffusers.options import DiffusersOptions

# What third-party code warns about is not what is tested here; our own warnings are asserted.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]

TASKS = {
    "animatediff": "text-to-video",
    "animatediff-v2v": "video-to-video",
    "cogvideox": "text-to-video",
    "cogvideox-v2v": "video-to-video",
    "hunyuan": "text-to-video",
    "latte": "text-to-video",
    "ltx": "text-to-video",
    "ltx-i2v": "image-to-video",
    "mochi": "text-to-video",
    "svd": "image-to-video",
    "text-to-video-sd": "text-to-video",
    "wan": "text-to-video",
    "wan-i2v": "image-to-video",
    "wan-v2v": "video-to-video",
}
# Tiny models have tiny text windows.
CALL: dict[str, dict[str, Any]] = {
    "hunyuan": {
        "call.prompt_template": {"template": "{}", "crop_start": 0},
        "call.max_sequence_length": 16,
    },
    "cogvideox": {"call.max_sequence_length": 16},
    "cogvideox-v2v": {"call.max_sequence_length": 16},
    "mochi": {"call.max_sequence_length": 16},
}


def test_every_tiny_pipeline_is_run() -> None:
    assert sorted(TASKS) == sorted(BUILDERS)
    assert len(BUILDERS) >= 10


@pytest.fixture
def run(
    tiny_pipeline: Callable[[str], Path], picture: Path, footage: Path
) -> Callable[..., tuple[Clip, list[str]]]:
    def make(name: str, seed: int = 1, **values: Any) -> tuple[Clip, list[str]]:
        inputs = {"image-to-video": {"image": picture}, "video-to-video": {"video": footage}}
        request = ClipRequest(
            prompt="a red ball",
            engine="diffusers",
            model=str(tiny_pipeline(name)),
            seed=seed,
            options={"steps": 2, "device": "cpu"} | CALL.get(name, {}),
            **({"width": 32, "height": 32, "num_frames": 9} | inputs.get(TASKS[name], {}) | values),
        )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            clip = DiffusersEngine().generate(request)
        notes = [str(w.message) for w in caught if w.category.__name__ == "RequestWarning"]
        return clip, notes

    return make


@pytest.mark.parametrize("name", sorted(TASKS))
def test_pipeline_makes_the_clip_that_was_asked(name: str, run: Callable[..., Any]) -> None:
    clip, notes = run(name)
    frames = np.stack(list(clip.frames))
    assert frames.dtype == np.uint8
    # Mochi's codec works in steps of six frames: 13 are made, nine kept.
    assert frames.shape == (9, 32, 32, 3)
    assert (clip.num_frames, clip.width, clip.height) == (9, 32, 32)
    assert np.std(frames) > 0.5
    again = np.stack(list(run(name)[0].frames))
    assert np.array_equal(frames, again), "the seed decides"
    if TASKS[name] == "text-to-video":
        assert not np.array_equal(frames, np.stack(list(run(name, seed=2)[0].frames)))
    if name == "svd":
        assert len(notes) == 1
        assert "does not take the prompt" in notes[0]
    else:
        assert notes == []


@pytest.mark.parametrize("name", sorted(TASKS))
def test_origin_and_rate_are_ours_to_know(name: str, run: Callable[..., Any]) -> None:
    clip, _ = run(name)
    pipeline = clip.origin.parameters["pipeline"]
    assert clip.origin.task == TASKS[name]
    assert clip.origin.trained_model is True
    assert clip.origin.model == name, "the name of the folder, not its path"
    assert clip.fps == family_of(pipeline).fps
    assert len(clip.origin.inputs) == (TASKS[name] != "text-to-video")


@pytest.mark.parametrize("name", sorted(TASKS))
def test_tasks_are_read_from_the_pipeline(name: str, tiny_pipeline: Callable[[str], Path]) -> None:
    options = DiffusersOptions(device="cpu")
    assert tasks_of(load_pipeline(str(tiny_pipeline(name)), options)) == (TASKS[name],)


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
