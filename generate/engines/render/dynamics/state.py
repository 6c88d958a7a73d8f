"""The moving state of all bodies, as arrays; the last row is the ground, which never moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidigree.generate.engines.render.scene import Body
from vidigree.generate.engines.render.vectors import quaternion_product, rotation_matrix

__all__ = ["State"]

# Slower than this, in metres and radians a second, is still.
_STILL_SPEED = 0.03
_STILL_SPIN = 0.06


class State:
    """Positions, orientations and velocities of ``bodies``; float64 for stable resting contacts."""

    def __init__(self, bodies: Sequence[Body]) -> None:
        count = len(bodies)
        self.bodies = tuple(bodies)
        self.ground = count
        self.position = np.zeros((count + 1, 3))
        self.orientation = np.tile(np.array([1.0, 0, 0, 0]), (count + 1, 1))
        self.rotation = np.tile(np.eye(3), (count + 1, 1, 1))
        self.velocity = np.zeros((count + 1, 3))
        self.spin = np.zeros((count + 1, 3))
        self.inverse_mass = np.zeros(count + 1)
        self.inverse_inertia = np.zeros((count + 1, 3))
        self.world_inverse_inertia = np.zeros((count + 1, 3, 3))
        self.restitution = np.zeros(count + 1)
        self.friction = np.full(count + 1, 1.0)
        for i, body in enumerate(bodies):
            self.position[i] = body.position
            self.orientation[i] = body.orientation
            self.restitution[i] = body.restitution
            self.friction[i] = body.friction
            if body.drive is None:
                self.velocity[i] = body.velocity
                self.spin[i] = body.spin
                self.inverse_mass[i] = 1 / body.mass
                self.inverse_inertia[i] = 1 / (body.mass * body.shape.inertia())
        # Impulses of the last step by pair of bodies: where the solver starts the next one.
        self.pair_impulse = np.zeros((count + 1, count + 1))
        self.radius = np.array([body.shape.bounding_radius for body in bodies])
        self.free = np.flatnonzero(self.inverse_mass > 0)
        self.driven = any(body.drive is not None for body in bodies)
        self.drive(0.0)
        self.refresh()

    def refresh(self) -> None:
        """Recompute rotation matrices and world inertia after orientations changed."""
        for i in range(self.ground):
            self.rotation[i] = rotation_matrix(self.orientation[i])
        turned = self.rotation * self.inverse_inertia[:, None, :]
        self.world_inverse_inertia = turned @ self.rotation.transpose(0, 2, 1)

    def drive(self, time: float) -> None:
        """Put prescribed bodies where they are at ``time`` seconds, with their velocities."""
        for i, body in enumerate(self.bodies):
            path = body.drive
            if path is None:
                continue
            angle = path.phase + path.circle_speed * time
            bob = path.bob_speed * time + path.phase
            circle = path.circle_radius
            self.position[i] = (
                path.centre[0] + circle * np.cos(angle),
                path.centre[1] + path.bob * np.sin(bob),
                path.centre[2] + circle * np.sin(angle),
            )
            self.velocity[i] = (
                -circle * path.circle_speed * np.sin(angle),
                path.bob * path.bob_speed * np.cos(bob),
                circle * path.circle_speed * np.cos(angle),
            )
            half = 0.5 * path.spin_speed * time
            self.spin[i] = (0.0, path.spin_speed, 0.0)
            turn = np.array([np.cos(half), 0.0, np.sin(half), 0.0])
            self.orientation[i] = quaternion_product(turn, np.array(body.orientation))

    def advance(self, seconds: float) -> None:
        """Move free bodies along their velocities."""
        free = self.free
        self.position[free] += seconds * self.velocity[free]
        for i in free:
            wx, wy, wz = self.spin[i]
            rate = quaternion_product(np.array([0.0, wx, wy, wz]), self.orientation[i])
            turned = self.orientation[i] + 0.5 * seconds * rate
            self.orientation[i] = turned / np.linalg.norm(turned)

    def is_quiet(self) -> bool:
        """Whether nothing moves, and nothing is driven that could move it."""
        if self.driven:
            return False
        return bool(
            np.abs(self.velocity[self.free]).max(initial=0.0) < _STILL_SPEED
            and np.abs(self.spin[self.free]).max(initial=0.0) < _STILL_SPIN
        )
