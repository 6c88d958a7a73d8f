"""What every engine must hold to; run over every registered engine that needs no model."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from vidigree.generate import ClipRequest, engine_registry
from vidigree.generate.engine import Engine
from vidigree.media.errors import UsageError, VidigreeError

# Engines with one size of their own say so; what libraries warn about is not tested here.
pytestmark = pytest.mark.filterwarnings("ignore")
SELF_CONTAINED = [
    name for name in engine_registry if not engine_registry.get(name).info.needs_model
]
PROMPT = "a red ball bouncing on a wooden floor"
# Engines that can be told to hurry.
QUICK = {"nano": {"steps": 2}}


@cache
def engine_of(name: str) -> Engine:
    """An engine may keep what it loaded; the contract holds for every further request."""
    return engine_registry.get(name)()


def request(name: str, **values: object) -> ClipRequest:
    settings: dict[str, object] = {"width": 64, "height": 48, "num_frames": 5, "seed": 3}
    settings["options"] = QUICK.get(name, {})
    return ClipRequest(prompt=PROMPT, engine=name, **(settings | values))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", list(engine_registry))
def test_info_names_the_engine_and_is_json(name: str) -> None:
    info = engine_registry.get(name).info
    assert info.name == name
    assert info.tasks
    assert info.licence
    assert info.description
    assert json.loads(json.dumps(info.to_dict()))["name"] == name


@pytest.mark.parametrize("name", SELF_CONTAINED)
def test_frames_are_what_the_clip_says(name: str) -> None:
    clip = engine_of(name).generate(request(name, fps=Fraction(12)))
    frames = list(clip.frames)
    assert len(frames) == clip.num_frames == 5
    assert clip.fps == 12
    for frame in frames:
        assert frame.dtype == np.uint8
        assert frame.shape == (clip.height, clip.width, 3) == (48, 64, 3)
        assert frame.flags.c_contiguous
    assert np.std(frames[0]) > 10, "a picture, not a flat field"
    assert any(not np.array_equal(frames[0], frame) for frame in frames[1:]), "it moves"


@pytest.mark.slow
@pytest.mark.parametrize("name", SELF_CONTAINED)
def test_same_request_same_bytes_other_seed_other_bytes(name: str) -> None:
    first, again, other = (
        np.stack(list(engine_of(name).generate(request(name, seed=seed)).frames))
        for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", SELF_CONTAINED)
def test_origin_says_what_made_it_and_not_the_prompt(name: str) -> None:
    asked = request(name)
    origin = engine_of(name).generate(asked).origin
    assert origin.engine == name
    assert origin.task == "text-to-video"
    assert origin.synthetic is True
    assert origin.seed == 3
    assert origin.prompt_sha256 == asked.prompt_sha256
    assert PROMPT not in repr(origin)


@pytest.mark.parametrize("name", SELF_CONTAINED)
def test_progress_reaches_the_end(name: str) -> None:
    seen: list[tuple[str, int, int | None]] = []
    clip = engine_of(name).generate(request(name), progress=lambda *row: seen.append(row))
    list(clip.frames)
    assert seen
    assert seen[-1][1] == seen[-1][2]


@pytest.mark.parametrize("name", list(engine_registry))
def test_tasks_it_does_not_name_are_refused(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = tmp_path_factory.mktemp("in") / "in.bin"
    source.write_bytes(b"x")
    tasks = engine_registry.get(name).info.tasks
    for task, key in (("image-to-video", "image"), ("video-to-video", "video")):
        if task not in tasks:
            with pytest.raises(VidigreeError, match=f"cannot do {task}"):
                engine_of(name).generate(request(name, **{key: source}))


def test_unknown_engine_names_the_closest() -> None:
    with pytest.raises(UsageError, match="'render'"):
        engine_registry.get("rendr")
