"""A cone that stands on its base."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.shapes.cylinder import rim_points
from vidigree.generate.engines.render.shapes.shape import Hit
from vidigree.generate.engines.render.vectors import FloatArray

__all__ = ["Cone"]


@dataclass(frozen=True)
class Cone:
    """A cone around the y axis with its centre of mass at the origin, a quarter of its height up.

    Attributes:
        radius: Radius of the base in metres.
        height: Metres.
    """

    radius: float
    height: float

    @property
    def bounding_radius(self) -> float:
        """Distance of the tip or of the rim."""
        return float(max(0.75 * self.height, np.hypot(self.radius, 0.25 * self.height)))

    @property
    def lowest(self) -> float:
        """A quarter of the height."""
        return 0.25 * self.height

    @property
    def contact_radius(self) -> float:
        """Zero: tip and rim are sharp."""
        return 0.0

    def intersect(self, origin: FloatArray, direction: FloatArray) -> Hit:
        """See :meth:`Shape.intersect`: the nearer of the lateral surface and the base."""
        slope = np.float32(self.radius / self.height)
        base = np.float32(-0.25 * self.height)
        ox, oz = origin[0], origin[2]
        oy = origin[1] - np.float32(0.75 * self.height)
        dx, dy, dz = direction
        a = dx * dx + dz * dz - slope**2 * dy * dy
        a = np.where(np.abs(a) < 1e-9, np.float32(1e-9), a)
        b = ox * dx + oz * dz - slope**2 * oy * dy
        c = ox * ox + oz * oz - slope**2 * oy * oy
        root = b * b - a * c
        width = np.sqrt(np.maximum(root, 0))
        side = np.full(root.shape, np.inf, np.float32)
        for candidate in ((-b - width) / a, (-b + width) / a):
            y = oy + candidate * dy
            on_cone = (root > 0) & (candidate > 0) & (y < 0) & (y > -np.float32(self.height))
            side = np.where(on_cone & (candidate < side), candidate, side)
        floor = (base - origin[1]) / np.where(np.abs(dy) < 1e-9, np.float32(1e-9), dy)
        across = (ox + floor * dx) ** 2 + (oz + floor * dz) ** 2
        floor = np.where(
            (floor > 0) & (across < np.float32(self.radius**2)), floor, np.float32(np.inf)
        )
        distance = np.minimum(side, floor)
        reach = np.where(np.isfinite(distance), distance, 0)
        return Hit(distance, self._normal(origin + reach * direction, floor < side))

    def _normal(self, point: FloatArray, on_base: NDArray[np.bool_]) -> FloatArray:
        slant = np.float32(np.hypot(self.radius, self.height))
        radial = np.sqrt(point[0] ** 2 + point[2] ** 2) + np.float32(1e-9)
        out = np.where(on_base, 0, np.float32(self.height) / slant / radial)
        up = np.where(on_base, np.float32(-1), np.float32(self.radius) / slant)
        return np.stack([point[0] * out, up, point[2] * out]).astype(np.float32)

    def signed_distance(self, points: FloatArray) -> FloatArray:
        """See :meth:`Shape.signed_distance`; a lower bound near the tip and the rim."""
        slant = np.hypot(self.radius, self.height)
        radial = np.sqrt(points[0] ** 2 + points[2] ** 2)
        below_tip = points[1] - np.float32(0.75 * self.height)
        lateral = radial * np.float32(self.height / slant) + below_tip * np.float32(
            self.radius / slant
        )
        under = -points[1] - np.float32(0.25 * self.height)
        gap: FloatArray = np.maximum(lateral, under)
        return gap

    def contact_points(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the tip and six points of the rim."""
        rim = rim_points(direction, self.radius, -0.25 * self.height)
        return np.concatenate([rim, [[0.0, 0.75 * self.height, 0.0]]])

    def inertia(self) -> NDArray[np.float64]:
        """See :meth:`Shape.inertia`."""
        across = 3 * (4 * self.radius**2 + self.height**2) / 80
        return np.array([across, 0.3 * self.radius**2, across])
