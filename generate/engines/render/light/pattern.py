"""Patterns on bodies: albedo as a function of the point on the surface."""

from __future__ import annotations

import numpy as np

from vidigree.generate.engines.render.placed import PlacedBody
from vidigree.generate.engines.render.shapes import Box, Sphere
from vidigree.generate.engines.render.vectors import FloatArray, normalise

__all__ = ["albedo"]


def albedo(body: PlacedBody, local: FloatArray, footprint: FloatArray) -> FloatArray:
    """Return linear albedo (3, N).

    Args:
        body: Material and shape.
        local: Points on the surface (3, N), body axes, metres.
        footprint: Width of a pixel on the surface (N,), metres; edges are blurred by it.
    """
    material = body.material
    colour = np.array(material.colour, np.float32)[:, None]
    if material.pattern == "plain":
        return np.broadcast_to(colour, local.shape)
    accent = np.array(material.accent, np.float32)[:, None]
    blur = 1.5 * footprint / np.float32(body.radius) + np.float32(1e-3)
    amount = _PATTERNS[material.pattern](body, local / np.float32(body.radius), blur)
    return colour + amount * (accent - colour)


def _edge(signed: FloatArray, blur: FloatArray) -> FloatArray:
    """A step from 0 to 1 at 0, ``blur`` wide."""
    return np.clip(np.float32(0.5) + signed / (2 * blur), 0, 1)


def _striped(body: PlacedBody, p: FloatArray, blur: FloatArray) -> FloatArray:
    if isinstance(body.shape, Box):
        return _edge(np.sin(p[0] * np.float32(14)) / 14, blur)
    if isinstance(body.shape, Sphere):  # segments of a beach ball
        angle = np.arctan2(p[2], p[0])
        around = np.sqrt(p[0] ** 2 + p[2] ** 2)
        return _edge(np.sin(4 * angle) / 4 * around, blur)
    return _edge(np.sin(p[1] * np.float32(9)) / 9, blur)


def _checkered(body: PlacedBody, p: FloatArray, blur: FloatArray) -> FloatArray:
    if isinstance(body.shape, Box):
        half = np.array(body.shape.half, np.float32)[:, None] / np.float32(body.radius)
        waves = np.sin(p / half * np.float32(2 * np.pi) * np.float32(0.999))
        on_face = np.abs(p) > half * np.float32(0.999)
        waves = np.where(on_face, np.float32(1), waves)
        return _edge(waves[0] * waves[1] * waves[2] / 9, blur)
    angle = np.arctan2(p[2], p[0])
    return _edge(np.sin(6 * angle) * np.sin(p[1] * np.float32(8)) / 7, blur)


def _fibonacci_sphere(count: int) -> FloatArray:
    index = np.arange(count) + 0.5
    polar = np.arccos(1 - 2 * index / count)
    turn = np.pi * (1 + 5**0.5) * index
    return np.stack(
        [np.cos(turn) * np.sin(polar), np.cos(polar), np.sin(turn) * np.sin(polar)]
    ).astype(np.float32)


def _dotted(body: PlacedBody, p: FloatArray, blur: FloatArray) -> FloatArray:
    if isinstance(body.shape, Box):
        half = np.array(body.shape.half, np.float32)[:, None] / np.float32(body.radius)
        cell = (p / half * np.float32(1.5) + np.float32(1.5)) % 1 - np.float32(0.5)
        on_face = np.abs(p) > half * np.float32(0.99)
        away = np.sqrt(np.sum(np.where(on_face, 0, cell) ** 2, axis=0))
        return _edge((np.float32(0.27) - away) * half.min() / np.float32(1.5), blur)
    directions = normalise(p)
    closeness = np.max(_fibonacci_sphere(20).T @ directions, axis=0)
    return _edge(np.float32(0.33) - np.arccos(np.clip(closeness, -1, 1)), blur)


def _seams(body: PlacedBody, p: FloatArray, blur: FloatArray) -> FloatArray:  # noqa: ARG001
    d = normalise(p)
    curve = np.abs(d[0] * d[0] - np.float32(0.28) - np.float32(0.5) * d[1] * d[1])
    line = np.minimum(np.minimum(np.abs(d[1]), np.abs(d[2])), curve / np.float32(1.3))
    return _edge(np.float32(0.028) - line, blur)


def _wood(body: PlacedBody, p: FloatArray, blur: FloatArray) -> FloatArray:
    q = p * np.float32(body.radius)
    bend = np.float32(0.05) * np.sin(7 * q[0] + 3 * q[1]) + np.float32(0.03) * np.sin(11 * q[2])
    ring = np.sqrt((q[1] + np.float32(0.9) + bend) ** 2 + (q[2] + np.float32(0.35)) ** 2)
    soft = np.float32(1) / (1 + 60 * blur * np.float32(body.radius))
    waves = np.float32(0.5) + np.float32(0.5) * soft * np.sin(70 * ring + 2 * np.sin(13 * q[0]))
    return np.float32(0.15) + np.float32(0.7) * waves * waves


def _marble(body: PlacedBody, p: FloatArray, blur: FloatArray) -> FloatArray:  # noqa: ARG001
    x, y, z = p * np.float32(3.1)
    bend = np.sin(1.7 * y + 0.7 * z) + 0.6 * np.sin(2.9 * z + 1.3 * x) + 0.35 * np.sin(5.3 * x - y)
    veins = np.abs(np.sin(x + np.float32(1.4) * bend + np.float32(0.4) * np.sin(6.1 * y + z)))
    return np.clip(1 - veins * np.float32(1.9), 0, 1) ** 2


_PATTERNS = {
    "checkered": _checkered,
    "dotted": _dotted,
    "marble": _marble,
    "seams": _seams,
    "striped": _striped,
    "wood": _wood,
}
