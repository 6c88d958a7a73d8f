"""Textures that scenes may share: painting one costs as much as drawing a small clip."""

from __future__ import annotations

import numpy as np

from vidigree.generate.engines.render.grounds.mipmap import MipMap
from vidigree.generate.engines.render.grounds.paint import paint_ground
from vidigree.generate.engines.render.noise import periodic_noise
from vidigree.generate.engines.render.scene import Ground

__all__ = ["Textures"]

_CLOUDS = "clouds"


class Textures:
    """Paints textures, and keeps them if it is told to.

    Args:
        kept: Whether all scenes share one texture of each kind (then painted from a fixed seed,
            so that the order of the scenes does not matter) or every scene gets its own.
    """

    def __init__(self, *, kept: bool) -> None:
        self._kept: dict[object, MipMap] | None = {} if kept else None

    def ground(self, ground: Ground, rng: np.random.Generator) -> MipMap:
        """Return the texture of ``ground``; ``rng`` draws it unless textures are shared."""
        if self._kept is None:
            return MipMap(paint_ground(ground, rng))
        key = (ground.kind, ground.tint)
        if key not in self._kept:
            self._kept[key] = MipMap(paint_ground(ground, np.random.default_rng(0)))
        return self._kept[key]

    def clouds(self, rng: np.random.Generator) -> MipMap:
        """Return the density of clouds in [0, 1], one channel."""
        if self._kept is None:
            return _paint_clouds(rng)
        if _CLOUDS not in self._kept:
            self._kept[_CLOUDS] = _paint_clouds(np.random.default_rng(0))
        return self._kept[_CLOUDS]


def _paint_clouds(rng: np.random.Generator) -> MipMap:
    noise = periodic_noise(512, (4, 4), rng, octaves=6, persistence=0.55)
    return MipMap(noise[..., None])
