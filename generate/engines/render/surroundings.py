"""Ground, sky and camera of a scene from the words of the prompt."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np

from vidigree.generate.engines.render.reading import PromptReading
from vidigree.generate.engines.render.scene import CameraPath, Ground, Sky
from vidigree.generate.engines.render.vocabulary import COLOURS

__all__ = ["camera_of", "camera_side", "ground_of", "sky_of"]

_GLOSS: Final = {
    "wood": 0.3,
    "checker": 0.35,
    "tile": 0.45,
    "marble": 0.6,
    "ice": 0.7,
    "gloss": 1.0,
    "plain": 0.12,
}
_PERIOD: Final = {"grass": 3.0, "sand": 5.0, "checker": 4.0, "wood": 4.0, "asphalt": 3.0}


def ground_of(reading: PromptReading, rng: np.random.Generator) -> Ground:
    """Return the ground that the prompt names, or one that suits its sky and where it is."""
    kind = reading.ground
    beyond = _GROUND_BEYOND.get(_beyond(reading) or "")
    if kind is None and beyond is not None:
        colour = COLOURS[reading.ground_colour or beyond]
        return Ground(kind="plain", tint=colour, gloss=0.0, period=_PERIOD.get("plain", 4.0))
    if kind is None:
        indoors = reading.sky in ("studio", "dark")
        kind = str(rng.choice(["plain"] if indoors else ["wood", "checker", "tile", "grass"]))
    tint = COLOURS[reading.ground_colour] if reading.ground_colour else None
    return Ground(kind=kind, tint=tint, gloss=_GLOSS.get(kind, 0.0), period=_PERIOD.get(kind, 4.0))


def _sun(azimuth: float, elevation: float) -> tuple[float, float, float]:
    return (
        math.cos(elevation) * math.sin(azimuth),
        math.sin(elevation),
        math.cos(elevation) * math.cos(azimuth),
    )


_SKIES: Final = {
    sky.name: sky
    for sky in (
        Sky(
            name="day",
            zenith=(0.17, 0.42, 1.05),
            horizon=(0.72, 0.92, 1.18),
            sun_direction=_sun(0.9, 0.85),
            sun_colour=(3.1, 2.8, 2.35),
            clouds=0.42,
        ),
        Sky(
            name="morning",
            zenith=(0.24, 0.46, 0.92),
            horizon=(1.15, 1.02, 0.86),
            sun_direction=_sun(-1.1, 0.5),
            sun_colour=(3.0, 2.35, 1.6),
            clouds=0.3,
        ),
        Sky(
            name="cloudy",
            zenith=(0.28, 0.46, 0.84),
            horizon=(0.85, 0.95, 1.08),
            sun_direction=_sun(0.8, 0.8),
            sun_colour=(1.8, 1.7, 1.55),
            sun_size=0.07,
            clouds=0.72,
        ),
        Sky(
            name="overcast",
            zenith=(0.85, 0.92, 1.02),
            horizon=(1.1, 1.15, 1.2),
            sun_direction=_sun(0.5, 1.1),
            sun_colour=(0.75, 0.75, 0.75),
            sun_size=0.25,
            clouds=0.9,
        ),
        Sky(
            name="sunset",
            zenith=(0.16, 0.20, 0.50),
            horizon=(1.9, 0.80, 0.28),
            sun_direction=_sun(2.6, 0.24),
            sun_colour=(4.2, 2.1, 0.85),
            sun_size=0.045,
            clouds=0.45,
        ),
        Sky(
            name="night",
            zenith=(0.004, 0.007, 0.022),
            horizon=(0.025, 0.035, 0.07),
            sun_direction=_sun(0.9, 0.75),
            sun_colour=(0.42, 0.5, 0.72),
            stars=True,
        ),
        Sky(
            name="studio",
            zenith=(0.80, 0.81, 0.84),
            horizon=(0.92, 0.92, 0.94),
            sun_direction=_sun(0.7, 0.95),
            sun_colour=(1.7, 1.65, 1.6),
            sun_size=0.12,
        ),
        Sky(
            name="dark",
            zenith=(0.035, 0.035, 0.042),
            horizon=(0.02, 0.02, 0.024),
            sun_direction=_sun(0.6, 1.0),
            sun_colour=(2.6, 2.5, 2.3),
            sun_size=0.08,
        ),
    )
}


# Without air the sky is black by day, with stars.
_BEYOND_THE_AIR: Final = replace(_SKIES["dark"], name="space", stars=True)
_GROUND_BEYOND: Final = {"moon": "grey", "space": "black"}


def _beyond(reading: PromptReading) -> str | None:
    """Return where beyond the air a prompt takes place, the later word of several."""
    return next((word for word in reversed(reading.physics) if word in _GROUND_BEYOND), None)


def sky_of(reading: PromptReading, rng: np.random.Generator) -> Sky:
    """Return the sky that the prompt names (else a day, or a studio over a smooth floor)."""
    name = reading.sky
    if name is None and _beyond(reading):
        return _BEYOND_THE_AIR
    if name is None:
        name = "studio" if reading.ground == "plain" else "day"
    sky = _SKIES[name]
    if name == "sunset":
        return sky
    turn = float(rng.uniform(-0.35, 0.35)) + (math.pi / -1.8 if rng.random() < 0.5 else 0.0)
    x, y, z = sky.sun_direction
    turned = (
        x * math.cos(turn) + z * math.sin(turn),
        y,
        z * math.cos(turn) - x * math.sin(turn),
    )
    return replace(sky, sun_direction=turned)


def camera_side(rng: np.random.Generator) -> float:
    """Return the azimuth in radians on which the camera stands unless a prompt moves it."""
    return float(rng.uniform(-0.25, 0.25))


def camera_of(reading: PromptReading, extent: float, top: float, side: float) -> CameraPath:
    """Return the camera path that the prompt asks for.

    Args:
        reading: The prompt.
        extent: Half width in metres of what must stay in view.
        top: Height in metres of what must stay in view.
        side: Azimuth in radians, of :func:`camera_side`.
    """
    distance = max(2.75 * extent, 1.75 * top) + 1.2
    path = CameraPath(
        target=(0.0, max(0.36 * extent, 0.45 * top), 0.0),
        distance=(distance, distance),
        azimuth=(side, side),
        elevation=(0.2, 0.2),
    )
    for move in reading.camera:
        path = _moved(path, move, extent)
    return path


def _moved(path: CameraPath, move: str, extent: float) -> CameraPath:
    near, azimuth, pan = path.distance[0], path.azimuth[0], 0.55 * extent
    changes: dict[str, dict[str, object]] = {
        "static": {},
        "orbit": {"azimuth": (azimuth - 0.55, azimuth + 0.55)},
        "pan left": {"pan": (pan, -pan)},
        "pan right": {"pan": (-pan, pan)},
        "zoom in": {"distance": (1.25 * near, 0.72 * near)},
        "zoom out": {"distance": (0.72 * near, 1.3 * near)},
        "top": {"elevation": (1.1, 1.1), "target": (0.0, 0.2, 0.0)},
        "low": {"elevation": (0.05, 0.05)},
        "close": {"distance": (0.66 * path.distance[0], 0.66 * path.distance[1])},
        "wide": {"distance": (1.45 * path.distance[0], 1.45 * path.distance[1])},
    }
    return replace(path, **changes[move])  # type: ignore[arg-type]
