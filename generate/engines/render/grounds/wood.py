"""A floor of planks with grain, knots and joints."""

from __future__ import annotations

import numpy as np

from vidigree.generate.engines.render.noise import periodic_noise
from vidigree.generate.engines.render.vectors import FloatArray

__all__ = ["paint_planks"]

_SIZE = 1024
_PLANKS = 12
_LIGHT = np.array([0.50, 0.27, 0.115], np.float32)
_DARK = np.array([0.20, 0.085, 0.03], np.float32)


def paint_planks(rng: np.random.Generator) -> FloatArray:
    """Return float32 (1024, 1024, 3), linear albedo; planks run along the second axis."""
    row = np.arange(_SIZE)
    plank = row * _PLANKS // _SIZE
    within = row * _PLANKS / _SIZE - plank
    edge_across = np.minimum(within, 1 - within) * (_SIZE / _PLANKS)
    joint_at = rng.integers(0, _SIZE, (_PLANKS, 2))
    joint_at[:, 1] = (joint_at[:, 0] + rng.integers(_SIZE // 3, 2 * _SIZE // 3, _PLANKS)) % _SIZE
    column = np.arange(_SIZE)
    to_joint = np.abs((column[None, :, None] - joint_at[plank][:, None] + 512) % _SIZE - 512)
    edge_along = to_joint.min(axis=-1)
    board = (column[None] - joint_at[plank, :1]) % _SIZE < (
        (joint_at[plank, 1:] - joint_at[plank, :1]) % _SIZE
    )
    tone_of = rng.random((_PLANKS, 2)).astype(np.float32)
    tone = np.where(board, tone_of[plank, :1], tone_of[plank, 1:])
    shift = np.where(board, 0, 311) + (plank * 173)[:, None]
    grain = _grain(rng)[row[:, None] * np.ones(_SIZE, int), (column[None] + shift) % _SIZE]
    wood = _DARK + (_LIGHT - _DARK) * (0.25 + 0.62 * grain + 0.28 * (tone - 0.5))[..., None]
    gap = np.minimum(edge_across[:, None], edge_along)
    dark = np.clip(gap / 2.2, 0.12, 1).astype(np.float32)
    return (wood * dark[..., None]).astype(np.float32)


def _grain(rng: np.random.Generator) -> FloatArray:
    """Return long fibres with rings around them, (1024, 1024) about [0, 1]."""
    fibre = periodic_noise(_SIZE, (256, 6), rng, octaves=2)
    warp = periodic_noise(_SIZE, (24, 3), rng, octaves=3)
    rows = np.linspace(0, 1, _SIZE, endpoint=False, dtype=np.float32)[:, None]
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (36 * rows + 3.5 * warp))
    return np.clip(0.45 * fibre + 0.35 * rings**1.5 + 0.3 * warp, 0, 1)
