"""Where objects stand that a prompt places beside others.

Places are chosen on the ground as the camera sees it at the first frame: ``across`` to its right,
``near`` towards it, both in metres from the middle of the stage.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from vidigree.generate.engines.render.arrangement import feet_of, places_for
from vidigree.generate.engines.render.reading import ObjectPhrase, Relation
from vidigree.generate.engines.render.scene import Triple
from vidigree.generate.engines.render.shapes import Box, Cone, Cylinder, Shape

__all__ = ["kept_relations", "related_places", "stays"]

# What does these stays about where it was placed.
_STAYING: Final = ("bounce", "domino", "fall", "hover", "rest", "spin")
# Free ground in metres between one thing and another: least and most.
_GAPS: Final = {
    "left": (0.12, 0.5),
    "right": (0.12, 0.5),
    "beside": (0.08, 0.25),
    "behind": (0.1, 0.35),
    "front": (0.1, 0.35),
}
# What stands behind is seen past what stands in front, which is nearer and so looks larger.
_NEARER: Final = 1.2
_TRIES: Final = 400


def kept_relations(
    relations: Iterable[Relation], phrases: Sequence[ObjectPhrase]
) -> tuple[Relation, ...]:
    """Return those relations whose things all stay about where they are placed.

    Args:
        relations: Of a prompt.
        phrases: Its objects, every one with its motion.
    """
    return tuple(
        relation
        for relation in relations
        if all(stays(phrases[k]) for k in (*relation.subjects, *relation.references))
    )


def stays(phrase: ObjectPhrase) -> bool:
    """Return whether what moves like this stays about where it was placed."""
    directed = phrase.motion == "bounce" and phrase.direction is not None
    # What others collide with stands in the middle, wherever the prompt puts it.
    return phrase.motion in _STAYING and phrase.arrangement != "middle" and not directed


@dataclass(frozen=True)
class _Spot:
    """Ground that a body needs: its middle and radius, and the heights of foot and top; metres."""

    across: float
    near: float
    foot: float
    radius: float
    top: float

    def moved(self, across: float, near: float) -> _Spot:
        return replace(self, across=self.across + across, near=self.near + near)

    def touches(self, other: _Spot) -> bool:
        apart = math.hypot(self.across - other.across, self.near - other.near)
        return apart < 1.02 * (self.radius + other.radius)


@dataclass(frozen=True)
class _Reach:
    """How far spots reach to the left, right, back and front, and up; metres."""

    left: float
    right: float
    far: float
    near: float
    top: float

    @classmethod
    def of(cls, spots: Sequence[_Spot]) -> _Reach:
        return cls(
            left=min(spot.across - spot.radius for spot in spots),
            right=max(spot.across + spot.radius for spot in spots),
            far=min(spot.near - spot.radius for spot in spots),
            near=max(spot.near + spot.radius for spot in spots),
            top=max(spot.top for spot in spots),
        )

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.far + self.near) / 2

    @property
    def half(self) -> float:
        return (self.right - self.left) / 2


def related_places(
    items: Sequence[tuple[ObjectPhrase, Shape]],
    phrases: Sequence[ObjectPhrase],
    relations: Sequence[Relation],
    azimuth: float,
    rng: np.random.Generator,
) -> tuple[list[Triple], float]:
    """Return where the bodies stand, those of relations beside each other and touching nobody.

    Args:
        items: Phrase and shape of every body; bodies of one phrase follow each other.
        phrases: The phrases in order.
        relations: Where they stand; a phrase is the subject of one at most.
        azimuth: Radians around the upright axis at which the camera stands at first.
        rng: Chooses what the relations leave open.

    Returns:
        Foot (x, y, z) of every body, and half the width that the camera has to see; metres.
    """
    of = [[i for i, (phrase, _) in enumerate(items) if phrase is each] for each in phrases]
    placed = {k for relation in relations for k in relation.subjects}
    free = [i for k, those in enumerate(of) if k not in placed for i in those]
    cos, sin = math.cos(azimuth), math.sin(azimuth)
    spots: dict[int, _Spot] = {}
    for i, (x, y, z) in zip(free, places_for([items[i] for i in free], rng), strict=True):
        spots[i] = _spot(items[i], (x * cos - z * sin, y, x * sin + z * cos))
    # A reference is named after its subjects, so that the last relation has no subject beside it.
    for relation in reversed(relations):
        beside = _Reach.of([spots[i] for k in relation.references for i in of[k]])
        blocks = [b for k in relation.subjects for b in _blocks(items, of[k], (cos, sin))]
        for block in blocks:
            spots |= _beside(block, beside, relation.side, rng, crowd=len(blocks), taken=spots)
    if all(stays(phrase) for phrase in phrases):  # else something is aimed at the middle
        across, near = _Reach.of(list(spots.values())).middle
        spots = {i: spot.moved(-across, -near) for i, spot in spots.items()}
    every = [spots[i] for i in range(len(items))]
    places = [(s.across * cos + s.near * sin, s.foot, s.near * cos - s.across * sin) for s in every]
    return places, _extent(every)


def _spot(item: tuple[ObjectPhrase, Shape], place: Triple) -> _Spot:
    """Return the spot of a body at (across, foot, near)."""
    phrase, shape = item
    radius = shape.bounding_radius
    if phrase.motion in ("rest", "spin"):  # upright
        radius = _footprint(shape)
    elif phrase.motion == "domino":  # it will lie on its side
        radius = max(radius, 2 * shape.lowest)
    across, foot, near = place
    return _Spot(across, near, foot, radius, foot + 2 * shape.lowest)


def _footprint(shape: Shape) -> float:
    """Return the radius in metres that an upright shape takes on the ground, however turned."""
    if isinstance(shape, Box):
        return math.hypot(shape.half[0], shape.half[2])
    return shape.radius if isinstance(shape, Cylinder | Cone) else shape.bounding_radius


def _blocks(
    items: Sequence[tuple[ObjectPhrase, Shape]], those: Sequence[int], turn: tuple[float, float]
) -> list[dict[int, _Spot]]:
    """Return what is placed as one, around the middle: an arrangement, or every loose body."""
    phrase = items[those[0]][0]
    if not phrase.arrangement:
        return [{i: _spot(items[i], (0.0, 0.0, 0.0))} for i in those]
    cos, sin = turn
    feet = feet_of(phrase, [items[i][1] for i in those])
    return [
        {
            i: _spot(items[i], (x * cos - z * sin, y, x * sin + z * cos))
            for i, (x, y, z) in zip(those, feet, strict=True)
        }
    ]


def _beside(
    block: dict[int, _Spot],
    beside: _Reach,
    side: str,
    rng: np.random.Generator,
    *,
    crowd: int,
    taken: dict[int, _Spot],
) -> dict[int, _Spot]:
    """Return the spots of a block that stands at a side of others, farther until it is free."""
    own = _Reach.of(list(block.values()))
    least, most = _GAPS[side]
    spread = 0.2 + 0.15 * min(crowd - 1, 6)
    moved = block
    for attempt in range(_TRIES):
        # Sooner farther away than aside, where one of many would hide another.
        gap = float(rng.uniform(least, most)) * (1 + attempt / 8)
        shift = float(rng.uniform(-spread, spread)) * (1 + attempt / 60)
        way = -1.0 if rng.random() < 0.5 else 1.0
        across, near = beside.middle
        if side in ("left", "right", "beside"):
            way = {"left": -1.0, "right": 1.0}.get(side, way)
            across = beside.right + gap - own.left if way > 0 else beside.left - gap - own.right
            near += shift
        else:
            behind = side == "behind"
            past = _past(beside, own) if behind else _past(own, beside)
            across += way * (past + abs(shift))
            near = beside.far - gap - own.near if behind else beside.near + gap - own.far
        moved = {i: spot.moved(across, near) for i, spot in block.items()}
        if not any(a.touches(b) for a in moved.values() for b in taken.values()):
            break
    return moved


def _past(front: _Reach, back: _Reach) -> float:
    """Return how far in metres the middle of what is behind must stand beside what is in front.

    Half of it is seen then at least: past the side of what is in front, on both sides of it, or
    above.
    """
    width = _NEARER * front.half
    return 0.0 if back.half >= 2 * width or back.top >= 2 * front.top else width


def _extent(spots: Sequence[_Spot]) -> float:
    """Return half the width in metres that the camera must be given so that all are in view.

    From what :func:`~surroundings.camera_of` makes of it: at ``2.75 * extent + 1.2`` metres it sees
    0.35 m to either side for each metre of distance, and the ground at its feet from there on.
    """
    wide = [1.04 * (abs(s.across) + s.radius) + 0.36 * s.near - 0.44 for s in spots]
    deep = [0.93 * (s.near + s.radius - 0.75) for s in spots]
    return max(1.35, *wide, *deep, *(abs(s.across) + 0.5 for s in spots))
