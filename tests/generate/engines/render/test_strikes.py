"""What is hit by a ball is hit by it, and falls."""

from __future__ import annotations

import numpy as np
import pytest

from vidigree.generate.engines.render.dynamics import simulate
from vidigree.generate.engines.render.grammar import read_prompt
from vidigree.generate.engines.render.shapes import Cylinder, Sphere
from vidigree.generate.engines.render.staging import stage

FIRST, *OTHERS = [
    "pyramid of cans hit by a ball",
    "a ball hitting a pyramid of cans",
    "a tower of blocks knocked over by a ball",
    "a wall of bricks hit by two balls",
    "a ball rolling into a tower of five cubes",
]
PROMPTS = [FIRST, *(pytest.param(prompt, marks=pytest.mark.slow) for prompt in OTHERS)]


@pytest.mark.parametrize("seed", [0, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_ball_hits_and_the_stack_comes_down(prompt: str, seed: int) -> None:
    scene = stage(read_prompt(prompt), seed)
    moments = (k / 24 for k in range(48))
    place = np.stack([pose.position for pose in simulate(scene, moments)])
    balls = [k for k, body in enumerate(scene.bodies) if isinstance(body.shape, Sphere)]
    stack = [k for k in range(len(scene.bodies)) if k not in balls]
    for ball in balls:
        reach = scene.bodies[ball].shape.bounding_radius + np.array(
            [scene.bodies[k].shape.bounding_radius for k in stack]
        )
        gap = np.linalg.norm(place[:, ball, None] - place[:, stack], axis=-1) - reach
        assert gap.min() < 0.05, "every ball meets the stack"
    top = max(stack, key=lambda k: place[0, k, 1])
    assert place[-1, top, 1] < 0.7 * place[0, top, 1], "its highest piece is no longer up there"
    # Nobody goes through anybody: a ball that hits loses speed.
    speed = np.diff(place[:, balls[0], 0]) * 24
    assert abs(speed[-8:].mean()) < 0.7 * abs(speed[:4].mean())


def test_one_ball_hits_from_the_side_that_was_asked() -> None:
    scene = stage(read_prompt("pyramid of cans hit by a ball moving left"), 0)
    (ball,) = (body for body in scene.bodies if isinstance(body.shape, Sphere))
    assert ball.position[0] > 1
    assert ball.velocity[0] < 0


def test_towers_stand_side_by_side() -> None:
    scene = stage(read_prompt("two towers of four cubes"), 0)
    feet = sorted(round(body.position[0], 3) for body in scene.bodies)
    assert len(feet) == 8
    assert len(set(feet)) == 2
    assert feet[-1] - feet[0] > 2


@pytest.mark.parametrize("way", ["right", "left"])
def test_a_ball_that_rolls_into_a_cube_pushes_it(way: str) -> None:
    scene = stage(read_prompt(f"a ball rolling to the {way} into a cube on grass"), 1)
    moments = (k / 24 for k in range(48))
    place = np.stack([pose.position for pose in simulate(scene, moments)])
    assert np.sign(place[0, 0, 0]) == (-1 if way == "right" else 1)
    assert np.abs(place[:6, 1] - place[0, 1]).max() < 0.01, "the cube stands until it is hit"
    pushed = place[-1, 1, 0] - place[0, 1, 0]
    assert abs(pushed) > 0.01, "a cube of its weight rubs on the ground"
    assert np.sign(pushed) == (1 if way == "right" else -1)


@pytest.mark.parametrize(
    ("prompt", "number"),
    [
        ("a cylinder falling over", 1),
        ("two tall boxes toppling to the left", 2),
        pytest.param("a column knocked over by a ball", 2, marks=pytest.mark.slow),
    ],
)
def test_a_single_thing_falls_over_alone(prompt: str, number: int) -> None:
    scene = stage(read_prompt(prompt), 0)
    assert len(scene.bodies) == number
    poses = list(simulate(scene, (k / 24 for k in range(0, 49, 6))))
    for body in range(number):
        if not isinstance(scene.bodies[body].shape, Sphere):
            assert abs(poses[-1].rotation[body][1, 1]) < 0.3, "its axis lies"


def test_a_coin_spins_on_its_edge() -> None:
    (coin,) = stage(read_prompt("a coin spinning on a table"), 0).bodies
    assert isinstance(coin.shape, Cylinder)
    assert coin.position[1] == pytest.approx(coin.shape.radius)


def test_space_and_moon_are_not_a_lawn_by_day() -> None:
    space, moon, chosen = (
        stage(read_prompt(f"a ball {where}"), 0)
        for where in ("in space", "on the moon", "on the moon on grass at sunset")
    )
    assert [space.sky.name, moon.sky.name, chosen.sky.name] == ["space", "space", "sunset"]
    assert space.sky.stars
    assert [space.ground.kind, moon.ground.kind, chosen.ground.kind] == ["plain", "plain", "grass"]
    assert (space.gravity, moon.gravity) == (0.0, 1.62)


def test_a_wall_is_one_until_it_bursts() -> None:
    bodies = stage(read_prompt("a wall of bricks exploding"), 0).bodies
    assert {body.orientation for body in bodies} == {(1.0, 0.0, 0.0, 0.0)}
    assert min(body.velocity[1] for body in bodies) >= 3
