"""What every body shape can answer, in its own axes with the centre of mass near the origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.vectors import FloatArray

__all__ = ["Hit", "Shape"]


@dataclass(frozen=True)
class Hit:
    """Where rays enter a shape.

    Attributes:
        distance: float32 (N,), ray parameter of the entry in metres; ``inf`` where a ray misses.
        normal: float32 (3, N), outward unit normals in body axes; undefined where a ray misses.
    """

    distance: FloatArray
    normal: FloatArray


class Shape(Protocol):
    """A convex shape."""

    @property
    def bounding_radius(self) -> float:
        """Radius in metres of a sphere around the origin that holds the shape."""
        ...

    @property
    def lowest(self) -> float:
        """Height in metres of the origin above the ground when the shape stands upright."""
        ...

    @property
    def contact_radius(self) -> float:
        """Radius in metres of the ball around every contact point; 0 for sharp shapes."""
        ...

    def intersect(self, origin: FloatArray, direction: FloatArray) -> Hit:
        """Intersect rays that start outside the shape.

        Args:
            origin: float32 (3, N) or (3, 1), metres, body axes.
            direction: float32 (3, N), unit length, body axes.
        """
        ...

    def signed_distance(self, points: FloatArray) -> FloatArray:
        """Return float32 (N,): metres to the surface of points (3, N), negative inside."""
        ...

    def contact_points(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (K, 3) that can touch something lying in ``direction`` (3,), body axes."""
        ...

    def inertia(self) -> NDArray[np.float64]:
        """Return the diagonal (3,) of the inertia tensor for unit mass, in square metres."""
        ...
