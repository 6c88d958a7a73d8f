"""Steps through time and yields the poses at the frame times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.dynamics.contacts import find_contacts
from vidigree.generate.engines.render.dynamics.solver import push_apart, solve_velocities
from vidigree.generate.engines.render.dynamics.state import State
from vidigree.generate.engines.render.scene import Scene

__all__ = ["LONGEST_STEP", "Pose", "simulate"]

# Longest step in seconds: a ball at 8 m/s moves 2 cm.
LONGEST_STEP: Final = 1 / 400
# Bodies that lie still for this many seconds stay where they are.
_SECONDS_TO_SLEEP: Final = 0.3
# Share of spin lost per second while touching: rolling resistance.
_ROLLING_LOSS: Final = 0.5


@dataclass(frozen=True)
class Pose:
    """Where every body is at one moment.

    Attributes:
        position: float64 (B, 3), metres.
        rotation: float64 (B, 3, 3), body to world axes.
    """

    position: NDArray[np.float64]
    rotation: NDArray[np.float64]


def simulate(
    scene: Scene, times: Iterable[float], *, longest_step: float = LONGEST_STEP
) -> Iterator[Pose]:
    """Let the bodies of ``scene`` move.

    Args:
        scene: Bodies at time 0, and gravity.
        times: Ascending scene times in seconds, the first 0.
        longest_step: Seconds. Longer steps cost less; from 1/100 on, towers no longer stand.

    Yields:
        The poses at ``times``. The same scene gives the same bits.
    """
    state = State(scene.bodies)
    count = len(scene.bodies)
    now, quiet = 0.0, 0
    to_sleep = round(_SECONDS_TO_SLEEP / longest_step)
    for time in times:
        steps = int(np.ceil((time - now) / longest_step - 1e-9))
        for k in range(steps):
            if quiet >= to_sleep:
                now = time
                break
            seconds = (time - now) / (steps - k)
            _step(state, scene.gravity, seconds)
            now += seconds
            state.drive(now)
            quiet = quiet + 1 if state.is_quiet() else 0
        yield Pose(state.position[:count].copy(), state.rotation[:count].copy())


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
