"""The radiance of the sky in every direction."""

from __future__ import annotations

import numpy as np

from vidigree.generate.engines.render.grounds import MipMap, Textures
from vidigree.generate.engines.render.scene import Sky
from vidigree.generate.engines.render.vectors import FloatArray, dot

__all__ = ["SkyDome"]

_CLOUD_PERIOD = 9.0
_CLOUD_DRIFT = 0.025


class SkyDome:
    """Gradient, sun, clouds and stars.

    Args:
        sky: The description.
        rng: Shapes the clouds and scatters the stars.
        textures: Where the clouds come from.
    """

    def __init__(self, sky: Sky, rng: np.random.Generator, textures: Textures) -> None:
        self.sky = sky
        self.sun = np.array(sky.sun_direction, np.float32)[:, None]
        self._zenith = np.array(sky.zenith, np.float32)[:, None]
        self._horizon = np.array(sky.horizon, np.float32)[:, None]
        self._clouds = None
        if sky.clouds:
            self._clouds = textures.clouds(rng)
        self._stars = None
        if sky.stars:
            points = (rng.random((512, 512)) > 0.9988) * rng.random((512, 512)) ** 2
            self._stars = MipMap(points[..., None].astype(np.float32))

    def smooth(self, direction: FloatArray) -> FloatArray:
        """Return radiance (3, N) of the bare gradient for unit directions (3, N)."""
        height = np.clip(direction[1], 0, 1)
        amount = 1 - (1 - height) ** np.float32(3)
        colour: FloatArray = self._horizon + (self._zenith - self._horizon) * amount
        return colour

    def radiance(self, direction: FloatArray, time: float, pixel_angle: float) -> FloatArray:
        """Return radiance (3, N) for unit directions (3, N).

        Args:
            direction: Unit vectors.
            time: Seconds, for the drift of the clouds.
            pixel_angle: Angle in radians between neighbouring rays.
        """
        colour = self.smooth(direction)
        height = np.maximum(direction[1], np.float32(0.012))
        u = direction[0] / (height + np.float32(0.08)) / np.float32(_CLOUD_PERIOD)
        v = direction[2] / (height + np.float32(0.08)) / np.float32(_CLOUD_PERIOD)
        if self._stars is not None:
            spread = np.full_like(u, pixel_angle / 2.5)
            colour = colour + 1.6 * self._stars.sample(3 * direction[0], 3 * direction[1], spread)
        colour = colour + self._glow(direction)
        if self._clouds is not None:
            spread = np.float32(pixel_angle / _CLOUD_PERIOD) / (height * height + 0.02)
            drift = np.float32(_CLOUD_DRIFT * time)
            density = self._clouds.sample(u + drift, v, spread)[0]
            fade = np.clip(direction[1] / np.float32(0.05), 0, 1)
            bare = np.float32(0.66 - 0.32 * self.sky.clouds)
            cover = np.clip((density - bare) / np.float32(0.22), 0, 1) * fade
            cover = cover * cover * (3 - 2 * cover) * np.float32(0.88)
            colour = colour + (self._cloud_colour(direction, density) - colour) * cover
        return colour

    def _glow(self, direction: FloatArray) -> FloatArray:
        """The sun's disc and the haze around it."""
        facing = np.clip(dot(direction, self.sun), 0, 1)
        strength = np.array(self.sky.sun_colour, np.float32)[:, None]
        halo = np.float32(0.05) * facing**8 + np.float32(0.16) * facing**64
        disc = np.clip((facing - np.float32(0.9994)) / np.float32(0.0003), 0, 1)
        show = np.float32(0.0 if self.sky.name in ("studio", "dark", "overcast") else 1.0)
        glow: FloatArray = show * strength * (halo + 5 * disc)
        return glow

    def _cloud_colour(self, direction: FloatArray, density: FloatArray) -> FloatArray:
        lit = np.array(self.sky.sun_colour, np.float32)[:, None]
        towards = np.float32(0.30) + np.float32(0.10) * np.clip(dot(direction, self.sun), 0, 1)
        shade = 1 - np.float32(0.9) * np.clip(density - np.float32(0.55), 0, 0.5)
        cloud: FloatArray = shade * (lit * towards + np.float32(0.32) * self._horizon)
        return cloud
