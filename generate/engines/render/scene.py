"""A scene as data: bodies, ground, sky, camera. Nothing here moves or draws."""

from __future__ import annotations

from dataclasses import dataclass

from vidigree.generate.engines.render.shapes import Shape

__all__ = ["Body", "CameraPath", "Colour", "Drive", "Ground", "Material", "Scene", "Sky", "Triple"]

Colour = tuple[float, float, float]
Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Material:
    """How a body reflects light.

    Attributes:
        colour: Linear RGB in [0, 1]: diffuse albedo, or mirror tint of a metal.
        accent: Linear RGB of the second colour of a pattern.
        pattern: ``plain``, ``striped``, ``checkered``, ``dotted``, ``wood`` or ``marble``.
        gloss: Strength of reflections in [0, 1]: 0 chalk, 1 polished.
        metallic: Share of light reflected by the metal in [0, 1].
        glow: Emitted light relative to the albedo, 0 for none.
    """

    colour: Colour
    accent: Colour = (0.85, 0.85, 0.85)
    pattern: str = "plain"
    gloss: float = 0.35
    metallic: float = 0.0
    glow: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Drive:
    """A motion that is prescribed instead of simulated: turning, circling, hovering.

    Attributes:
        centre: Centre of the circle in metres.
        circle_radius: Metres; 0 stays in place.
        phase: Angle on the circle at time 0, radians.
        circle_speed: Radians a second.
        bob: Amplitude of rising and sinking in metres.
        bob_speed: Radians a second.
        spin_speed: Radians a second around the upright axis.
    """

    centre: Triple
    circle_radius: float = 0.0
    phase: float = 0.0
    circle_speed: float = 0.0
    bob: float = 0.0
    bob_speed: float = 0.0
    spin_speed: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Body:
    """A rigid body at time 0.

    Attributes:
        shape: Its geometry.
        material: Its looks.
        mass: Kilograms.
        position: Centre of mass in metres.
        orientation: Unit quaternion (w, x, y, z).
        velocity: Metres a second.
        spin: Radians a second around the world axes.
        restitution: Share of the closing speed kept in a bounce, in [0, 1].
        friction: Coulomb coefficient, 0 and up.
        drive: Prescribed motion; ``None`` leaves the body to the physics.
    """

    shape: Shape
    material: Material
    mass: float
    position: Triple
    orientation: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    velocity: Triple = (0.0, 0.0, 0.0)
    spin: Triple = (0.0, 0.0, 0.0)
    restitution: float = 0.4
    friction: float = 0.5
    drive: Drive | None = None


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The plane y = 0.

    Attributes:
        kind: Texture: ``wood``, ``checker``, ``grass``, ``tile``, ``sand``, ``concrete``,
            ``snow``, ``carpet``, ``marble`` or ``plain``.
        tint: Linear RGB that colours the texture; ``None`` keeps its own colours.
        gloss: Strength of reflections in [0, 1].
        period: Side in metres of the square after which the texture repeats.
    """

    kind: str
    tint: Colour | None = None
    gloss: float = 0.0
    period: float = 4.0


@dataclass(frozen=True, kw_only=True)
class Sky:
    """What lights the scene from afar.

    Attributes:
        name: How the prompt calls it.
        zenith: Linear RGB radiance overhead.
        horizon: Linear RGB radiance at the horizon.
        sun_direction: Unit vector towards the sun.
        sun_colour: Linear RGB irradiance of the sun on a surface that faces it.
        sun_size: Angular radius of the light in radians; larger makes softer shadows.
        clouds: Cover in [0, 1].
        stars: Whether stars show.
    """

    name: str
    zenith: Colour
    horizon: Colour
    sun_direction: Triple
    sun_colour: Colour
    sun_size: float = 0.035
    clouds: float = 0.0
    stars: bool = False


@dataclass(frozen=True, kw_only=True)
class CameraPath:
    """How the camera moves from the first frame (0) to the last (1).

    Attributes:
        target: Point it looks at, in metres.
        distance: Metres from the target at 0 and at 1.
        azimuth: Radians around the upright axis at 0 and at 1; 0 stands on the positive z axis.
        elevation: Radians above the horizon at 0 and at 1.
        pan: Metres by which camera and target slide to the right at 0 and at 1.
        field_of_view: Vertical angle in radians.
    """

    target: Triple
    distance: tuple[float, float]
    azimuth: tuple[float, float]
    elevation: tuple[float, float]
    pan: tuple[float, float] = (0.0, 0.0)
    field_of_view: float = 0.62


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything a clip shows.

    Attributes:
        bodies: Rigid bodies at time 0.
        ground: The plane they stand on.
        sky: The light.
        camera: Where it is seen from.
        gravity: Metres per square second, downwards.
        speed: Seconds of scene time per second of clip.
        seed: Seed of the textures, in [0, 2**63).
    """

    bodies: tuple[Body, ...]
    ground: Ground
    sky: Sky
    camera: CameraPath
    gravity: float = 9.81
    speed: float = 1.0
    seed: int = 0
