"""Things stand beside others where the prompt says, as the camera sees it."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from vidigree.generate import ClipRequest, RequestWarning
from vidigree.generate.engines.render import RenderEngine, Scene, read_prompt, stage
from vidigree.generate.engines.render.camera import Camera, camera_at
from vidigree.generate.engines.render.dynamics import simulate
from vidigree.generate.engines.render.dynamics.contacts import find_contacts
from vidigree.generate.engines.render.dynamics.state import State
from vidigree.generate.engines.render.placed import place
from vidigree.generate.engines.render.vectors import FloatArray

WIDTH, HEIGHT = 80, 60


@pytest.mark.parametrize(
    ("prompt", "relations"),
    [
        ("a red ball to the left of a blue cube on grass", [("left", (0,), (1,))]),
        ("two yellow cones behind a green box", [("behind", (0,), (1,))]),
        ("a blue ball bouncing next to a red cube", [("beside", (0,), (1,))]),
        ("a red cube in front of a tower of wooden blocks", [("front", (0,), (1,))]),
        ("a ball right of a cube left of a can", [("right", (0,), (1,)), ("left", (1,), (2,))]),
        ("a cone and a ball on grass beside a fluffy cube", [("beside", (1,), (2,))]),
        ("two towers of cubes behind two rows of balls", [("behind", (0, 1), (2, 3))]),
    ],
)  # fmt: skip
def test_a_place_joins_what_is_named_before_and_after(
    prompt: str, relations: list[tuple[str, tuple[int, ...], tuple[int, ...]]]
) -> None:
    reading = read_prompt(prompt)
    assert [(r.side, r.subjects, r.references) for r in reading.relations] == relations
    assert set(reading.unknown) <= {"fluffy"}


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("a ball to the left of", ("to the left of",)),
        ("a ball right of it and a cube", ("right of",)),
        ("two balls next to each other and a cube", ("next to",)),
        ("a ball left of a cat and a cube", ("left of", "cat")),
        ("a ball left of a cat, a cube", ("left of", "cat")),
        ("a ball seen from behind, a cube", ("from behind",)),
        ("a ball behind the camera, a cube", ("behind",)),
        ("a ball beside a wooden table with a cube", ("beside",)),
        ("behind a cube, a ball", ("behind",)),
        ("a ball left of a cube left of", ("left of",)),
        ("a ball left of and a cube left of a cone", ("left of",)),
        ("a ball on top of a cube", ("top",)),
        ("a ball between two cubes", ("between",)),
        ("a ball in front of a blue sky", ()),
    ],
)
def test_a_place_without_a_thing_is_an_unknown_word(prompt: str, unknown: tuple[str, ...]) -> None:
    assert read_prompt(prompt).unknown == unknown


def test_a_verb_after_a_place_is_of_what_comes_next() -> None:
    reading = read_prompt("a ball next to a spinning cube")
    assert [o.motion for o in reading.objects] == [None, "spin"]
    assert len(reading.relations) == 1


PAIRS = [
    ("a red ball", "a blue cube"),
    ("two yellow cones", "a green box"),
    ("a tiny ball standing", "a giant box"),
    ("a huge ball", "a tiny cube"),
    ("a red cube", "a tower of wooden blocks"),
    ("a row of cubes", "a wall of bricks"),
    ("a barrel floating", "a spinning column"),
    ("a blue ball bouncing", "a long plank, from above"),
    ("three balls", "two towers of cubes, orbiting camera"),
]


def numbers(prompt: str) -> tuple[int, int]:
    """Return how many bodies the subject and the reference of a prompt of ``PAIRS`` have."""
    ones = {"two yellow cones": 2, "a row of cubes": 6, "three balls": 3}
    others = {"tower of wooden": 5, "wall of bricks": 9, "two towers": 10}
    subject = next((n for words, n in ones.items() if prompt.startswith(words)), 1)
    return subject, next((n for words, n in others.items() if words in prompt), 1)


def projected(camera: Camera, centre: FloatArray) -> tuple[float, float]:
    """Return the column and row of a point (3, 1)."""
    ray = centre - camera.eye
    ahead = (ray * camera.forward).sum() * camera.pixel_angle
    column = WIDTH / 2 + float((ray * camera.right).sum() / ahead)
    return column, HEIGHT / 2 + float((ray * camera.down).sum() / ahead)


def is_right(side: str, one: np.ndarray, other: np.ndarray, camera: Camera) -> bool:
    """Whether all centres (N, 3) of the subject stand at a side of all of the reference."""
    if side in ("behind", "in front of"):
        level = (camera.forward[:, 0] * [1, 0, 1]).astype(float)
        near, far = (one, other) if side == "in front of" else (other, one)
        return bool((near @ level).max() < (far @ level).min())
    columns = [projected(camera, centre[:, None])[0] for centre in one]
    others = [projected(camera, centre[:, None])[0] for centre in other]
    left = [column < min(others) for column in columns]
    right = [column > max(others) for column in columns]
    either = [left[k] or right[k] for k in range(len(columns))]
    return all({"left of": left, "right of": right, "next to": either}[side])


@pytest.mark.parametrize("side", ["left of", "right of", "next to", "behind", "in front of"])
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_things_stand_where_the_prompt_says_in_view_and_apart(
    one: str, other: str, side: str
) -> None:
    prompt = f"{one} {side} {other}"
    count, rest = numbers(prompt)
    for seed in range(6):
        scene = stage(read_prompt(prompt), seed)
        assert len(scene.bodies) == count + rest
        state = State(scene.bodies)
        centres = state.position[:-1]
        camera = camera_at(scene.camera, 0.0, WIDTH, HEIGHT)
        assert is_right(side, centres[:count], centres[count:], camera), seed
        for centre in centres:
            column, row = projected(camera, centre[:, None])
            assert 0 < column < WIDTH, seed
            assert 0 < row < HEIGHT, seed
        contacts = find_contacts(state)
        pairs = zip(contacts.first, contacts.second, strict=True)
        assert not [p for p in pairs if max(p) < state.ground and min(p) < count <= max(p)], seed


@pytest.mark.parametrize("side", ["behind", "in front of"])
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_what_stands_behind_is_seen(one: str, other: str, side: str) -> None:
    prompt = f"{one} {side} {other}"
    count, _ = numbers(prompt)
    for seed in range(3):
        scene = stage(read_prompt(prompt), seed)
        distance = distances(scene)
        back = slice(None, count) if side == "behind" else slice(count, None)
        whole = np.isfinite(distance[back]).any(axis=0)
        shown = whole & (distance[back].min(axis=0) <= distance.min(axis=0))
        assert shown.sum() > 0.3 * whole.sum(), seed


def distances(scene: Scene) -> np.ndarray:
    """Return how far each body is along the ray of each pixel, (bodies, pixels)."""
    state = State(scene.bodies)
    camera = camera_at(scene.camera, 0.0, WIDTH, HEIGHT)
    rows, columns = np.divmod(np.arange(WIDTH * HEIGHT, dtype=np.float32), WIDTH)
    rays = camera.rays(columns + 0.5, rows + 0.5)
    placed = [
        place(body, state.position[k], state.rotation[k]) for k, body in enumerate(scene.bodies)
    ]
    return np.stack(
        [
            body.shape.intersect(body.to_local(camera.eye), body.turn_to_local(rays)).distance
            for body in placed
        ]
    )


@pytest.mark.parametrize("motion", ["falling", "bouncing", "floating"])
def test_a_place_is_kept_to_the_end(motion: str) -> None:
    for seed in range(3):
        scene = stage(read_prompt(f"a red cube {motion} left of a blue ball {motion}"), seed)
        *_, last = simulate(scene, [k / 24 for k in range(48)])
        camera = camera_at(scene.camera, 1.0, WIDTH, HEIGHT)
        assert is_right("left of", last.position[:1], last.position[1:], camera), seed


@pytest.mark.parametrize(
    "prompt",
    [
        "a red ball rolling to the left of a blue cube",
        "a cube to the left of a ball sliding right",
        "a ball bouncing to the right to the left of a cube",
        "a ball to the left of a tower of cubes collapsing",
        "a ball thrown to the left of a ball orbiting",
    ],
)
def test_a_place_that_is_not_kept_is_told(prompt: str) -> None:
    with pytest.warns(RequestWarning, match="does not keep 'to the left of'"):
        RenderEngine().generate(ClipRequest(prompt=prompt))
    reading = read_prompt(prompt)
    assert reading.unknown == ()


def test_a_place_that_is_kept_needs_no_note() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RenderEngine().generate(ClipRequest(prompt="a ball left of a cube behind a spinning cone"))


def test_what_is_on_its_way_touches_nothing_at_the_start() -> None:
    for seed in range(20):
        reading = read_prompt("a rolling green ball and a red cube left of a blue cube")
        ball, *cubes = stage(reading, seed).bodies
        for cube in cubes:
            apart = math.dist(ball.position, cube.position)
            assert apart > ball.shape.bounding_radius + cube.shape.bounding_radius, seed


def test_prompts_without_a_place_keep_their_scenes() -> None:
    for prompt, seed, azimuth, centres in (
        (
            "two red balls bouncing on a wooden floor",
            5,
            -0.1143,
            [(0.9161, 1.2907, -0.0935), (-0.6372, 2.0579, -0.8622)],
        ),
        (
            "a beach ball and three green cubes falling on sand",
            5,
            -0.2427,
            [
                (-0.3356, 2.5172, 1.1637),
                (0.0778, 2.3381, -0.8118),
                (-2.2638, 2.1315, -0.5345),
                (-2.3282, 1.4613, 1.2359),
            ],
        ),
        ("a red ball rolling left, orbiting camera", 2, -0.4357, [(1.1475, 0.45, -0.0191)]),
    ):
        scene = stage(read_prompt(prompt), seed)
        assert scene.camera.azimuth[0] == pytest.approx(azimuth, abs=1e-4)
        for body, centre in zip(scene.bodies, centres, strict=True):
            assert body.position == pytest.approx(centre, abs=1e-4)
