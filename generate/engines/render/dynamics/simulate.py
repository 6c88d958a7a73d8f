"""Steps through time and keeps the poses at the frame times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.dynamics.contacts import find_contacts
from vidigree.generate.engines.render.dynamics.solver import push_apart, solve_velocities
from vidigree.generate.engines.render.dynamics.state import State
from vidigree.generate.engines.render.scene import Scene

__all__ = ["Motion", "simulate"]

# Longest step in seconds: a ball at 8 m/s moves 2 cm.
_STEP = 1 / 400
# Share of spin lost per second while touching: rolling resistance.
_ROLLING_LOSS = 0.5


@dataclass(frozen=True)
class Motion:
    """Where every body is in every frame.

    Attributes:
        position: float64 (F, B, 3), metres.
        rotation: float64 (F, B, 3, 3), body to world axes.
    """

    position: NDArray[np.float64]
    rotation: NDArray[np.float64]


def simulate(scene: Scene, times: NDArray[np.float64]) -> Motion:
    """Let the bodies of ``scene`` move.

    Args:
        scene: Bodies at time 0, and gravity.
        times: Ascending scene times (F,) in seconds, the first 0.

    Returns:
        Poses at ``times``. The same scene gives the same bits.
    """
    state = State(scene.bodies)
    count = len(scene.bodies)
    position = np.zeros((len(times), count, 3))
    rotation = np.zeros((len(times), count, 3, 3))
    now = 0.0
    for frame, time in enumerate(times):
        steps = int(np.ceil((time - now) / _STEP - 1e-9))
        for k in range(steps):
            seconds = (time - now) / (steps - k)
            _step(state, scene.gravity, seconds)
            now += seconds
            state.drive(now)
        position[frame] = state.position[:count]
        rotation[frame] = state.rotation[:count]
    return Motion(position, rotation)


def _step(state: State, gravity: float, seconds: float) -> None:
    """One step of semi-implicit Euler: forces, contacts, motion."""
    state.velocity[state.free, 1] -= gravity * seconds
    contacts = find_contacts(state)
    if len(contacts):
        solve_velocities(state, contacts)
        touching = np.intersect1d(contacts.first, state.free)
        state.spin[touching] *= 1 - _ROLLING_LOSS * seconds
    else:
        state.pair_impulse[:] = 0
    state.advance(seconds)
    if len(contacts):
        push_apart(state, contacts)
    state.refresh()
