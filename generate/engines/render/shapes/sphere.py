"""A sphere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.shapes.shape import Hit
from vidigree.generate.engines.render.vectors import FloatArray, dot

__all__ = ["Sphere"]


@dataclass(frozen=True)
class Sphere:
    """A sphere around the origin.

    Attributes:
        radius: Metres.
    """

    radius: float

    @property
    def bounding_radius(self) -> float:
        """The radius itself."""
        return self.radius

    @property
    def lowest(self) -> float:
        """The radius itself."""
        return self.radius

    @property
    def contact_radius(self) -> float:
        """The radius: the centre is the only contact point."""
        return self.radius

    def intersect(self, origin: FloatArray, direction: FloatArray) -> Hit:
        """See :meth:`Shape.intersect`."""
        along = -dot(origin, direction)
        nearest = origin + along * direction
        inside = np.float32(self.radius**2) - dot(nearest, nearest)
        entry = along - np.sqrt(np.maximum(inside, 0))
        distance = np.where((inside > 0) & (entry > 0), entry, np.float32(np.inf))
        return Hit(distance, (origin + entry * direction) * np.float32(1 / self.radius))

    def signed_distance(self, points: FloatArray) -> FloatArray:
        """See :meth:`Shape.signed_distance`."""
        gap: FloatArray = np.sqrt(dot(points, points)) - np.float32(self.radius)
        return gap

    def contact_points(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: ARG002
        """Return the centre; ``contact_radius`` does the rest."""
        return np.zeros((1, 3))

    def inertia(self) -> NDArray[np.float64]:
        """See :meth:`Shape.inertia`."""
        return np.full(3, 0.4 * self.radius**2)
