"""Grass: thousands of short strokes from dark soil to bright tips."""

from __future__ import annotations

import cv2
import numpy as np

from vidigree.generate.engines.render.noise import periodic_noise
from vidigree.generate.engines.render.vectors import FloatArray

__all__ = ["paint_grass"]

_SIZE = 1024
_LAYERS = 4
_BLADES_PER_LAYER = 9000


def paint_grass(rng: np.random.Generator) -> FloatArray:
    """Return float32 (1024, 1024, 3), linear albedo."""
    border = 32
    canvas = np.full((_SIZE + 2 * border, _SIZE + 2 * border, 3), 0.012, np.float32)
    for layer in range(_LAYERS):
        light = 0.35 + 0.65 * layer / (_LAYERS - 1)
        _blades(canvas, border, light, rng)
    picture = canvas[border:-border, border:-border].copy()
    # What overhangs one edge reappears at the opposite one, so that the square repeats.
    picture[:border] = np.maximum(picture[:border], canvas[-border:, border:-border])
    picture[-border:] = np.maximum(picture[-border:], canvas[:border, border:-border])
    picture[:, :border] = np.maximum(picture[:, :border], canvas[border:-border, -border:])
    picture[:, -border:] = np.maximum(picture[:, -border:], canvas[border:-border, :border])
    patches = periodic_noise(_SIZE, (3, 3), rng, octaves=4)[..., None]
    return picture * (0.72 + 0.56 * patches)


def _blades(canvas: FloatArray, border: int, light: float, rng: np.random.Generator) -> None:
    count = _BLADES_PER_LAYER
    root = rng.uniform(border, border + _SIZE, (count, 2))
    angle = rng.uniform(0, 2 * np.pi, count)
    length = rng.uniform(10, 30, count)
    tip = root + np.stack([np.cos(angle), np.sin(angle)], 1) * length[:, None]
    yellow = rng.random(count)
    shade = light * rng.uniform(0.7, 1.2, count)
    colour = np.stack(
        [
            shade * (0.085 + 0.13 * yellow),
            shade * (0.17 + 0.08 * yellow),
            shade * (0.035 + 0.02 * yellow),
        ],
        1,
    )
    fixed = 3  # sub-pixel bits of the end points
    ends = np.round(np.concatenate([root, tip], 1) * (1 << fixed)).astype(int)
    for (x0, y0, x1, y1), (r, g, b) in zip(ends.tolist(), colour.tolist(), strict=True):
        cv2.line(canvas, (x0, y0), (x1, y1), (r, g, b), 2, cv2.LINE_8, fixed)
