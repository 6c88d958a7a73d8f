"""Where bodies touch each other and the ground."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render.dynamics.state import State
from vidigree.generate.engines.render.shapes import Shape, Sphere

__all__ = ["Contacts", "find_contacts"]

# Contacts kept for a pair with no, one, two balls.
_MOST_PER_PAIR = (8, 1, 1)
_STEP = 1e-4


@dataclass(frozen=True)
class Contacts:
    """Touching points, one row each.

    Attributes:
        first: Index (C,) of the body that the normal pushes.
        second: Index (C,) of the other body, or of the ground.
        normal: Unit vectors (C, 3) from the second body to the first.
        point: World points (C, 3) in metres.
        depth: Penetration (C,) in metres, positive when the bodies overlap.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    normal: NDArray[np.float64]
    point: NDArray[np.float64]
    depth: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)


_Row = tuple[int, int, NDArray[np.float64], NDArray[np.float64], float]


def find_contacts(state: State) -> Contacts:
    """Return all contacts of free bodies."""
    rows = list(_ground_contacts(state))
    for a, b in _near_pairs(state):
        rows.extend(_pair_contacts(state, a, b))
    if not rows:
        none = np.zeros((0, 3))
        return Contacts(np.zeros(0, int), np.zeros(0, int), none, none, np.zeros(0))
    first, second, normal, point, depth = zip(*rows, strict=True)
    return Contacts(
        np.array(first), np.array(second), np.array(normal), np.array(point), np.array(depth)
    )


def _ground_contacts(state: State) -> Iterator[_Row]:
    up = np.array([0.0, 1.0, 0.0])
    for i in state.free:
        if state.position[i, 1] > state.radius[i]:
            continue
        shape, turn = state.bodies[i].shape, state.rotation[i]
        points = shape.contact_points(-turn[1]) @ turn.T + state.position[i]
        lowest = points[:, 1] - shape.contact_radius
        for k in np.flatnonzero(lowest < 0):
            yield int(i), state.ground, up, points[k] - shape.contact_radius * up, -lowest[k]


def _near_pairs(state: State) -> Iterator[tuple[int, int]]:
    count = state.ground
    if count < 2:
        return
    apart = state.position[:count, None] - state.position[None, :count]
    reach = state.radius[:, None] + state.radius[None]
    near = np.sum(apart**2, axis=-1) < reach**2
    movable = state.inverse_mass[:count] > 0
    near &= movable[:, None] | movable[None]
    for a, b in zip(*np.nonzero(np.triu(near, 1)), strict=True):
        yield int(a), int(b)


def _pair_contacts(state: State, a: int, b: int) -> list[_Row]:
    """Test the contact points of either body against the distance field of the other."""
    rows = [*_points_in(state, a, b), *_points_in(state, b, a)]
    rows.sort(key=lambda row: -row[4])
    balls = sum(isinstance(state.bodies[k].shape, Sphere) for k in (a, b))
    return rows[: _MOST_PER_PAIR[balls]]


def _points_in(state: State, a: int, b: int) -> Iterator[_Row]:
    """Yield where contact points of ``a`` lie inside ``b``."""
    shape, other = state.bodies[a].shape, state.bodies[b].shape
    if isinstance(other, Sphere) and not isinstance(shape, Sphere):
        return  # the ball's centre in the sharp body says it all, and exactly
    towards = (state.position[b] - state.position[a]) @ state.rotation[a]
    world = shape.contact_points(towards) @ state.rotation[a].T + state.position[a]
    local = (world - state.position[b]) @ state.rotation[b]
    gap = _distance(other, local) - shape.contact_radius
    touching = np.flatnonzero(gap < 0)
    if len(touching) == 0:
        return
    normals = _gradient(other, local[touching]) @ state.rotation[b].T
    for k, normal in zip(touching, normals, strict=True):
        yield a, b, normal, world[k] - shape.contact_radius * normal, float(-gap[k])


def _distance(shape: Shape, points: NDArray[np.float64]) -> NDArray[np.float64]:
    return shape.signed_distance(points.T.astype(np.float32)).astype(np.float64)


def _gradient(shape: Shape, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return outward unit normals (K, 3) of the distance field by central differences."""
    steps = _STEP * np.concatenate([np.eye(3), -np.eye(3)])
    probes = (points[:, None, :] + steps[None]).reshape(-1, 3)
    values = _distance(shape, probes).reshape(-1, 2, 3)
    slope = values[:, 0] - values[:, 1]
    length = np.linalg.norm(slope, axis=1, keepdims=True)
    flat = length[:, 0] < 1e-9
    slope[flat] = (0.0, 1.0, 0.0)
    return slope / np.where(flat[:, None], 1.0, length)
