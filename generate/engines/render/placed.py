"""A body at one moment: its shape, pose and material, ready for rays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.scene import Body, Material
from vidigree.generate.engines.render.shapes import Shape
from vidigree.generate.engines.render.vectors import FloatArray

__all__ = ["PlacedBody", "place"]


@dataclass(frozen=True)
class PlacedBody:
    """A posed body.

    Attributes:
        shape: Geometry.
        material: Looks.
        centre: float32 (3, 1), metres.
        rotation: float32 (3, 3), body to world axes.
        radius: Bounding radius in metres.
    """

    shape: Shape
    material: Material
    centre: FloatArray
    rotation: FloatArray
    radius: float

    def to_local(self, points: FloatArray) -> FloatArray:
        """Return points (3, N) in body axes."""
        local: FloatArray = self.rotation.T @ (points - self.centre)
        return local

    def turn_to_local(self, vectors: FloatArray) -> FloatArray:
        """Return directions (3, N) in body axes."""
        local: FloatArray = self.rotation.T @ vectors
        return local

    def turn_to_world(self, vectors: FloatArray) -> FloatArray:
        """Return directions (3, N) in world axes."""
        world: FloatArray = self.rotation @ vectors
        return world


def place(body: Body, position: NDArray[np.float64], rotation: NDArray[np.float64]) -> PlacedBody:
    """Return ``body`` at ``position`` (3,) turned by ``rotation`` (3, 3)."""
    return PlacedBody(
        body.shape,
        body.material,
        position.astype(np.float32)[:, None],
        rotation.astype(np.float32),
        body.shape.bounding_radius,
    )
