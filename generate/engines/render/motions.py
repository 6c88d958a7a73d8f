"""How bodies of each kind of motion start: pose, velocity, and manners."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.scene import Drive, Triple
from vidigree.generate.engines.render.shapes import Box, Cone, Cylinder, Shape, Sphere

__all__ = ["MOTIONS", "STEERED", "UNARRANGED", "Cue", "Start"]

# Metres per second, and where it hits as a part of the target's height.
_STRIKE_SPEED: Final = 6.0
_STRIKE_HEIGHT: Final = 0.6
# Share of the usual drift of what bounces beside something, so that it stays there.
_DRIFT_BESIDE: Final = 0.15
_UPRIGHT: Final = (1.0, 0.0, 0.0, 0.0)
_ON_ITS_SIDE: Final = (math.sqrt(0.5), math.sqrt(0.5), 0.0, 0.0)


@dataclass(frozen=True)
class Cue:
    """What a motion may look at.

    Attributes:
        shape: Geometry of the body.
        place: Its foot (x, y, z) in metres.
        extent: Half width of the stage in metres.
        index: Number of the body among its like, from 0.
        of: How many there are of its like.
        order: Number of the body among all, from 0.
        heading: Unit vector (x, z) of the motion.
        directed: Whether the prompt names the direction.
        arranged: Whether the body stands in a tower, row, ...
        related: Whether the prompt says beside what the body stands.
        target: Height in metres of the top of what is to be struck.
        gravity: Metres per second squared.
        rng: Chooses what is left open.
    """

    shape: Shape
    place: Triple
    extent: float
    index: int
    of: int
    order: int
    heading: tuple[float, float]
    directed: bool
    arranged: bool
    related: bool
    target: float
    gravity: float
    rng: np.random.Generator

    def at(self, height: float) -> Triple:
        """The place with the body's lowest point ``height`` metres above its support."""
        x, y, z = self.place
        return (x, y + self.shape.lowest + height, z)

    def start_of_way(self, back: float) -> tuple[float, float]:
        """Return (x, z) ``back`` metres before the middle, each object behind the one before."""
        hx, hz = self.heading
        x, _, z = self.place
        row = back + 2.4 * self.shape.bounding_radius * self.order
        return x * abs(hz) - row * hx, z * abs(hx) - row * hz

    def any_orientation(self) -> tuple[float, float, float, float]:
        """Return a unit quaternion, uniform over all orientations."""
        w, x, y, z = (float(v) for v in _unit(self.rng.normal(size=4)))
        return (w, x, y, z)

    def any_spin(self, speed: float) -> Triple:
        """Return a spin of ``speed`` radians a second around any axis."""
        x, y, z = (float(v) for v in speed * _unit(self.rng.normal(size=3)))
        return (x, y, z)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = vector / np.linalg.norm(vector)
    return scaled


@dataclass(frozen=True, kw_only=True)
class Start:
    """Pose, velocity and manners at time 0; ``weight`` multiplies the body's mass."""

    position: Triple
    orientation: tuple[float, float, float, float] = _UPRIGHT
    velocity: Triple = (0.0, 0.0, 0.0)
    spin: Triple = (0.0, 0.0, 0.0)
    restitution: float = 0.3
    friction: float = 0.5
    weight: float = 1.0
    drive: Drive | None = None


def _rest(cue: Cue) -> Start:
    return Start(position=cue.at(0.0), orientation=_yaw(cue))


def _yaw(cue: Cue) -> tuple[float, float, float, float]:
    if cue.arranged:
        return _UPRIGHT
    half = float(cue.rng.uniform(-0.4, 0.4))
    return (math.cos(half), 0.0, math.sin(half), 0.0)


def _bounce(cue: Cue) -> Start:
    drift = cue.rng.uniform(-0.35, 0.35, 2)
    if cue.directed:
        drift = 0.9 * np.array(cue.heading)
    elif cue.related:
        drift = _DRIFT_BESIDE * drift
    return Start(
        position=cue.at(float(cue.rng.uniform(0.8, 1.7))),
        orientation=_yaw(cue),
        velocity=(float(drift[0]), 0.0, float(drift[1])),
        spin=cue.any_spin(1.5),
        restitution=0.86,
    )


def _fall(cue: Cue) -> Start:
    position = cue.at(float(cue.rng.uniform(0.9, 2.1)))
    if cue.related:  # what lands upright does not roll away from where it is to stand
        return Start(position=position, orientation=_yaw(cue), restitution=0.38)
    return Start(
        position=position,
        orientation=cue.any_orientation(),
        spin=cue.any_spin(1.0),
        restitution=0.38,
    )


def _rain(cue: Cue) -> Start:
    height = 0.8 + 3.6 * cue.index / cue.of + float(cue.rng.uniform(0, 0.5))
    return Start(position=cue.at(height), orientation=cue.any_orientation(), spin=cue.any_spin(2.0))


def _tumble(cue: Cue) -> Start:
    hx, hz = cue.heading
    x, y, z = cue.at(0.7)
    return Start(
        position=(x - 0.9 * hx, y, z - 0.9 * hz),
        orientation=cue.any_orientation(),
        velocity=(1.8 * hx, 1.2, 1.8 * hz),
        spin=(5 * hz, 0.0, -5 * hx),
        restitution=0.35,
    )


def _roll(cue: Cue) -> Start:
    hx, hz = cue.heading
    x, z = cue.start_of_way(0.85 * cue.extent)
    y = cue.at(0.0)[1]
    speed = 0.75 * cue.extent
    radius, orientation, roll_axis = cue.shape.lowest, _UPRIGHT, (hz, 0.0, -hx)
    if isinstance(cue.shape, Cylinder):
        radius = cue.shape.radius
        orientation = _ON_ITS_SIDE if hx else (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))
        y = cue.place[1] + radius
    elif not isinstance(cue.shape, Sphere):
        return _tumble(cue)
    turn = speed / radius
    return Start(
        position=(x, y, z),
        orientation=orientation,
        velocity=(speed * hx, 0.0, speed * hz),
        spin=(turn * roll_axis[0], 0.0, turn * roll_axis[2]),
        friction=0.7,
    )


def _slide(cue: Cue) -> Start:
    if isinstance(cue.shape, Sphere):
        return _roll(cue)
    hx, hz = cue.heading
    x, z = cue.start_of_way(0.8 * cue.extent)
    y = cue.at(0.0)[1]
    return Start(
        position=(x, y, z),
        orientation=_yaw(cue),
        velocity=(1.1 * cue.extent * hx, 0.0, 1.1 * cue.extent * hz),
        friction=0.04,
    )


def _spin(cue: Cue) -> Start:
    sign = 1.0 if cue.rng.random() < 0.5 else -1.0
    drive = Drive(centre=cue.at(0.0), spin_speed=sign * float(cue.rng.uniform(2.2, 3.4)))
    tilt = _UPRIGHT
    if isinstance(cue.shape, Sphere):
        tilt = (math.cos(0.2), math.sin(0.2), 0.0, 0.0)
    if isinstance(cue.shape, Cylinder) and cue.shape.half_height < 0.5 * cue.shape.radius:
        # a coin spins on its edge; lying, it would seem to rest
        x, y, z = cue.place
        drive, tilt = replace(drive, centre=(x, y + cue.shape.radius, z)), _ON_ITS_SIDE
    return Start(position=drive.centre, orientation=tilt, drive=drive)


def _orbit(cue: Cue) -> Start:
    x, y, z = cue.at(0.25)
    phase = 2 * math.pi * cue.index / cue.of + float(cue.rng.uniform(0, 0.3))
    drive = Drive(
        centre=(0.0, y, 0.0),
        circle_radius=max(1.1, cue.of * 1.15 * cue.shape.bounding_radius / math.pi),
        phase=phase,
        circle_speed=1.9,
        spin_speed=1.5,
    )
    del x, z
    return Start(position=(0.0, y, 0.0), drive=drive)


def _hover(cue: Cue) -> Start:
    height = float(cue.rng.uniform(0.35, 1.1))
    drive = Drive(
        centre=cue.at(height),
        phase=float(cue.rng.uniform(0, 2 * math.pi)),
        bob=0.22,
        bob_speed=2.4,
        spin_speed=float(cue.rng.uniform(-1.2, 1.2)),
    )
    return Start(position=cue.at(height), orientation=cue.any_orientation(), drive=drive)


def _throw(cue: Cue) -> Start:
    hx, hz = cue.heading
    x, z = cue.start_of_way(0.9 * cue.extent)
    y = cue.at(0.5)[1]
    speed = 1.15 * cue.extent
    return Start(
        position=(x, y, z),
        orientation=cue.any_orientation(),
        velocity=(speed * hx, float(cue.rng.uniform(3.6, 4.6)), speed * hz),
        spin=cue.any_spin(4.0),
        restitution=0.55,
    )


def _collide(cue: Cue) -> Start:
    side = -1.0 if cue.place[0] < 0 else 1.0
    x, y, z = cue.at(0.0)
    if cue.directed and cue.heading[0]:
        side = -cue.heading[0]
        x = side * abs(x)
    x += 0.5 * side
    speed = 1.9
    aim = -np.array([x, z]) / max(math.hypot(x, z), 1e-6)
    turn = speed / cue.shape.lowest if isinstance(cue.shape, Sphere) else 0.0
    return Start(
        position=(x, y, z),
        orientation=_UPRIGHT,
        velocity=(float(speed * aim[0]), 0.0, float(speed * aim[1])),
        spin=(float(turn * aim[1]), 0.0, float(-turn * aim[0])),
        restitution=0.75,
        friction=0.5 if turn else 0.08,
    )


def _strike(cue: Cue) -> Start:
    """Fly into the middle of the stage, above half the height of what stands there.

    A ball that rolls stops at the foot of a stack: friction holds the lowest course, which carries
    all the others. So it is thrown, and heavy enough to go on. One after another, if there are
    several.
    """
    sign = -1.0 if cue.directed and cue.heading[0] < 0 else 1.0
    way = cue.extent + 0.4 + 3.0 * cue.shape.bounding_radius * cue.index
    seconds = way / _STRIKE_SPEED
    low = cue.shape.lowest
    rise = max(_STRIKE_HEIGHT * cue.target, low) - low
    return Start(
        position=(-sign * way, low, 0.08 * (-1) ** cue.index),
        velocity=(sign * _STRIKE_SPEED, rise / seconds + cue.gravity * seconds / 2, 0.0),
        spin=(0.0, 0.0, -sign * 4.0),
        restitution=0.2,
        weight=4.0,
    )


def _lean(cue: Cue) -> Start:
    """Stand in a tower that leans too far, or is shaken apart."""
    x, y, z = cue.at(0.0)
    hx, hz = cue.heading if cue.directed else (1.0, 0.0)
    shift = 0.36 * cue.shape.bounding_radius * cue.index
    push = 0.25 * cue.index
    return Start(position=(x + shift * hx, y, z + shift * hz), velocity=(push * hx, 0.0, push * hz))


def _tip(cue: Cue) -> Start:
    """Stand on an edge, a little beyond where a single thing would fall back."""
    hx, hz = cue.heading
    shape, low = cue.shape, cue.shape.lowest
    if not isinstance(shape, Box | Cone | Cylinder):
        return _roll(cue)
    foot = shape.half[0 if hx else 2] if isinstance(shape, Box) else shape.radius
    angle = math.atan2(foot, low) + 0.12
    x, y, z = cue.place
    height = low * math.cos(angle) + foot * math.sin(angle)
    half = math.sin(angle / 2)
    return Start(
        position=(x, y + height, z),
        orientation=(math.cos(angle / 2), half * hz, 0.0, -half * hx),
        velocity=(0.2 * hx, 0.0, 0.2 * hz),
    )


def _explode(cue: Cue) -> Start:
    x, _, z = cue.place
    away = _unit(np.array([x, 0.0, z]) + cue.rng.normal(0, 0.05, 3) * [1, 0, 1])
    up = float(cue.rng.uniform(3.0, 4.8))
    # A wall is one until it bursts; loose things begin in a heap.
    squeeze = 1.0 if cue.arranged else 0.55
    height = cue.at(0.0 if cue.arranged else 0.15)[1]
    return Start(
        position=(squeeze * x, height, squeeze * z),
        orientation=_UPRIGHT if cue.arranged else cue.any_orientation(),
        velocity=(float(2.2 * away[0]), up, float(2.2 * away[2])),
        spin=cue.any_spin(7.0),
    )


def _domino(cue: Cue) -> Start:
    first = cue.index == 0
    return Start(
        position=cue.at(0.0),
        velocity=(0.45, 0.0, 0.0) if first else (0.0, 0.0, 0.0),
        spin=(0.0, 0.0, -1.6) if first else (0.0, 0.0, 0.0),
        restitution=0.05,
        friction=0.6,
    )


MOTIONS: Final[dict[str, Callable[[Cue], Start]]] = {
    "bounce": _bounce,
    "collide": _collide,
    "domino": _domino,
    "explode": _explode,
    "fall": _fall,
    "hover": _hover,
    "lean": _lean,
    "orbit": _orbit,
    "rain": _rain,
    "rest": _rest,
    "roll": _roll,
    "slide": _slide,
    "spin": _spin,
    "strike": _strike,
    "throw": _throw,
    "tip": _tip,
    "topple": _rest,
    "tumble": _tumble,
}

_SIDEWAYS: Final = frozenset(("left", "right"))
_EVERY_WAY: Final = _SIDEWAYS | {"near", "far"}
# The directions that motions follow; the others follow none.
STEERED: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys(("bounce", "lean", "roll", "slide", "throw", "tip", "tumble"), _EVERY_WAY),
    **dict.fromkeys(("collide", "strike"), _SIDEWAYS),
}
# Motions that start elsewhere than where an arrangement puts things; all but the last in a row.
UNARRANGED: Final = ("roll", "slide", "throw", "strike", "orbit")
