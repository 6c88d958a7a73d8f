"""Vectors and rotations: fields of rays as float32 arrays of shape (3, N), poses as matrices.

World axes: x to the right, y up, z towards the default camera; lengths are metres.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FloatArray", "dot", "normalise", "quaternion_product", "rotation_matrix"]

# float32 wherever rays are concerned; NumPy's stubs lose the width in mixed arithmetic.
FloatArray = NDArray[np.floating[Any]]


def dot(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the inner products of two vector fields of shape (3, N) or (3, 1), shape (N,)."""
    product: FloatArray = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return product


def normalise(a: FloatArray) -> FloatArray:
    """Return ``a`` (3, N) scaled to unit length; zero vectors stay zero."""
    length = np.sqrt(dot(a, a))
    unit: FloatArray = a / np.maximum(length, np.float32(1e-12))
    return unit


def rotation_matrix(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the 3 x 3 matrix of a unit quaternion (w, x, y, z); it maps body to world axes."""
    w, x, y, z = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion_product(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Hamilton product of two quaternions (w, x, y, z): first ``b``, then ``a``."""
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return np.array(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ]
    )
