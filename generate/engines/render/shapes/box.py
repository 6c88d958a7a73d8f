"""A box with edges that are rounded for the light only."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.shapes.shape import Hit
from vidigree.generate.engines.render.vectors import FloatArray, dot, normalise

__all__ = ["Box"]

# Width of the bevel that shading sees, as a part of the smallest half edge.
_BEVEL = 0.14
# Radius of the rounded corners that contacts see, as a part of the smallest half edge.
_ROUNDING = 0.08
_CORNERS = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))


@dataclass(frozen=True)
class Box:
    """An axis-aligned box around the origin.

    Attributes:
        half: Half edge lengths (x, y, z) in metres.
    """

    half: tuple[float, float, float]

    @property
    def bounding_radius(self) -> float:
        """Half the diagonal."""
        return float(np.linalg.norm(self.half))

    @property
    def lowest(self) -> float:
        """Half the height."""
        return self.half[1]

    @property
    def contact_radius(self) -> float:
        """Radius of the rounded corners."""
        return _ROUNDING * min(self.half)

    def intersect(self, origin: FloatArray, direction: FloatArray) -> Hit:
        """See :meth:`Shape.intersect` (slab method, Kay and Kajiya 1986)."""
        half = np.array(self.half, np.float32)[:, None]
        safe = np.where(np.abs(direction) < 1e-9, np.float32(1e-9), direction)
        inverse = 1 / safe
        middle = -origin * inverse
        reach = half * np.abs(inverse)
        entry = _highest(middle - reach)
        leave = -_highest(-middle - reach)
        distance = np.where((entry < leave) & (entry > 0), entry, np.float32(np.inf))
        return Hit(distance, self._bevelled_normal(origin + entry * direction, half))

    def _bevelled_normal(self, point: FloatArray, half: FloatArray) -> FloatArray:
        """Bend face normals towards the neighbouring face close to an edge."""
        bevel = np.float32(_BEVEL * min(self.half))
        beyond = np.maximum(np.abs(point) - (half - bevel), 0)
        return normalise(np.copysign(beyond, point))

    def signed_distance(self, points: FloatArray) -> FloatArray:
        """See :meth:`Shape.signed_distance`."""
        beyond = np.abs(points) - np.array(self.half, np.float32)[:, None]
        outside = np.maximum(beyond, 0)
        inside = np.minimum(_highest(beyond), 0)
        gap: FloatArray = np.sqrt(dot(outside, outside)) + inside
        return gap

    def contact_points(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: ARG002
        """Return the centres of the eight rounded corners."""
        return _CORNERS * (np.array(self.half) - self.contact_radius)

    def inertia(self) -> NDArray[np.float64]:
        """See :meth:`Shape.inertia`."""
        squares = np.array(self.half) ** 2
        return (squares.sum() - squares) / 3


def _highest(field: FloatArray) -> FloatArray:
    """Return the largest component (N,); faster than a reduction along a short axis."""
    return np.maximum(np.maximum(field[0], field[1]), field[2])
