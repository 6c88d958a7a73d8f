"""Paints one period of each ground as linear albedo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from vidigree.generate.engines.render.grounds.grass import paint_grass
from vidigree.generate.engines.render.grounds.wood import paint_planks
from vidigree.generate.engines.render.noise import periodic_noise
from vidigree.generate.engines.render.scene import Ground
from vidigree.generate.engines.render.vectors import FloatArray

__all__ = ["paint_ground"]

_SIZE: Final = 1024


def paint_ground(ground: Ground, rng: np.random.Generator) -> FloatArray:
    """Return the texture of ``ground``: float32 (1024, 1024, 3), linear albedo in [0, 1]."""
    texture = _PAINTERS[ground.kind](rng)
    if ground.tint is not None:
        texture = _tinted(texture, ground.tint, keep=0.25 if ground.kind == "wood" else 0.0)
    return np.clip(texture, 0, 1).astype(np.float32)


def _tinted(texture: FloatArray, tint: tuple[float, float, float], *, keep: float) -> FloatArray:
    """Colour the light and shade of ``texture`` with ``tint``."""
    grey = texture @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    shade = (grey / max(float(np.percentile(grey, 90)), 1e-3))[..., None]
    painted: FloatArray = shade * np.array(tint, np.float32)
    return keep * texture + (1 - keep) * painted


def _mix(a: tuple[float, ...], b: tuple[float, ...], amount: FloatArray) -> FloatArray:
    first, second = np.array(a, np.float32), np.array(b, np.float32)
    blended: FloatArray = first + amount[..., None] * (second - first)
    return blended


def _grain(rng: np.random.Generator, cells: int, contrast: float) -> FloatArray:
    """Return multiplicative noise (S, S, 1) around 1."""
    noise = periodic_noise(_SIZE, (cells, cells), rng, octaves=5, persistence=0.6)
    return (1 + np.float32(contrast) * (noise - 0.5))[..., None]


def _checker(rng: np.random.Generator) -> FloatArray:
    square = _SIZE // 8
    index = np.arange(_SIZE) // square
    dark = ((index[:, None] + index[None]) % 2).astype(np.float32)
    return _mix((0.66, 0.64, 0.60), (0.045, 0.045, 0.05), dark) * _grain(rng, 16, 0.12)


def _tile(rng: np.random.Generator) -> FloatArray:
    count = 8
    side = _SIZE // count
    shade = 1 + 0.10 * (rng.random((count, count), dtype=np.float32) - 0.5)
    tiles = np.repeat(np.repeat(shade, side, 0), side, 1)[..., None]
    stone = _mix((0.44, 0.41, 0.37), (0.58, 0.56, 0.52), periodic_noise(_SIZE, (24, 24), rng))
    place = np.arange(_SIZE) % side
    edge = np.minimum(place, side - 1 - place)
    nearest = np.minimum(edge[:, None], edge[None]).astype(np.float32)
    joint = np.clip((nearest - 1.5) / 1.5, 0, 1)[..., None]
    return joint * tiles * stone + (1 - joint) * np.float32(0.16)


def _sand(rng: np.random.Generator) -> FloatArray:
    warp = periodic_noise(_SIZE, (6, 6), rng, octaves=3)
    rows = np.linspace(0, 1, _SIZE, endpoint=False, dtype=np.float32)[:, None]
    ripple = 0.5 + 0.5 * np.sin(2 * np.pi * (26 * rows + 2.2 * warp))
    speckle = rng.random((_SIZE, _SIZE), dtype=np.float32)
    shade = 0.86 + 0.12 * ripple + 0.10 * (speckle - 0.5)
    return _mix((0.52, 0.37, 0.21), (0.66, 0.50, 0.31), warp) * shade[..., None]


def _speckled(
    rng: np.random.Generator, dark: tuple[float, ...], light: tuple[float, ...], grit: float
) -> FloatArray:
    cloud = periodic_noise(_SIZE, (5, 5), rng, octaves=5)
    speckle = cv2.GaussianBlur(rng.random((_SIZE, _SIZE), dtype=np.float32), (3, 3), 0.7)
    return _mix(dark, light, cloud) * (1 + np.float32(grit) * (speckle - 0.5))[..., None]


def _concrete(rng: np.random.Generator) -> FloatArray:
    return _speckled(rng, (0.21, 0.205, 0.195), (0.37, 0.365, 0.35), 0.45)


def _asphalt(rng: np.random.Generator) -> FloatArray:
    return _speckled(rng, (0.035, 0.036, 0.04), (0.075, 0.075, 0.078), 1.9)


def _snow(rng: np.random.Generator) -> FloatArray:
    return _speckled(rng, (0.44, 0.49, 0.58), (0.76, 0.78, 0.80), 0.30)


def _carpet(rng: np.random.Generator) -> FloatArray:
    return _speckled(rng, (0.26, 0.04, 0.045), (0.36, 0.06, 0.06), 1.1)


def _ice(rng: np.random.Generator) -> FloatArray:
    cracks = np.abs(periodic_noise(_SIZE, (4, 4), rng, octaves=5) - 0.5)
    veins = np.clip(1 - cracks / 0.012, 0, 1)
    cloud = periodic_noise(_SIZE, (3, 3), rng, octaves=4)
    base = _mix((0.40, 0.58, 0.68), (0.62, 0.76, 0.84), cloud)
    return base + 0.16 * veins[..., None]


def _marble(rng: np.random.Generator) -> FloatArray:
    warp = periodic_noise(_SIZE, (3, 3), rng, octaves=6, persistence=0.55)
    rows = np.linspace(0, 1, _SIZE, endpoint=False, dtype=np.float32)
    phase = 2 * np.pi * (2 * rows[:, None] + 1 * rows[None]) + 9 * (warp - 0.5)
    veins = np.clip(1 - np.abs(np.sin(phase)) / 0.16, 0, 1) ** 2
    fine = np.clip(1 - np.abs(periodic_noise(_SIZE, (7, 7), rng) - 0.5) / 0.02, 0, 1)
    dark = np.clip(1.5 * veins * warp + 0.45 * fine, 0, 1)
    return _mix((0.60, 0.585, 0.56), (0.13, 0.13, 0.145), dark)


def _plain(rng: np.random.Generator) -> FloatArray:
    return np.full((_SIZE, _SIZE, 3), 0.42, np.float32) * _grain(rng, 8, 0.05)


_PAINTERS: Final[dict[str, Callable[[np.random.Generator], FloatArray]]] = {
    "asphalt": _asphalt,
    "carpet": _carpet,
    "checker": _checker,
    "concrete": _concrete,
    "gloss": _plain,
    "grass": paint_grass,
    "ice": _ice,
    "marble": _marble,
    "plain": _plain,
    "sand": _sand,
    "snow": _snow,
    "tile": _tile,
    "wood": paint_planks,
}
