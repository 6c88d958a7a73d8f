"""Puts the objects of a prompt on the stage and sets them in motion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np

from vidigree.generate.engines.render.arrangement import places_for
from vidigree.generate.engines.render.camera import camera_at
from vidigree.generate.engines.render.looks import Look, look_of
from vidigree.generate.engines.render.motions import MOTIONS, Cue
from vidigree.generate.engines.render.reading import ObjectPhrase, PromptReading, Relation
from vidigree.generate.engines.render.relations import kept_relations, related_places, stays
from vidigree.generate.engines.render.scene import Body, Scene, Triple
from vidigree.generate.engines.render.surroundings import (
    camera_of,
    camera_side,
    ground_of,
    sky_of,
)
from vidigree.media.errors import EngineError

__all__ = ["settled", "stage"]

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
# Of what the prompt leaves open, until nothing touches what is on its way at the start.
_TRIES: Final = 20
# Words of the camera that change from where, not how near, it looks.
_TURNS: Final = ("low", "orbit", "top")
_WIDEST: Final = 3.2
_GRAVITY: Final = {"low gravity": 1.62, "moon": 1.62, "space": 0.0, "weightless": 0.0}
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
    groups, relations = settled(reading)
    counts = [_count(phrase, rng) for phrase in groups]
    total = max(sum(counts), 1)
    if total > _MOST_BODIES:
        raise EngineError(
            f"The prompt asks for {total} bodies; the render engine draws at most {_MOST_BODIES}.",
            hint="Name fewer things.",
        )
    scale = 1.0 if total <= 4 else max(0.5, (4 / total) ** 0.36)
    items: list[_Item] = []
    related = {k for each in relations for k in (*each.subjects, *each.references)}
    for number, (phrase, count) in enumerate(zip(groups, counts, strict=True)):
        heading = _heading(phrase, rng)
        items += [
            _Item(phrase, look_of(phrase, scale, rng), index, count, heading, number in related)
            for index in range(count)
        ]
    gravity, speed = 9.81, 1.0
    for word in reading.physics:
        gravity = _GRAVITY.get(word, gravity)
        speed = _SPEED.get(word, speed)
    shapes = [(item.phrase, item.look.shape) for item in items]
    side = None
    if relations:
        side = camera_side(rng)  # what is left of what depends on who looks
        azimuth = camera_of(reading, 1.0, 1.0, side).azimuth[0]
        for _ in range(_TRIES):
            places, extent = related_places(shapes, groups, relations, azimuth, rng)
            bodies = _bodies(items, places, extent, gravity, rng)
            if _apart(items, bodies):
                break
        extent = _extent_in_view(reading, bodies, extent, _top(bodies, gravity), side)
    else:
        places = places_for(shapes, rng)
        extent = max([1.35, *(abs(x) + 0.5 for x, _, _ in places)])
        bodies = _bodies(items, places, extent, gravity, rng)
        extent = min(extent, _WIDEST)
    ground, sky = ground_of(reading, rng), sky_of(reading, rng)
    side = camera_side(rng) if side is None else side
    return Scene(
        bodies=bodies,
        ground=ground,
        sky=sky,
        camera=camera_of(reading, extent, _top(bodies, gravity), side),
        gravity=gravity,
        speed=speed,
        seed=seed,
    )


def settled(reading: PromptReading) -> tuple[list[ObjectPhrase], tuple[Relation, ...]]:
    """Return the objects of a prompt with their motions, and the relations that these keep."""
    groups = _settle_motions(reading.objects)
    return groups, kept_relations(reading.relations, groups)


def _bodies(
    items: Sequence[_Item],
    places: Sequence[Triple],
    extent: float,
    gravity: float,
    rng: np.random.Generator,
) -> tuple[Body, ...]:
    around = _Surroundings(extent=extent, target=_struck_top(items, places), gravity=gravity)
    return tuple(
        _body(item, order, place, around, rng)
        for order, (item, place) in enumerate(zip(items, places, strict=True))
    )


def _apart(items: Sequence[_Item], bodies: Sequence[Body]) -> bool:
    """Return whether what moves across touches nothing at the start; what stays never does."""
    starts = [_start(body) for body in bodies]
    return not any(
        math.dist(starts[i], starts[k])
        < bodies[i].shape.bounding_radius + bodies[k].shape.bounding_radius
        for i, k in combinations(range(len(items)), 2)
        if not (stays(items[i].phrase) and stays(items[k].phrase))
        if items[i].phrase is not items[k].phrase
    )


def _start(body: Body) -> Triple:
    """Return where the centre of a body is at time 0, in metres."""
    if body.drive is None:
        return body.position
    (x, y, z), path = body.drive.centre, body.drive
    across, along = math.cos(path.phase), math.sin(path.phase)
    return (x + path.circle_radius * across, y, z + path.circle_radius * along)


def _extent_in_view(
    reading: PromptReading, bodies: Sequence[Body], extent: float, top: float, side: float
) -> float:
    """Return the extent in metres, made larger until the camera sees all bodies at first.

    Words that bring the camera near or turn it away still do so afterwards.
    """
    turns = replace(reading, camera=tuple(word for word in reading.camera if word in _TURNS))
    starts = np.array([_start(body) for body in bodies]).T
    radii = np.array([body.shape.bounding_radius for body in bodies])
    for _ in range(_TRIES):
        # No picture of another shape shows less to any side.
        camera = camera_at(camera_of(turns, extent, top, side), 0.0, 115, 100)
        from_eye = starts - camera.eye
        ahead = (camera.forward.T @ from_eye)[0] * camera.pixel_angle
        reach = radii + np.abs(np.stack([camera.right.T @ from_eye, camera.down.T @ from_eye]))
        if np.all(ahead > 0) and np.all(reach[:, 0] < ahead * [[57.5], [50.0]]):
            break
        extent *= 1.08
    return extent


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
    related: bool


@dataclass(frozen=True)
class _Surroundings:
    """What all bodies of a scene share; metres, and metres per second squared."""

    extent: float
    target: float
    gravity: float


def _struck_top(items: Sequence[_Item], places: Sequence[Triple]) -> float:
    """Return the height in metres of what stands to be struck."""
    tops = [
        place[1] + (2.8 if item.phrase.arrangement == "middle" else 2.0) * item.look.shape.lowest
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
            row = phrase.arrangement or ("row" if _is_several(phrase) else None)
            settled.append(replace(phrase, motion="domino", arrangement=row))
            continue
        if motion is None and "topple" in moving:
            motion = "strike"
        elif motion is None:
            motion = "rest" if moving or phrase.arrangement else "fall"
        arrangement = phrase.arrangement
        if motion == "topple" and arrangement is None:
            # a single thing stands where what strikes it is bound for
            arrangement = "tower" if _is_several(phrase) else "middle"
        settled.append(replace(phrase, motion=motion, arrangement=arrangement))
    if settled and {"topple"} == {phrase.motion for phrase in settled}:
        settled = [_falling_over(phrase) for phrase in settled]
    return settled


def _falling_over(phrase: ObjectPhrase) -> ObjectPhrase:
    """Let what nothing strikes fall by itself: towers as such, loose things one by one."""
    said = phrase.said
    is_tower = "arrangement" in said or said.get("motion", "").startswith("collaps")
    if is_tower and phrase.arrangement != "middle":
        return replace(phrase, motion="lean")
    return replace(phrase, motion="tip", arrangement=None)


def _is_several(phrase: ObjectPhrase) -> bool:
    return phrase.plural or (phrase.count or 1) > 1


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
            if phrase.motion is None and not _is_several(phrase)
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
        related=item.related,
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
