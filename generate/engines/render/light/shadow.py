"""Soft shadows of convex bodies under a sun of finite size."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from vidigree.generate.engines.render.placed import PlacedBody
from vidigree.generate.engines.render.shapes import Sphere
from vidigree.generate.engines.render.vectors import FloatArray, dot

__all__ = ["contact_shade", "sun_visibility"]

_COARSE = 5
_REFINE = 3


def sun_visibility(
    points: FloatArray,
    towards_sun: FloatArray,
    sun_size: float,
    bodies: Iterable[PlacedBody],
) -> FloatArray:
    """Return the share of the sun's disc that each point sees.

    The distance field of a convex body along the ray to the sun is convex, so the narrowest
    clearance is found by a few samples and then compared with the width of the light cone there
    (after Quilez 2010, "soft shadows in raymarched SDFs"; there the minimum is taken while
    marching).

    Args:
        points: float32 (3, N), metres.
        towards_sun: Unit vector (3, 1).
        sun_size: Angular radius of the sun in radians.
        bodies: What can stand in the way.

    Returns:
        float32 (N,) in [0, 1].
    """
    visible: FloatArray = np.ones(points.shape[1], np.float32)
    spread = math.tan(sun_size)
    for body in bodies:
        offset = body.centre - points
        along = dot(offset, towards_sun)
        apart = dot(offset, offset) - along * along
        reach = np.float32(body.radius) + np.maximum(along, 0) * np.float32(spread)
        near = np.flatnonzero((apart < reach * reach) & (along > -body.radius))
        if len(near) == 0:
            continue
        if isinstance(body.shape, Sphere):
            middle = np.maximum(along[near], np.float32(1e-3))
            clearance = np.sqrt(np.maximum(apart[near], 0)) - np.float32(body.radius)
            width: FloatArray = clearance / (middle * np.float32(spread))
            width = np.where(along[near] > 0, width, np.float32(1))
        else:
            width = _narrowest(body, points[:, near], towards_sun, along[near], spread)
        open_part = np.clip(np.float32(0.5) + np.float32(0.5) * width, 0, 1)
        visible[near] *= open_part * open_part * (3 - 2 * open_part)
    return visible


def _narrowest(
    body: PlacedBody, points: FloatArray, sun: FloatArray, along: FloatArray, spread: float
) -> FloatArray:
    """Return min over the ray of clearance / half width of the light cone."""
    start, heading = body.to_local(points), body.turn_to_local(sun)
    reach = np.float32(body.radius)
    low = np.maximum(along - reach, np.float32(2e-3))
    high = np.maximum(along + reach, low + np.float32(1e-3))

    def width(at: FloatArray) -> FloatArray:
        clearance: FloatArray = body.shape.signed_distance(start + at * heading)
        return clearance / (at * np.float32(spread))

    best_at, best = low, width(low)
    step = (high - low) / np.float32(_COARSE)
    for k in range(1, _COARSE + 1):
        at = low + np.float32(k) * step
        value = width(at)
        better = value < best
        best_at, best = np.where(better, at, best_at), np.where(better, value, best)
    for _ in range(_REFINE):
        step = step * np.float32(0.5)
        for sign in (np.float32(-1), np.float32(1)):
            at = np.maximum(best_at + sign * step, np.float32(2e-3))
            value = width(at)
            better = value < best
            best_at, best = np.where(better, at, best_at), np.where(better, value, best)
    return best


def contact_shade(points: FloatArray, bodies: Iterable[PlacedBody]) -> FloatArray:
    """Return ambient light that reaches ground points past nearby bodies, (N,) in [0, 1].

    Each body counts as a sphere: its share of the cosine-weighted hemisphere over the ground
    (Quilez 2006, "sphere ambient occlusion").
    """
    light = np.ones(points.shape[1], np.float32)
    for body in bodies:
        radius = np.float32(0.8 * body.radius)
        height = max(float(body.centre[1, 0]), 0.7 * float(radius))
        dx, dz = body.centre[0] - points[0], body.centre[2] - points[2]
        square = dx * dx + dz * dz + np.float32(height * height)
        share = np.float32(height) * radius * radius / (square * np.sqrt(square))
        light *= 1 - np.clip(share, 0, np.float32(0.92))
    return light
