"""Puts the objects of a prompt on the stage and sets them in motion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from vidigree.generate.engines.render.arrangement import places_for
from vidigree.generate.engines.render.grammar import ObjectPhrase, PromptReading
from vidigree.generate.engines.render.looks import Look, look_of
from vidigree.generate.engines.render.motions import MOTIONS, Cue
from vidigree.generate.engines.render.scene import Body, Scene, Triple
from vidigree.generate.engines.render.surroundings import camera_of, ground_of, sky_of
from vidigree.media.errors import EngineError

__all__ = ["stage"]

_HEADINGS: Final = {
    "left": (-1.0, 0.0),
    "right": (1.0, 0.0),
    "near": (0.0, 1.0),
    "far": (0.0, -1.0),
}
_MOST_OBJECTS: Final = 30
# Of all phrases; every pair of them is a contact to look for, so that more take hours.
_MOST_BODIES: Final = 120
_USUAL_COUNT: Final = {
    "middle": 1,
    "pile": 6,
    "pyramid": 6,
    "ring": 6,
    "row": 6,
    "tower": 5,
    "wall": 9,
}
_GRAVITY: Final = {"moon": 1.62, "weightless": 0.0}
_SPEED: Final = {"slow": 0.4, "fast": 1.7}


def stage(reading: PromptReading, seed: int) -> Scene:
    """Return the scene for a prompt; the same reading and seed give the same scene.

    Args:
        reading: What the prompt asks for.
        seed: Chooses everything that the prompt leaves open; in [0, 2**63).

    Raises:
        EngineError: There would be too many bodies.
    """
    rng = np.random.default_rng(seed)
    groups = _settle_motions(reading.objects)
    counts = [_count(phrase, rng) for phrase in groups]
    total = max(sum(counts), 1)
    if total > _MOST_BODIES:
        raise EngineError(
            f"The prompt asks for {total} bodies; the render engine draws at most {_MOST_BODIES}.",
            hint="Name fewer things.",
        )
    scale = 1.0 if total <= 4 else max(0.5, (4 / total) ** 0.36)
    items: list[_Item] = []
    for phrase, count in zip(groups, counts, strict=True):
        heading = _heading(phrase, rng)
        items += [
            _Item(phrase, look_of(phrase, scale, rng), index, count, heading)
            for index in range(count)
        ]
    places = places_for([(item.phrase, item.look.shape) for item in items], rng)
    extent = max([1.35, *(abs(x) + 0.5 for x, _, _ in places)])
    gravity, speed = 9.81, 1.0
    for word in reading.physics:
        gravity = _GRAVITY.get(word, gravity)
        speed = _SPEED.get(word, speed)
    around = _Surroundings(extent=extent, target=_struck_top(items, places), gravity=gravity)
    bodies = tuple(
        _body(item, order, place, around, rng)
        for order, (item, place) in enumerate(zip(items, places, strict=True))
    )
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
    heading: tuple[float, float]


@dataclass(frozen=True)
class _Surroundings:
    """What all bodies of a scene share; metres, and metres per second squared."""

    extent: float
    target: float
    gravity: float


def _struck_top(items: list[_Item], places: list[Triple]) -> float:
    """Return the height in metres of what stands to be struck."""
    tops = [
        place[1] + 2 * item.look.shape.lowest
        for item, place in zip(items, places, strict=True)
        if item.phrase.motion == "topple"
    ]
    return max(tops, default=0.0)


def _heading(phrase: ObjectPhrase, rng: np.random.Generator) -> tuple[float, float]:
    """Return the unit vector (x, z) of the asked direction; to either side if none was asked."""
    if phrase.direction:
        return _HEADINGS[phrase.direction]
    return _HEADINGS["right" if rng.random() < 0.5 else "left"]


def _settle_motions(phrases: tuple[ObjectPhrase, ...]) -> list[ObjectPhrase]:
    """Give every phrase a motion: what the verbs leave open follows from the others."""
    phrases = _with_strikes(phrases)
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


def _with_strikes(phrases: tuple[ObjectPhrase, ...]) -> tuple[ObjectPhrase, ...]:
    """Let what hits a tower or another arrangement knock it over: "a ball hitting a tower".

    Single things that are hit stand in the middle, where whatever collides is bound for.
    """
    if not any(phrase.motion == "collide" for phrase in phrases):
        return phrases
    stands = [phrase.arrangement is not None and phrase.motion is None for phrase in phrases]
    if not any(stands):
        return tuple(
            replace(phrase, arrangement="middle", motion="rest")
            if phrase.motion is None and not phrase.plural and (phrase.count or 1) == 1
            else phrase
            for phrase in phrases
        )
    return tuple(
        replace(phrase, motion="topple")
        if standing
        else replace(phrase, motion="strike" if phrase.motion == "collide" else phrase.motion)
        for phrase, standing in zip(phrases, stands, strict=True)
    )


def _count(phrase: ObjectPhrase, rng: np.random.Generator) -> int:
    if phrase.motion == "rain" and phrase.count is None:
        return 14
    if phrase.count is not None and (phrase.count > 1 or not phrase.arrangement):
        return min(phrase.count, _MOST_OBJECTS)
    if phrase.arrangement:
        return _USUAL_COUNT[phrase.arrangement]
    if phrase.motion == "domino" and phrase.plural:
        return 7
    return int(rng.integers(2, 5)) if phrase.plural else 1


def _body(
    item: _Item, order: int, place: Triple, around: _Surroundings, rng: np.random.Generator
) -> Body:
    shape, look = item.look.shape, item.look
    volume = 4.2 * (0.6 * shape.bounding_radius) ** 3
    cue = Cue(
        shape=shape,
        place=place,
        extent=around.extent,
        index=item.index,
        of=item.of,
        order=order,
        heading=item.heading,
        directed=item.phrase.direction is not None,
        arranged=item.phrase.arrangement is not None,
        target=around.target,
        gravity=around.gravity,
        rng=rng,
    )
    start = MOTIONS[str(item.phrase.motion)](cue)
    return Body(
        shape=shape,
        material=look.material,
        mass=max(900 * volume * look.density * start.weight, 0.05),
        position=start.position,
        orientation=start.orientation,
        velocity=start.velocity,
        spin=start.spin,
        restitution=start.restitution if look.restitution is None else look.restitution,
        friction=start.friction,
        drive=start.drive,
    )
