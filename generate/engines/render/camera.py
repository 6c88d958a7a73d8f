"""Rays through the pixels of a frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.scene import CameraPath
from vidigree.generate.engines.render.vectors import FloatArray, normalise

__all__ = ["Camera", "camera_at"]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera.

    Attributes:
        eye: float32 (3, 1), metres.
        right: Unit vector (3, 1), pixel columns.
        down: Unit vector (3, 1), pixel rows.
        forward: Unit vector (3, 1).
        width: Pixels.
        height: Pixels.
        pixel_angle: Angle in radians that one pixel covers near the centre.
    """

    eye: FloatArray
    right: FloatArray
    down: FloatArray
    forward: FloatArray
    width: int
    height: int
    pixel_angle: float

    def rays(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return unit directions (3, N) through pixel positions; pixel centres are at .5."""
        across = (x - np.float32(self.width / 2)) * np.float32(self.pixel_angle)
        along = (y - np.float32(self.height / 2)) * np.float32(self.pixel_angle)
        return normalise(self.forward + across * self.right + along * self.down)


def camera_at(path: CameraPath, moment: float, width: int, height: int) -> Camera:
    """Return the camera at ``moment`` in [0, 1] of its path, moving smoothly at both ends."""
    eased = moment * moment * (3 - 2 * moment)

    def between(ends: tuple[float, float]) -> float:
        return ends[0] + (ends[1] - ends[0]) * eased

    azimuth, elevation, distance = map(between, (path.azimuth, path.elevation, path.distance))
    outward = np.array(
        [
            math.cos(elevation) * math.sin(azimuth),
            math.sin(elevation),
            math.cos(elevation) * math.cos(azimuth),
        ]
    )
    right = np.array([math.cos(azimuth), 0.0, -math.sin(azimuth)])
    target = np.array(path.target) + between(path.pan) * right
    eye = target + distance * outward
    eye[1] = max(eye[1], 0.12)
    forward = target - eye
    forward /= np.linalg.norm(forward)
    down = -np.cross(right, forward)
    # A narrow frame would cut off what a wide one shows, so the angle belongs to the short side.
    short = min(height, width / 1.15)
    angle = 2 * math.tan(path.field_of_view / 2) / short
    return Camera(
        eye=_column(eye),
        right=_column(right),
        down=_column(down),
        forward=_column(forward),
        width=width,
        height=height,
        pixel_angle=angle,
    )


def _column(vector: NDArray[np.float64]) -> FloatArray:
    return vector.astype(np.float32)[:, None]
