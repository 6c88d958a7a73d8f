"""Where the objects of a scene stand before they move."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from vidigree.generate.engines.render.reading import ObjectPhrase
from vidigree.generate.engines.render.scene import Triple
from vidigree.generate.engines.render.shapes import Box, Cylinder, Shape

__all__ = ["feet_of", "places_for"]


def places_for(
    items: Sequence[tuple[ObjectPhrase, Shape]], rng: np.random.Generator
) -> list[Triple]:
    """Return the foot (x, y, z) of every item in metres; y is 0 on the ground.

    Arranged groups (towers, rows, rings) stand side by side, single objects are scattered around
    them without touching.

    Args:
        items: Phrase and shape of every object; objects of one phrase follow each other.
        rng: Scatters.
    """
    places: dict[int, Triple] = {}
    taken: list[tuple[float, float, float]] = []  # x, z, radius
    groups = _groups(items)
    arranged = [group for group in groups if items[group[0]][0].arrangement]
    for number, group in enumerate(arranged):
        phrase = items[group[0]][0]
        shapes = [items[i][1] for i in group]
        feet = feet_of(phrase, shapes)
        shift = 2.2 * (number - (len(arranged) - 1) / 2)
        for i, (x, y, z) in zip(group, feet, strict=True):
            places[i] = (x + shift, y, z)
            taken.append((x + shift, z, items[i][1].bounding_radius))
    loose = [i for i in range(len(items)) if i not in places]
    for i in sorted(loose, key=lambda i: -items[i][1].bounding_radius):
        radius = items[i][1].bounding_radius
        x, z = _free_spot(radius, taken, len(items), rng)
        places[i] = (x, 0.0, z)
        taken.append((x, z, radius))
    return [places[i] for i in range(len(items))]


def feet_of(phrase: ObjectPhrase, shapes: Sequence[Shape]) -> list[Triple]:
    """Return the feet (x, y, z) in metres of the pieces of an arrangement around the origin."""
    return list(_FORMS[str(phrase.arrangement)](shapes))


def _groups(items: Sequence[tuple[ObjectPhrase, Shape]]) -> list[list[int]]:
    groups: list[list[int]] = []
    for i, (phrase, _) in enumerate(items):
        if groups and items[groups[-1][0]][0] is phrase:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def _free_spot(
    radius: float, taken: list[tuple[float, float, float]], total: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return a spot (x, z) that touches nobody, the area growing until there is one."""
    width = 0.35 + 0.42 * min(total, 5) if total > 1 else 0.05
    for attempt in range(400):
        grow = 1 + attempt / 60
        x = float(rng.uniform(-1.25, 1.25)) * width * grow
        z = float(rng.uniform(-0.8, 0.6)) * width * grow
        if all(math.hypot(x - tx, z - tz) > 1.08 * (radius + tr) for tx, tz, tr in taken):
            return x, z
    return x, z


def _width(shape: Shape) -> float:
    """Half extent along x of an upright shape."""
    if isinstance(shape, Box):
        return shape.half[0]
    return shape.radius if isinstance(shape, Cylinder) else shape.bounding_radius


def _tower(shapes: Sequence[Shape]) -> Iterator[Triple]:
    height = 0.0
    for shape in shapes:
        yield 0.0, height, 0.0
        height += 2 * shape.lowest + 1e-3


def _row(shapes: Sequence[Shape]) -> Iterator[Triple]:
    thin = isinstance(shapes[0], Box) and shapes[0].half[1] > 2.5 * shapes[0].half[0]
    gap = 0.62 * shapes[0].lowest if thin else 0.35 * _width(shapes[0])
    pitch = 2 * _width(shapes[0]) + gap
    for i in range(len(shapes)):
        yield pitch * (i - (len(shapes) - 1) / 2), 0.0, 0.0


def _ring(shapes: Sequence[Shape]) -> Iterator[Triple]:
    around = sum(2.5 * shape.bounding_radius for shape in shapes) / (2 * math.pi)
    radius = max(0.9, around)
    for i in range(len(shapes)):
        angle = 2 * math.pi * i / len(shapes)
        yield radius * math.cos(angle), 0.0, radius * math.sin(angle)


def _rows_of(lengths: Sequence[int], shapes: Sequence[Shape]) -> Iterator[Triple]:
    """Yield courses of ``lengths`` from the ground up, each centred on the one below."""
    pitch, rise = 2.04 * _width(shapes[0]), 2 * shapes[0].lowest + 1e-3
    left = len(shapes)
    for course, length in enumerate(lengths):
        length = min(length, left)  # noqa: PLW2901
        for i in range(length):
            yield pitch * (i - (length - 1) / 2), course * rise, 0.0
        left -= length


def _pyramid(shapes: Sequence[Shape]) -> Iterator[Triple]:
    base = 1
    while base * (base + 1) // 2 < len(shapes):
        base += 1
    return _rows_of(list(range(base, 0, -1)), shapes)


def _wall(shapes: Sequence[Shape]) -> Iterator[Triple]:
    length = math.ceil(math.sqrt(len(shapes)))
    return _rows_of([length] * length, shapes)


_FORMS = {
    "middle": _tower,
    "pile": _pyramid,
    "pyramid": _pyramid,
    "ring": _ring,
    "row": _row,
    "tower": _tower,
    "wall": _wall,
}
