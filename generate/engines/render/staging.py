"""Puts the objects of a prompt on the stage and sets them in motion."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from vidigree.generate.engines.render.arrangement import places_for
from vidigree.generate.engines.render.grammar import ObjectPhrase, PromptReading
from vidigree.generate.engines.render.looks import Look, look_of
from vidigree.generate.engines.render.scene import Body, Drive, Scene
from vidigree.generate.engines.render.shapes import Cylinder, Shape, Sphere
from vidigree.generate.engines.render.surroundings import camera_of, ground_of, sky_of

__all__ = ["stage"]

Triple = tuple[float, float, float]
_UPRIGHT: Final = (1.0, 0.0, 0.0, 0.0)
_ON_ITS_SIDE: Final = (math.sqrt(0.5), math.sqrt(0.5), 0.0, 0.0)
_MOST_OBJECTS: Final = 30
_GRAVITY: Final = {"moon": 1.62, "weightless": 0.0}
_SPEED: Final = {"slow": 0.4, "fast": 1.7}


def stage(reading: PromptReading, seed: int) -> Scene:
    """Return the scene for a prompt; the same reading and seed give the same scene.

    Args:
        reading: What the prompt asks for.
        seed: Chooses everything that the prompt leaves open; in [0, 2**63).
    """
    rng = np.random.default_rng(seed)
    groups = _settle_motions(reading.objects)
    counts = [_count(phrase, rng) for phrase in groups]
    total = max(sum(counts), 1)
    scale = 1.0 if total <= 4 else max(0.5, (4 / total) ** 0.36)
    items = [
        _Item(phrase, look_of(phrase, scale, rng), index, count)
        for phrase, count in zip(groups, counts, strict=True)
        for index in range(count)
    ]
    places = places_for([(item.phrase, item.look.shape) for item in items], rng)
    extent = max([1.35, *(abs(x) + 0.5 for x, _, _ in places)])
    bodies = tuple(
        _body(item, place, extent, rng) for item, place in zip(items, places, strict=True)
    )
    gravity, speed = 9.81, 1.0
    for word in reading.physics:
        gravity = _GRAVITY.get(word, gravity)
        speed = _SPEED.get(word, speed)
    return Scene(
        bodies=bodies,
        ground=ground_of(reading, rng),
        sky=sky_of(reading, rng),
        camera=camera_of(reading, min(extent, 3.2), _top(bodies, gravity), rng),
        gravity=gravity,
        speed=speed,
        seed=seed,
    )


def _top(bodies: tuple[Body, ...], gravity: float) -> float:
    """Return the height in metres that the bodies reach, as far as the camera should care."""
    heights = [
        body.position[1]
        + body.shape.bounding_radius
        + max(body.velocity[1], 0.0) ** 2 / (2 * max(gravity, 4.0))
        for body in bodies
    ]
    return min(max(heights, default=1.0), 4.2)


@dataclass(frozen=True)
class _Item:
    """One object before it has a place."""

    phrase: ObjectPhrase
    look: Look
    index: int
    of: int


def _settle_motions(phrases: tuple[ObjectPhrase, ...]) -> list[ObjectPhrase]:
    """Give every phrase a motion: what the verbs leave open follows from the others."""
    from dataclasses import replace

    moving = {phrase.motion for phrase in phrases} - {None}
    settled = []
    for phrase in phrases:
        motion = phrase.motion
        if phrase.shape == "domino" and motion in (None, "fall", "topple"):
            plural = phrase.plural or (phrase.count or 1) > 1
            row = phrase.arrangement or ("row" if plural else None)
            settled.append(replace(phrase, motion="domino", arrangement=row))
            continue
        if motion is None and "topple" in moving:
            motion = "strike"
        elif motion is None:
            motion = "rest" if moving or phrase.arrangement else "fall"
        arrangement = phrase.arrangement
        if motion == "topple" and arrangement is None:
            arrangement = "tower"
        settled.append(replace(phrase, motion=motion, arrangement=arrangement))
    if settled and {"topple"} == {phrase.motion for phrase in settled}:
        settled = [replace(phrase, motion="lean") for phrase in settled]
    return settled


def _count(phrase: ObjectPhrase, rng: np.random.Generator) -> int:
    if phrase.motion == "rain" and phrase.count is None:
        return 14
    if phrase.count is not None and (phrase.count > 1 or not phrase.arrangement):
        return min(phrase.count, _MOST_OBJECTS)
    if phrase.arrangement:
        return {"row": 6, "ring": 6, "pyramid": 6, "wall": 9, "pile": 6, "tower": 5}[
            phrase.arrangement
        ]
    if phrase.motion == "domino" and phrase.plural:
        return 7
    return int(rng.integers(2, 5)) if phrase.plural else 1


def _body(item: _Item, place: Triple, extent: float, rng: np.random.Generator) -> Body:
    shape, look = item.look.shape, item.look
    volume = 4.2 * (0.6 * shape.bounding_radius) ** 3
    start = _MOTIONS[str(item.phrase.motion)](_Cue(item, shape, place, extent, rng))
    return Body(
        shape=shape,
        material=look.material,
        mass=max(900 * volume * look.density, 0.05),
        position=start.position,
        orientation=start.orientation,
        velocity=start.velocity,
        spin=start.spin,
        restitution=start.restitution if look.restitution is None else look.restitution,
        friction=start.friction,
        drive=start.drive,
    )


@dataclass(frozen=True)
class _Cue:
    """What a motion may look at."""

    item: _Item
    shape: Shape
    place: Triple
    extent: float
    rng: np.random.Generator

    @property
    def heading(self) -> tuple[float, float]:
        """Unit vector (x, z) of the asked direction; to either side if none was asked."""
        named = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "near": (0.0, 1.0), "far": (0.0, -1.0)}
        if self.item.phrase.direction:
            return named[self.item.phrase.direction]
        return (1.0, 0.0) if self.rng.random() < 0.5 else (-1.0, 0.0)

    def at(self, height: float) -> Triple:
        """The place with the body's lowest point ``height`` metres above its support."""
        x, y, z = self.place
        return (x, y + self.shape.lowest + height, z)

    def any_orientation(self) -> tuple[float, float, float, float]:
        w, x, y, z = (float(v) for v in _unit(self.rng.normal(size=4)))
        return (w, x, y, z)

    def any_spin(self, speed: float) -> Triple:
        x, y, z = (float(v) for v in speed * _unit(self.rng.normal(size=3)))
        return (x, y, z)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


@dataclass(frozen=True, kw_only=True)
class _Start:
    """Pose, velocity and manners at time 0."""

    position: Triple
    orientation: tuple[float, float, float, float] = _UPRIGHT
    velocity: Triple = (0.0, 0.0, 0.0)
    spin: Triple = (0.0, 0.0, 0.0)
    restitution: float = 0.3
    friction: float = 0.5
    drive: Drive | None = None


def _rest(cue: _Cue) -> _Start:
    return _Start(position=cue.at(0.0), orientation=_yaw(cue))


def _yaw(cue: _Cue) -> tuple[float, float, float, float]:
    if cue.item.phrase.arrangement:
        return _UPRIGHT
    half = float(cue.rng.uniform(-0.4, 0.4))
    return (math.cos(half), 0.0, math.sin(half), 0.0)


def _bounce(cue: _Cue) -> _Start:
    drift = cue.rng.uniform(-0.35, 0.35, 2)
    if cue.item.phrase.direction:
        drift = 0.9 * np.array(cue.heading)
    return _Start(
        position=cue.at(float(cue.rng.uniform(0.8, 1.7))),
        orientation=_yaw(cue),
        velocity=(float(drift[0]), 0.0, float(drift[1])),
        spin=cue.any_spin(1.5),
        restitution=0.86,
    )


def _fall(cue: _Cue) -> _Start:
    return _Start(
        position=cue.at(float(cue.rng.uniform(0.9, 2.1))),
        orientation=cue.any_orientation(),
        spin=cue.any_spin(1.0),
        restitution=0.38,
    )


def _rain(cue: _Cue) -> _Start:
    height = 0.8 + 3.6 * cue.item.index / cue.item.of + float(cue.rng.uniform(0, 0.5))
    return _Start(
        position=cue.at(height), orientation=cue.any_orientation(), spin=cue.any_spin(2.0)
    )


def _tumble(cue: _Cue) -> _Start:
    hx, hz = cue.heading
    x, y, z = cue.at(0.7)
    return _Start(
        position=(x - 0.9 * hx, y, z - 0.9 * hz),
        orientation=cue.any_orientation(),
        velocity=(1.8 * hx, 1.2, 1.8 * hz),
        spin=(5 * hz, 0.0, -5 * hx),
        restitution=0.35,
    )


def _roll(cue: _Cue) -> _Start:
    hx, hz = cue.heading
    x, y, z = cue.at(0.0)
    speed = 0.75 * cue.extent
    radius, orientation, roll_axis = cue.shape.lowest, _UPRIGHT, (hz, 0.0, -hx)
    if isinstance(cue.shape, Cylinder):
        radius = cue.shape.radius
        orientation = _ON_ITS_SIDE if hx else (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))
        y = cue.place[1] + radius
    elif not isinstance(cue.shape, Sphere):
        return _tumble(cue)
    start = 0.85 * cue.extent
    turn = speed / radius
    return _Start(
        position=(x * abs(hz) - start * hx + 0.25 * x, y, z * abs(hx) - start * hz),
        orientation=orientation,
        velocity=(speed * hx, 0.0, speed * hz),
        spin=(turn * roll_axis[0], 0.0, turn * roll_axis[2]),
        friction=0.7,
    )


def _slide(cue: _Cue) -> _Start:
    if isinstance(cue.shape, Sphere):
        return _roll(cue)
    hx, hz = cue.heading
    x, y, z = cue.at(0.0)
    start = 0.8 * cue.extent
    return _Start(
        position=(x * abs(hz) - start * hx + 0.25 * x, y, z * abs(hx) - start * hz),
        orientation=_yaw(cue),
        velocity=(1.1 * cue.extent * hx, 0.0, 1.1 * cue.extent * hz),
        friction=0.04,
    )


def _spin(cue: _Cue) -> _Start:
    sign = 1.0 if cue.rng.random() < 0.5 else -1.0
    drive = Drive(centre=cue.at(0.0), spin_speed=sign * float(cue.rng.uniform(2.2, 3.4)))
    tilt = _UPRIGHT
    if isinstance(cue.shape, Sphere):
        tilt = (math.cos(0.2), math.sin(0.2), 0.0, 0.0)
    return _Start(position=cue.at(0.0), orientation=tilt, drive=drive)


def _orbit(cue: _Cue) -> _Start:
    x, y, z = cue.at(0.25)
    phase = 2 * math.pi * cue.item.index / cue.item.of + float(cue.rng.uniform(0, 0.3))
    drive = Drive(
        centre=(0.0, y, 0.0),
        circle_radius=max(1.1, cue.item.of * 1.15 * cue.shape.bounding_radius / math.pi),
        phase=phase,
        circle_speed=1.9,
        spin_speed=1.5,
    )
    del x, z
    return _Start(position=(0.0, y, 0.0), drive=drive)


def _hover(cue: _Cue) -> _Start:
    height = float(cue.rng.uniform(0.35, 1.1))
    drive = Drive(
        centre=cue.at(height),
        phase=float(cue.rng.uniform(0, 2 * math.pi)),
        bob=0.22,
        bob_speed=2.4,
        spin_speed=float(cue.rng.uniform(-1.2, 1.2)),
    )
    return _Start(position=cue.at(height), orientation=cue.any_orientation(), drive=drive)


def _throw(cue: _Cue) -> _Start:
    hx, hz = cue.heading
    x, y, z = cue.at(0.5)
    start = 0.9 * cue.extent
    speed = 1.15 * cue.extent
    return _Start(
        position=(x * abs(hz) - start * hx + 0.3 * x, y, z * abs(hx) - start * hz),
        orientation=cue.any_orientation(),
        velocity=(speed * hx, float(cue.rng.uniform(3.6, 4.6)), speed * hz),
        spin=cue.any_spin(4.0),
        restitution=0.55,
    )


def _collide(cue: _Cue) -> _Start:
    side = -1.0 if cue.place[0] < 0 else 1.0
    x, y, z = cue.at(0.0)
    x += 0.5 * side
    speed = 1.9
    aim = -np.array([x, z]) / max(math.hypot(x, z), 1e-6)
    turn = speed / cue.shape.lowest if isinstance(cue.shape, Sphere) else 0.0
    return _Start(
        position=(x, y, z),
        orientation=_UPRIGHT,
        velocity=(float(speed * aim[0]), 0.0, float(speed * aim[1])),
        spin=(float(turn * aim[1]), 0.0, float(-turn * aim[0])),
        restitution=0.75,
        friction=0.5 if turn else 0.08,
    )


def _strike(cue: _Cue) -> _Start:
    """Run into whatever stands in the middle."""
    sign = -1.0 if (cue.item.phrase.direction == "left") else 1.0
    speed = 4.2
    turn = speed / cue.shape.lowest if isinstance(cue.shape, Sphere) else 0.0
    return _Start(
        position=(-sign * (cue.extent + 0.4), cue.shape.lowest, 0.12 + 0.9 * cue.item.index),
        velocity=(sign * speed, 0.0, 0.0),
        spin=(0.0, 0.0, -sign * turn),
        friction=0.5 if turn else 0.05,
    )


def _lean(cue: _Cue) -> _Start:
    """Stand in a tower that leans too far, or is shaken apart."""
    x, y, z = cue.at(0.0)
    hx, hz = cue.heading if cue.item.phrase.direction else (1.0, 0.0)
    shift = 0.36 * cue.shape.bounding_radius * cue.item.index
    push = 0.25 * cue.item.index
    return _Start(
        position=(x + shift * hx, y, z + shift * hz), velocity=(push * hx, 0.0, push * hz)
    )


def _explode(cue: _Cue) -> _Start:
    x, y, z = cue.at(0.15)
    away = _unit(np.array([x, 0.0, z]) + cue.rng.normal(0, 0.05, 3) * [1, 0, 1])
    return _Start(
        position=(0.55 * x, y, 0.55 * z),
        orientation=cue.any_orientation(),
        velocity=(float(2.2 * away[0]), float(cue.rng.uniform(3.0, 4.8)), float(2.2 * away[2])),
        spin=cue.any_spin(7.0),
    )


def _domino(cue: _Cue) -> _Start:
    first = cue.item.index == 0
    return _Start(
        position=cue.at(0.0),
        velocity=(0.45, 0.0, 0.0) if first else (0.0, 0.0, 0.0),
        spin=(0.0, 0.0, -1.6) if first else (0.0, 0.0, 0.0),
        restitution=0.05,
        friction=0.6,
    )


_MOTIONS: Final[dict[str, Callable[[_Cue], _Start]]] = {
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
    "topple": _rest,
    "tumble": _tumble,
}
