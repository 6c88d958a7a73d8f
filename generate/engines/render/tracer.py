"""Follows rays into the scene and gathers the light that comes back along them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.grounds import Textures
from vidigree.generate.engines.render.light.pattern import albedo
from vidigree.generate.engines.render.light.shadow import contact_shade, sun_visibility
from vidigree.generate.engines.render.light.sky import SkyDome
from vidigree.generate.engines.render.placed import PlacedBody
from vidigree.generate.engines.render.scene import Scene
from vidigree.generate.engines.render.vectors import FloatArray, dot

__all__ = ["GROUND", "SKY", "Moment", "Rays", "Tracer"]

SKY, GROUND = -2, -1
# The ground fades into the horizon over this many metres, from that distance on.
_FADE = 220.0
_FADE_FROM = 14.0
# Bodies at least this glossy mirror their surroundings in detail.
_CLEAR_FROM = 0.3


@dataclass(frozen=True)
class Rays:
    """A bundle of rays.

    Attributes:
        origin: float32 (3, N) or (3, 1), metres.
        direction: float32 (3, N), unit vectors.
        spread: Angle in radians between neighbouring rays.
    """

    origin: FloatArray
    direction: FloatArray
    spread: float

    def only(self, index: NDArray[np.intp]) -> Rays:
        """Return the rays at ``index``."""
        origin = self.origin if self.origin.shape[1] == 1 else self.origin[:, index]
        return Rays(origin, self.direction[:, index], self.spread)


@dataclass(frozen=True)
class Moment:
    """What changes from frame to frame.

    Attributes:
        bodies: Where the bodies are.
        time: Scene time in seconds, for the clouds.
    """

    bodies: tuple[PlacedBody, ...]
    time: float

    def without(self, index: int) -> Moment:
        """Return the moment with the body at ``index`` taken away."""
        return Moment(self.bodies[:index] + self.bodies[index + 1 :], self.time)


@dataclass(frozen=True)
class _Meeting:
    """Where rays first meet bodies.

    Attributes:
        distance: float32 (N,), metres; ``inf`` for none.
        surface: int16 (N,), index of the body; SKY for none.
        normal: float32 (3, N), world axes.
    """

    distance: FloatArray
    surface: NDArray[np.int16]
    normal: FloatArray

    def of_body(self, index: int) -> NDArray[np.intp]:
        """Return which rays met the body at ``index``."""
        return np.flatnonzero(self.surface == index)

    @property
    def bodies_met(self) -> list[int]:
        """Indices of the bodies that any ray met."""
        counts = np.bincount(self.surface[self.surface >= 0])
        return [int(k) for k in np.flatnonzero(counts)]


_DOWN_TO_UP = np.array([[1], [-1], [1]], np.float32)
_FLAT = np.array([[1], [0], [1]], np.float32)


class Tracer:
    """Everything about a scene that does not change from frame to frame.

    Args:
        scene: Ground, sky, and the seed of their textures.
        textures: Where grounds and clouds come from; ``None`` paints them for this scene alone.
    """

    def __init__(self, scene: Scene, textures: Textures | None = None) -> None:
        textures = textures or Textures(kept=False)
        rng = np.random.default_rng([scene.seed, 1])
        self.ground = scene.ground
        self.dome = SkyDome(scene.sky, rng, textures)
        self._texture = textures.ground(scene.ground, rng)
        mean = self._texture.sample(*np.full((3, 1), 1.0, np.float32))
        self._sun = np.array(scene.sky.sun_colour, np.float32)[:, None]
        self._sun_size = scene.sky.sun_size
        up = np.array([[0.0], [1.0], [0.0]], np.float32)
        side = np.array([[1.0], [0.12], [0.0]], np.float32)
        blue = 0.45 * self.dome.smooth(up) + 0.55 * self.dome.smooth(side)
        # Clouds, walls and people bounce white light around that the model does not trace.
        self._ambient_up = np.float32(0.5) * (blue + blue.mean())
        # Light that the ground throws back up, under bodies and in their reflections.
        lit = self._ambient_up + self._sun * self.dome.sun[1]
        self._bounce = 0.75 * mean * lit

    def trace(
        self, rays: Rays, moment: Moment, *, depth: int = 1
    ) -> tuple[FloatArray, NDArray[np.int16]]:
        """Return what rays see.

        Args:
            rays: The rays.
            moment: Where the bodies are.
            depth: How many mirror reflections to follow.

        Returns:
            Radiance (3, N) and, for each ray, the index of the body it met, GROUND or SKY.
        """
        radiance = np.zeros_like(rays.direction)
        meeting = self._meet(rays, moment.bodies)
        below = rays.direction[1] < -1e-4
        surface = np.where((meeting.surface < 0) & below, GROUND, meeting.surface)
        on_sky = np.flatnonzero(surface == SKY)
        radiance[:, on_sky] = self.dome.radiance(
            rays.direction[:, on_sky], moment.time, rays.spread
        )
        on_ground = np.flatnonzero(surface == GROUND)
        radiance[:, on_ground] = self._ground_light(rays.only(on_ground), moment, depth)
        for k in meeting.bodies_met:
            here = meeting.of_body(k)
            radiance[:, here] = self._body_light(rays, meeting, k, moment, depth=depth)
        return radiance, surface.astype(np.int16)

    def _meet(self, rays: Rays, bodies: Sequence[PlacedBody]) -> _Meeting:
        """Find the first body on every ray."""
        count = rays.direction.shape[1]
        meeting = _Meeting(
            np.full(count, np.inf, np.float32),
            np.full(count, SKY, np.int16),
            np.zeros((3, count), np.float32),
        )
        for k, body in enumerate(bodies):
            offset = body.centre - rays.origin
            along = dot(offset, rays.direction)
            gap = dot(offset, offset) - along * along
            near = np.flatnonzero((gap < body.radius**2) & (along > 0))
            if len(near) == 0:
                continue
            some = rays.only(near)
            start, heading = body.to_local(some.origin), body.turn_to_local(some.direction)
            hit = body.shape.intersect(start, heading)
            closer = hit.distance < meeting.distance[near]
            won = near[closer]
            meeting.distance[won] = hit.distance[closer]
            meeting.surface[won] = k
            meeting.normal[:, won] = body.turn_to_world(hit.normal[:, closer])
        return meeting

    def _ground_light(self, rays: Rays, moment: Moment, depth: int) -> FloatArray:
        distance = -rays.origin[1] / rays.direction[1]
        points = rays.origin + distance * rays.direction
        grazing = np.maximum(-rays.direction[1], np.float32(0.02))
        # Footprints are stretched along the view; the filter takes the middle of both sides.
        footprint = distance * np.float32(rays.spread) / grazing ** np.float32(0.62)
        period = np.float32(self.ground.period)
        base = self._texture.sample(points[0] / period, points[2] / period, footprint / period)
        sun = sun_visibility(points, self.dome.sun, self._sun_size, moment.bodies)
        open_sky = contact_shade(points, moment.bodies)
        colour = base * (self._ambient_up * open_sky + self._sun * (self.dome.sun[1] * sun))
        if self.ground.gloss and depth > 0:
            strength = _fresnel(grazing, np.float32(0.05 + 0.1 * self.ground.gloss))
            strength = strength * np.float32(self.ground.gloss)
            upward = Rays(points * _FLAT, rays.direction * _DOWN_TO_UP, 2 * rays.spread)
            colour = colour + strength * (self._mirrored_in_ground(upward, moment) - colour)
        far = np.clip((distance - np.float32(_FADE_FROM)) / np.float32(_FADE), 0, 1)
        haze = self.dome.smooth(rays.direction * _FLAT)
        mixed: FloatArray = colour + (far * (2 - far)) * (haze - colour)
        return mixed

    def _mirrored_in_ground(self, rays: Rays, moment: Moment) -> FloatArray:
        """Return what upward rays from the ground see: bodies, else the sky."""
        seen = self.dome.smooth(rays.direction)
        meeting = self._meet(rays, moment.bodies)
        for k in meeting.bodies_met:
            seen[:, meeting.of_body(k)] = self._body_light(rays, meeting, k, moment, depth=0)
        return seen

    def _body_light(
        self, rays: Rays, meeting: _Meeting, index: int, moment: Moment, *, depth: int
    ) -> FloatArray:
        """Return radiance (3, M) of the rays that met the body at ``index``."""
        body, others = moment.bodies[index], moment.without(index)
        here = meeting.of_body(index)
        rays, normal, distance = rays.only(here), meeting.normal[:, here], meeting.distance[here]
        material = body.material
        points = rays.origin + distance * rays.direction
        base = albedo(body, body.to_local(points), distance * np.float32(rays.spread))
        facing = np.clip(dot(normal, self.dome.sun), 0, 1)
        sun = facing * sun_visibility(points, self.dome.sun, self._sun_size, others.bodies)
        colour = base * (self._ambient(body, points, normal) + self._sun * sun)
        colour = colour * np.float32(1 - material.metallic) + np.float32(material.glow) * base

        cosine = np.clip(-dot(normal, rays.direction), 0, 1)
        mirrored = Rays(points, rays.direction + 2 * cosine * normal, 3 * rays.spread)
        strength = _fresnel(cosine, np.float32(0.04)) * np.float32(material.gloss)
        tinted = strength + (base - strength) * np.float32(material.metallic)
        if depth > 0 and material.gloss > _CLEAR_FROM:
            seen, _ = self.trace(mirrored, others, depth=0)
        else:
            seen = self._blurred_surroundings(mirrored.direction)
        colour = colour + tinted * seen
        return colour + self._highlight(mirrored.direction, sun, material.gloss, tinted)

    def _ambient(self, body: PlacedBody, points: FloatArray, normal: FloatArray) -> FloatArray:
        """Return light from the sky above and the ground below; undersides near it are dim."""
        upward = np.float32(0.5) + np.float32(0.5) * normal[1]
        height = points[1] / np.float32(body.radius)
        dim = 1 - np.float32(0.75) * np.exp(-np.float32(1.6) * height) * (1 - upward)
        light: FloatArray = (upward * self._ambient_up + (1 - upward) * self._bounce) * dim
        return light

    def _blurred_surroundings(self, direction: FloatArray) -> FloatArray:
        """Return what rough surfaces mirror: sky and ground without detail."""
        sky = self.dome.smooth(direction)
        upward = np.clip(direction[1] * 4 + np.float32(0.5), 0, 1)
        blurred: FloatArray = self._bounce + upward * (sky - self._bounce)
        return blurred

    def _highlight(
        self, mirrored: FloatArray, sun: FloatArray, gloss: float, tinted: FloatArray
    ) -> FloatArray:
        """Return the blurred image of the sun (Phong 1975, normalised lobe)."""
        sharpness = np.float32(8 + 240 * gloss**2)
        towards = np.clip(dot(mirrored, self.dome.sun), 0, 1)
        lobe = towards**sharpness * (sharpness + 2) / np.float32(8)
        visible = np.where(sun > 0, 1, 0).astype(np.float32) * np.minimum(8 * sun, 1)
        shine: FloatArray = self._sun * np.minimum(tinted * lobe, 2.5) * visible
        return shine


def _fresnel(cosine: FloatArray, head_on: np.float32) -> FloatArray:
    """Return the mirrored share of light (Schlick 1994)."""
    rim = (1 - cosine) ** 5
    share: FloatArray = head_on + (1 - head_on) * rim
    return share
