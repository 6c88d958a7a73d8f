"""Bodies obey: free fall, bounces, friction, collisions, and rest."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from vidigree.generate.engines.render.dynamics import Pose
from vidigree.generate.engines.render.dynamics import simulate as stream
from vidigree.generate.engines.render.scene import Body, CameraPath, Ground, Material, Scene, Sky
from vidigree.generate.engines.render.shapes import Box, Cone, Cylinder, Shape, Sphere

MATTER = Material(colour=(0.5, 0.5, 0.5))
SKY = Sky(
    name="day", zenith=(1, 1, 1), horizon=(1, 1, 1), sun_direction=(0, 1, 0), sun_colour=(1, 1, 1)
)
CAMERA = CameraPath(target=(0, 0, 0), distance=(5, 5), azimuth=(0, 0), elevation=(0.2, 0.2))


def scene(*bodies: Body, gravity: float = 9.81) -> Scene:
    return Scene(
        bodies=bodies, ground=Ground(kind="plain"), sky=SKY, camera=CAMERA, gravity=gravity
    )


def body(shape: Shape, **values: object) -> Body:
    settings: dict[str, object] = {"mass": 1.0, "material": MATTER}
    return Body(shape=shape, **(settings | values))  # type: ignore[arg-type]


def simulate(of: Scene, times: Iterable[float]) -> Pose:
    """All poses at once: position (F, B, 3) and rotation (F, B, 3, 3)."""
    poses = list(stream(of, times))
    return Pose(
        np.stack([pose.position for pose in poses]), np.stack([pose.rotation for pose in poses])
    )


def test_free_fall_follows_the_parabola() -> None:
    times = np.linspace(0, 0.5, 13)
    ball = body(Sphere(0.1), position=(0, 3.0, 0), velocity=(1.0, 0, 0))
    height = simulate(scene(ball), times).position[:, 0]
    assert height[:, 1] == pytest.approx(3.0 - 0.5 * 9.81 * times**2, abs=0.01)
    assert height[:, 0] == pytest.approx(times, abs=1e-9)


@pytest.mark.parametrize("restitution", [0.3, 0.6, 0.9])
def test_bounce_height_is_the_square_of_the_restitution(restitution: float) -> None:
    ball = body(Sphere(0.1), position=(0, 1.1, 0), restitution=restitution)
    times = np.linspace(0, 1.3, 1301)
    height = simulate(scene(ball), times).position[:, 0, 1] - 0.1
    touch = int(np.argmin(height[:600]))
    rebound = float(height[touch : touch + 1 + int(1000 * restitution * 0.92)].max())
    assert rebound == pytest.approx(restitution**2, rel=0.06)


@pytest.mark.parametrize(
    "shape", [Sphere(0.3), Box((0.3, 0.2, 0.3)), Cylinder(0.2, 0.3), Cone(0.3, 0.6)]
)
def test_standing_bodies_stay(shape: Shape) -> None:
    standing = body(shape, position=(0, shape.lowest, 0))
    motion = simulate(scene(standing), np.linspace(0, 2, 5))
    drift = np.abs(motion.position[-1, 0] - motion.position[0, 0])
    assert drift.max() < 0.01
    assert np.allclose(motion.rotation[-1, 0], np.eye(3), atol=0.02)


def test_tower_of_five_stands() -> None:
    cube = Box((0.3, 0.3, 0.3))
    tower = [body(cube, position=(0, 0.3 + 0.601 * k, 0)) for k in range(5)]
    motion = simulate(scene(*tower), np.linspace(0, 2, 3))
    assert np.abs(motion.position[-1] - motion.position[0]).max() < 0.05


def test_sliding_stops_where_friction_says() -> None:
    cube = body(Box((0.2, 0.2, 0.2)), position=(0, 0.2, 0), velocity=(2.0, 0, 0), friction=0.25)
    stopped = simulate(scene(cube), np.linspace(0, 3, 4)).position[-1, 0, 0]
    mu = 0.5  # geometric mean of the body's 0.25 and the ground's 1
    assert stopped == pytest.approx(2.0**2 / (2 * mu * 9.81), rel=0.15)


def test_equal_balls_exchange_their_speed() -> None:
    left = body(Sphere(0.2), position=(-1, 5, 0), velocity=(2, 0, 0), restitution=1.0)
    right = body(Sphere(0.2), position=(0, 5, 0), restitution=1.0)
    motion = simulate(scene(left, right, gravity=0.0), np.array([0.0, 1.0, 1.2]))
    speed = (motion.position[2, :, 0] - motion.position[1, :, 0]) / 0.2
    assert speed == pytest.approx([0.0, 2.0], abs=0.02)


@pytest.mark.slow
def test_bodies_end_outside_each_other() -> None:
    balls = [body(Sphere(0.25), position=(0.05 * k, 0.4 + 0.6 * k, 0.03 * k)) for k in range(6)]
    final = simulate(scene(*balls), np.linspace(0, 3, 4)).position[-1]
    assert final[:, 1].min() > 0.24
    apart = np.linalg.norm(final[:, None] - final[None], axis=-1)[np.triu_indices(6, 1)]
    assert apart.min() > 0.48


def test_the_same_scene_gives_the_same_bits() -> None:
    cubes = [body(Box((0.2, 0.2, 0.2)), position=(0.1 * k, 0.5 + k, 0)) for k in range(3)]
    times = np.linspace(0, 1.5, 7)
    assert np.array_equal(
        simulate(scene(*cubes), times).position, simulate(scene(*cubes), times).position
    )


def test_bodies_at_rest_cost_nothing() -> None:
    ball = body(Sphere(0.1), position=(0, 0.3, 0), restitution=0.2)
    last = list(stream(scene(ball), np.linspace(0, 600, 1201)))[-1]
    assert last.position[0, 1] == pytest.approx(0.1, abs=5e-3)
