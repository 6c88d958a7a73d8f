"""A cylinder that stands on its cap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.shapes.shape import Hit
from vidigree.generate.engines.render.vectors import FloatArray, normalise

__all__ = ["Cylinder", "rim_points"]

_BEVEL = 0.1
# Radius of the rounded rims that contacts see, as a part of the smaller half extent.
_ROUNDING = 0.05


def rim_points(direction: NDArray[np.float64], radius: float, height: float) -> NDArray[np.float64]:
    """Return six points (6, 3) of a rim at ``height``, the first the furthest in ``direction``."""
    start = np.arctan2(direction[2], direction[0])
    angles = start + np.arange(6) * (np.pi / 3)
    return np.stack([radius * np.cos(angles), np.full(6, height), radius * np.sin(angles)], axis=1)


@dataclass(frozen=True)
class Cylinder:
    """A cylinder around the y axis, centred on the origin.

    Attributes:
        radius: Metres.
        half_height: Metres.
    """

    radius: float
    half_height: float

    @property
    def bounding_radius(self) -> float:
        """Distance of the rim."""
        return float(np.hypot(self.radius, self.half_height))

    @property
    def lowest(self) -> float:
        """Half the height."""
        return self.half_height

    @property
    def contact_radius(self) -> float:
        """Radius of the rounded rim."""
        return _ROUNDING * min(self.radius, self.half_height)

    def intersect(self, origin: FloatArray, direction: FloatArray) -> Hit:
        """See :meth:`Shape.intersect`: an infinite cylinder cut by a slab."""
        ox, oy, oz = origin
        dx, dy, dz = direction
        a = np.maximum(dx * dx + dz * dz, np.float32(1e-12))
        b = ox * dx + oz * dz
        root = b * b - a * (ox * ox + oz * oz - np.float32(self.radius**2))
        width = np.sqrt(np.maximum(root, 0))
        side_in, side_out = (-b - width) / a, (-b + width) / a
        safe = np.where(np.abs(dy) < 1e-9, np.float32(1e-9), dy)
        middle, reach = -oy / safe, np.float32(self.half_height) / np.abs(safe)
        entry = np.maximum(side_in, middle - reach)
        leave = np.minimum(side_out, middle + reach)
        hit = (root > 0) & (entry < leave) & (entry > 0)
        distance = np.where(hit, entry, np.float32(np.inf))
        return Hit(distance, self._bevelled_normal(origin + entry * direction))

    def _bevelled_normal(self, point: FloatArray) -> FloatArray:
        bevel = np.float32(_BEVEL * min(self.radius, self.half_height))
        radial = np.sqrt(point[0] ** 2 + point[2] ** 2) + np.float32(1e-9)
        out = np.maximum(radial - np.float32(self.radius) + bevel, 0) / radial
        up = np.copysign(
            np.maximum(np.abs(point[1]) - np.float32(self.half_height) + bevel, 0), point[1]
        )
        return normalise(np.stack([point[0] * out, up, point[2] * out]))

    def signed_distance(self, points: FloatArray) -> FloatArray:
        """See :meth:`Shape.signed_distance`."""
        radial = np.sqrt(points[0] ** 2 + points[2] ** 2) - np.float32(self.radius)
        up = np.abs(points[1]) - np.float32(self.half_height)
        outside = np.sqrt(np.maximum(radial, 0) ** 2 + np.maximum(up, 0) ** 2)
        gap: FloatArray = outside + np.minimum(np.maximum(radial, up), 0)
        return gap

    def contact_points(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return six points inside either rounded rim, turned so that one faces ``direction``."""
        radius, height = self.radius - self.contact_radius, self.half_height - self.contact_radius
        rims = [rim_points(direction, radius, height), rim_points(direction, radius, -height)]
        return np.concatenate(rims)

    def inertia(self) -> NDArray[np.float64]:
        """See :meth:`Shape.inertia`."""
        across = (3 * self.radius**2 + 4 * self.half_height**2) / 12
        return np.array([across, self.radius**2 / 2, across])
