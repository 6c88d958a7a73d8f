"""Draws the frames of a scene one after another."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.camera import Camera, camera_at
from vidigree.generate.engines.render.dynamics import LONGEST_STEP, simulate
from vidigree.generate.engines.render.grounds import Textures
from vidigree.generate.engines.render.light.film import develop, tone
from vidigree.generate.engines.render.placed import place
from vidigree.generate.engines.render.scene import Scene
from vidigree.generate.engines.render.tracer import Moment, Rays, Tracer
from vidigree.generate.engines.render.vectors import FloatArray

__all__ = ["draw_frames"]

# Rays handled at a time: the intermediate fields then stay in the processor's cache.
_BAND = 1 << 16
# Rotated grid of extra samples in pixels around the centre of pixels on a silhouette.
_EXTRA = np.array(
    [[-0.31, -0.42], [0.06, -0.19], [0.42, -0.31], [-0.19, 0.06],
     [0.31, 0.19], [-0.42, 0.31], [-0.06, 0.42], [0.19, 0.44]],
    np.float32,
)  # fmt: skip


def draw_frames(
    scene: Scene,
    *,
    width: int,
    height: int,
    num_frames: int,
    fps: Fraction,
    textures: Textures | None = None,
    longest_step: float = LONGEST_STEP,
) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames of ``scene``.

    Args:
        scene: What to draw.
        width: Pixels.
        height: Pixels.
        num_frames: How many frames.
        fps: Frames per second of the clip.
        textures: Grounds and clouds to share with other scenes; ``None`` paints them anew from
            the seed of the scene.
        longest_step: Longest step of the physics in seconds.

    Yields:
        uint8 (height, width, 3) sRGB; the same arguments give the same bytes.
    """
    step = scene.speed / float(fps)
    tracer = Tracer(scene, textures)
    times = (k * step for k in range(num_frames))
    poses = simulate(scene, times, longest_step=longest_step)
    for i, pose in enumerate(poses):
        bodies = tuple(
            place(body, pose.position[k], pose.rotation[k]) for k, body in enumerate(scene.bodies)
        )
        camera = camera_at(scene.camera, i / max(num_frames - 1, 1), width, height)
        yield _draw(tracer, camera, Moment(bodies, i * step))


def _draw(tracer: Tracer, camera: Camera, moment: Moment) -> NDArray[np.uint8]:
    """Draw one frame: one ray a pixel, then eight more where silhouettes cross a pixel."""
    y, x = np.divmod(np.arange(camera.width * camera.height, dtype=np.int32), camera.width)
    column, row = x + np.float32(0.5), y + np.float32(0.5)
    picture, surface = _shoot(tracer, camera, moment, column, row)
    edges = np.flatnonzero(_silhouettes(surface.reshape(camera.height, camera.width)))
    if len(edges):
        around = (column[edges, None] + _EXTRA[:, 0], row[edges, None] + _EXTRA[:, 1])
        more, _ = _shoot(tracer, camera, moment, around[0].ravel(), around[1].ravel())
        total = picture[:, edges] + more.reshape(3, len(edges), len(_EXTRA)).sum(axis=2)
        picture[:, edges] = total / np.float32(len(_EXTRA) + 1)
    return develop(picture, camera.width, camera.height)


def _shoot(
    tracer: Tracer, camera: Camera, moment: Moment, x: FloatArray, y: FloatArray
) -> tuple[FloatArray, NDArray[np.int16]]:
    """Trace rays through pixel positions; return display-linear colour (3, N) and surface."""
    colour = np.empty((3, len(x)), np.float32)
    surface = np.empty(len(x), np.int16)
    for start in range(0, len(x), _BAND):
        part = slice(start, start + _BAND)
        rays = Rays(camera.eye, camera.rays(x[part], y[part]), camera.pixel_angle)
        radiance, surface[part] = tracer.trace(rays, moment)
        colour[:, part] = tone(radiance)
    return colour, surface


def _silhouettes(surface: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Return pixels (H, W) that have a neighbour showing another surface."""
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
    highest = cv2.dilate(surface, cross)
    lowest = cv2.erode(surface, cross)
    return np.asarray(highest != lowest)
