"""The picture shows what the prompt says."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidigree.generate import ClipRequest, RequestWarning
from vidigree.generate.engines.render import RenderEngine
from vidigree.generate.engines.render.grammar import read_prompt
from vidigree.generate.engines.render.staging import stage
from vidigree.generate.engines.render.vocabulary import COLOURS
from vidigree.media.errors import EngineError, UsageError


def frames_of(prompt: str, **values: object) -> np.ndarray:
    settings: dict[str, object] = {"width": 96, "height": 96, "num_frames": 9, "seed": 5}
    request = ClipRequest(prompt=prompt, **(settings | values))  # type: ignore[arg-type]
    return np.stack(list(RenderEngine().generate(request).frames)).astype(float)


def redness(frames: np.ndarray) -> np.ndarray:
    return frames[..., 0] - np.maximum(frames[..., 1], frames[..., 2])


def test_unknown_words_are_told() -> None:
    with pytest.warns(RequestWarning, match="'fluffy'"):
        RenderEngine().generate(ClipRequest(prompt="a fluffy red ball"))


def test_what_it_does_not_take_is_not_ignored() -> None:
    with pytest.raises(UsageError, match="steps"):
        RenderEngine().generate(ClipRequest(prompt="a ball", options={"steps": 3}))
    with pytest.raises(UsageError, match="some/model"):
        RenderEngine().generate(ClipRequest(prompt="a ball", model="some/model"))
    with pytest.warns(RequestWarning, match="negative prompt"):
        RenderEngine().generate(ClipRequest(prompt="a ball", negative_prompt="rain"))
    with pytest.warns(RequestWarning, match="takes no strength"):
        RenderEngine().generate(ClipRequest(prompt="a ball", strength=0.5))


def test_an_estimate_refuses_what_generating_would() -> None:
    for request in (
        ClipRequest(prompt="a ball", options={"steps": 3}),
        ClipRequest(prompt="a ball", model="some/model"),
        ClipRequest(prompt="a cat on a piano"),
        ClipRequest(prompt=5 * "30 balls and "),
        ClipRequest(prompt="a ball", image=Path(__file__), engine="render"),
    ):
        with pytest.raises((EngineError, UsageError)) as told:
            RenderEngine().generate(request)
        with pytest.raises(type(told.value)) as estimated:
            RenderEngine().estimate(request)
        assert str(estimated.value) == str(told.value)


@pytest.mark.parametrize("prompt", ["a ball " * 280, "30 balls " * 5, "a row of 30 cubes " * 5])
def test_more_bodies_than_can_be_moved_are_refused(prompt: str) -> None:
    with pytest.raises(EngineError, match="draws at most 120"):
        RenderEngine().generate(ClipRequest(prompt=prompt))


def test_as_many_bodies_as_four_groups_have_are_drawn() -> None:
    assert len(stage(read_prompt("30 balls " * 4), 1).bodies) == 120


def test_a_prompt_with_nothing_to_draw_is_refused() -> None:
    with pytest.raises(EngineError, match=r"'cat', 'piano'"):
        RenderEngine().generate(ClipRequest(prompt="a cat on a piano"))


@pytest.mark.parametrize("colour", ["red", "green", "blue", "yellow"])
def test_the_named_colour_covers_part_of_the_picture(colour: str) -> None:
    with_ball = frames_of(f"a {colour} ball on a white plain floor", num_frames=2)[0]
    target = np.array(COLOURS[colour])
    hue = with_ball / np.maximum(with_ball.max(axis=-1, keepdims=True), 1)
    wanted = (target / target.max()) > 0.4
    matches = np.all(np.where(wanted, hue > 0.6, hue < 0.55), axis=-1)
    assert 0.02 < matches.mean() < 0.5


def test_a_ball_that_rolls_left_goes_left() -> None:
    moving = redness(frames_of("a red ball rolling left on concrete", num_frames=24)) > 60
    columns = np.arange(96)
    at = [(mask.sum(axis=0) @ columns) / mask.sum() for mask in moving[[2, 12, 22]]]
    assert at[0] > at[1] + 5 > at[2] + 10


def test_a_falling_ball_goes_down_and_is_stopped_by_the_ground() -> None:
    mask = redness(frames_of("a red ball falling on concrete", num_frames=24)) > 60
    rows = np.arange(96)
    at = np.array([(m.sum(axis=1) @ rows) / max(m.sum(), 1) for m in mask])
    assert at[10] > at[0] + 5
    assert abs(at[23] - at[22]) < 3


def test_bodies_throw_shadows() -> None:
    empty = frames_of("a white plain floor in a studio", num_frames=1)[0]
    ball = frames_of("a white ball on a white plain floor in a studio", num_frames=1)[0]
    darker = (empty.mean(axis=-1) - ball.mean(axis=-1)) > 40
    assert 0.002 < darker.mean() < 0.4


def test_three_balls_are_three_blobs() -> None:
    frame = frames_of("three small red balls in a row on concrete", num_frames=1, width=192)[0]
    count, _, stats, _ = cv2.connectedComponentsWithStats((redness(frame) > 40).astype(np.uint8))
    assert sum(stats[k, cv2.CC_STAT_AREA] > 20 for k in range(1, count)) == 3


def test_silhouettes_are_smooth() -> None:
    """Along a contour some pixels mix both sides: without anti-aliasing there are none."""
    frame = frames_of("a black ball on snow in a studio", num_frames=1, width=128, height=128)[0]
    grey = frame.mean(axis=-1)
    inside, outside = grey < 40, grey > 150
    between = ~inside & ~outside
    assert between.sum() > 40


@pytest.mark.parametrize(
    "ground",
    [
        "wooden floor",
        "checkered floor",
        "grass",
        "tiles",
        "sand",
        "concrete",
        "asphalt",
        "snow",
        "ice",
        "carpet",
        "marble",
    ],
)
def test_every_ground_has_its_own_look(ground: str) -> None:
    frame = frames_of(f"a {ground}", num_frames=1)[0]
    below = frame[60:]
    assert np.std(below) > 2
    assert 5 < below.mean() < 250


def test_a_note_names_words_that_describe_nothing() -> None:
    request = ClipRequest(prompt="a red and blue ball", width=64, height=48, num_frames=1)
    with pytest.warns(RequestWarning, match=r"found nothing for 'red' to describe; drawn without"):
        RenderEngine().generate(request)
