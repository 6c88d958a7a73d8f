"""Contact impulses: projected Jacobi with mass splitting (Tonge, Benevolenski, Voroshilov 2012).

All contacts are solved at once as arrays; each body is thought of as split among its contacts, so
that the simultaneous solution does not overshoot.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.dynamics.contacts import Contacts
from vidigree.generate.engines.render.dynamics.state import State

__all__ = ["push_apart", "solve_velocities"]

_ITERATIONS = 12
# Slower closing speeds (m/s) do not bounce, or resting bodies would tremble.
_BOUNCE_FROM = 0.35
_SLOP = 5e-4


def solve_velocities(state: State, contacts: Contacts) -> None:
    """Change velocities so that no contact closes, with restitution and Coulomb friction."""
    _Solver(state, contacts).solve()


class _Solver:
    """The contacts of one step with what stays the same during its iterations."""

    def __init__(self, state: State, contacts: Contacts) -> None:
        a, b = contacts.first, contacts.second
        self.state = state
        self.sides = (
            (a, contacts.point - state.position[a], 1.0),
            (b, contacts.point - state.position[b], -1.0),
        )
        self.normal = contacts.normal
        split = np.bincount(np.concatenate([a, b]), minlength=state.ground + 1).astype(float)
        self.splits = split
        self.slide = np.sqrt(state.friction[a] * state.friction[b])
        bounce = np.maximum(state.restitution[a], state.restitution[b])
        closing = np.sum(self.normal * self._relative_velocity(), axis=1)
        self.target = np.where(closing < -_BOUNCE_FROM, -bounce * closing, 0.0)

    def solve(self) -> None:
        mass = self._effective_mass(self.normal)
        pressed = self._remembered()
        self._apply(pressed[:, None] * self.normal)
        rubbed = np.zeros_like(self.normal)
        for _ in range(_ITERATIONS):
            relative = self._relative_velocity()
            along = np.sum(self.normal * relative, axis=1)
            updated = np.maximum(pressed + (self.target - along) * mass, 0)
            impulse = (updated - pressed)[:, None] * self.normal
            pressed = updated
            sliding = relative - along[:, None] * self.normal
            wanted = rubbed + self._stop(sliding)
            held = _at_most(wanted, self.slide * pressed)
            self._apply(impulse + held - rubbed)
            rubbed = held
        memory = np.zeros_like(self.state.pair_impulse)
        np.add.at(memory, (self.sides[0][0], self.sides[1][0]), pressed)
        self.state.pair_impulse = memory

    def _remembered(self) -> NDArray[np.float64]:
        """Return starting impulses (C,): what the pair carried in the last step, shared evenly.

        Without them a stack sinks, since a few iterations do not carry its weight to the ground.
        """
        first, second = self.sides[0][0], self.sides[1][0]
        pair = first * (self.state.ground + 1) + second
        number = np.bincount(pair)[pair]
        return 0.95 * self.state.pair_impulse[first, second] / number

    def _stop(self, sliding: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the impulses (C, 3) that would stop ``sliding`` (C, 3) metres a second."""
        speed = np.linalg.norm(sliding, axis=1)
        heading = sliding / np.maximum(speed, 1e-9)[:, None]
        return -(speed * self._effective_mass(heading))[:, None] * heading

    def _relative_velocity(self) -> NDArray[np.float64]:
        relative = np.zeros_like(self.normal)
        for body, arm, sign in self.sides:
            relative += sign * (self.state.velocity[body] + _cross(self.state.spin[body], arm))
        return relative

    def _effective_mass(self, heading: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (C,) kilograms felt along ``heading``, with split masses."""
        total = np.full(len(heading), 1e-12)
        for body, arm, _ in self.sides:
            lever = _cross(arm, heading)
            turned = np.einsum("cij,cj->ci", self.state.world_inverse_inertia[body], lever)
            turning = np.sum(lever * turned, axis=1)
            total += self.splits[body] * (self.state.inverse_mass[body] + turning)
        return 1 / total

    def _apply(self, impulse: NDArray[np.float64]) -> None:
        for body, arm, sign in self.sides:
            push = sign * impulse * self.state.inverse_mass[body][:, None]
            turn = sign * _cross(arm, impulse)
            inertia = self.state.world_inverse_inertia[body]
            np.add.at(self.state.velocity, body, push)
            np.add.at(self.state.spin, body, np.einsum("cij,cj->ci", inertia, turn))


def push_apart(state: State, contacts: Contacts) -> None:
    """Move overlapping bodies part of the way out of each other, without adding speed."""
    excess = np.maximum(contacts.depth - _SLOP, 0)
    inverse = state.inverse_mass[contacts.first] + state.inverse_mass[contacts.second]
    step = (0.25 * excess / np.maximum(inverse, 1e-12))[:, None] * contacts.normal
    share = np.bincount(
        np.concatenate([contacts.first, contacts.second]), minlength=state.ground + 1
    )
    for body, sign in ((contacts.first, 1.0), (contacts.second, -1.0)):
        spread = (sign * state.inverse_mass[body] / share[body])[:, None]
        np.add.at(state.position, body, spread * step)


def _at_most(vectors: NDArray[np.float64], limit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``vectors`` (C, 3), each shortened to ``limit`` (C,)."""
    length = np.linalg.norm(vectors, axis=1)
    return vectors * np.minimum(1.0, limit / np.maximum(length, 1e-12))[:, None]


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return row-wise cross products; np.cross spends more time on checks than on arithmetic."""
    product = np.empty(b.shape)
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    product[:, 0] = ay * bz - az * by
    product[:, 1] = az * bx - ax * bz
    product[:, 2] = ax * by - ay * bx
    return product
