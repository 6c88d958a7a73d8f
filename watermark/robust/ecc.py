"""Error correction: a tail-biting convolutional code with soft decisions.

A short block at a very low rate is where tail-biting convolutional codes under a checksum come
closest to what is possible (Liang, Yang, Wesel et al., "List-decoded tail-biting convolutional
codes", 2019); the code has one memory of 14 bits and as many outputs a bit as the carrier holds.
Decoding walks round the ring of the trellis twice (Shao, Lin, Fossorier, 2003), the first time to
forget the start, and then goes back once along the likeliest paths: how good the best way to any
state is is known from the way there, so that cutting the list at every step loses hardly any path
that belongs into it (Soong and Huang, 1991, had the idea of such a search from behind). A weak
mark's block is seldom the likeliest one of all 2^72; the longer the list, the more often it is
the likeliest of those that the checksum agrees with. ``benchmarks/mark_code.py`` prints the curve.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["MEMORY", "PATHS", "branch_metrics", "decode", "encode", "flips_of", "soft_bits"]

MEMORY = 14
"""Bits that the encoder remembers besides the newest."""

_STATES = 1 << MEMORY
PATHS = 1 << 11
"""How many paths are followed where nothing else is asked for."""

# Taps of 26 outputs, repeated for more; free distance 240, the best of some 300 random choices.
_GENERATORS = (
    *(22991, 24905, 19047, 32603, 28861, 29803, 23739, 17647, 21471, 31845, 29557, 25363),
    *(20973, 22697, 22077, 32507, 25599, 24699, 32219, 19155, 18005, 21463, 22455),
    *(21317, 19853, 27477),
)


def encode(bits: NDArray[np.uint8], outputs: int) -> NDArray[np.uint8]:
    """Encode a block.

    Args:
        bits: uint8 (k,) of 0 and 1, k > 14.
        outputs: Coded bits per bit, 1 to 64.

    Returns:
        uint8 (k * outputs,); the outputs of one bit lie together.
    """
    return flips_of(_windows(bits), outputs).ravel()


def decode(
    soft: NDArray[np.float32],
    outputs: int,
    paths: int = PATHS,
    passes: Callable[[NDArray[np.uint8]], NDArray[np.bool_]] | None = None,
) -> NDArray[np.uint8]:
    """Return candidate blocks, most likely first.

    Args:
        soft: float32 (k * outputs,), log likelihood ratio of each coded bit, positive for 0, in any
            common unit.
        outputs: Coded bits per bit, as encoded.
        paths: How many paths are followed back; time and memory grow with it (about 500
            bytes each).
        passes: Tells which of blocks, uint8 (n, k), to keep; ``None`` keeps all.

    Returns:
        uint8 (n, k), different blocks, n from 0 to ``paths``.
    """
    branch = branch_metrics(soft, outputs)
    newest, before = _likely_paths(branch, paths)
    length, count = len(newest), len(newest[-1])
    blocks = np.empty((length, count), np.uint8)
    path = np.arange(count, dtype=np.int32)
    for step in range(length):
        blocks[step] = newest[length - 1 - step][path]
        path = before[length - 1 - step][path]
    # A path that does not bite its tail still names a block, which is judged as encoded.
    found = blocks.T if passes is None else blocks.T[passes(blocks.T)]
    different = np.unique(found, axis=0)
    return different[np.argsort(-_scores(different, branch), kind="stable")]


def _likely_paths(
    branch: NDArray[np.float32], most: int
) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.int32]]]:
    """Follow the likeliest paths back through the last round.

    Returns:
        For each step, the last one first: uint8 (n,), the bit of every path there, and int32 (n,),
        which path of the step after it each one goes on from.
    """
    length = branch.shape[0]
    metric = np.zeros(_STATES, np.float32)
    for step in range(length):
        metric = _advance(metric, branch[step])
    ways = np.empty((length, _STATES), np.float32)
    for step in range(length):
        ways[step] = metric
        metric = _advance(metric, branch[step])
    state: NDArray[np.int64] = np.arange(_STATES)
    rest = np.zeros(_STATES, np.float32)
    newest: list[NDArray[np.uint8]] = []
    before: list[NDArray[np.int32]] = []
    for step in range(length - 1, -1, -1):
        window = np.concatenate([state << 1, state << 1 | 1])
        after: NDArray[np.int32] = np.tile(np.arange(len(state), dtype=np.int32), 2)
        rest = np.tile(rest, 2) + branch[step][window]
        if len(window) > most:
            whole = rest + ways[step][window & (_STATES - 1)]
            kept = np.argpartition(-whole, most)[:most]
            window, after, rest = window[kept], after[kept], rest[kept]
        newest.append((window >> MEMORY).astype(np.uint8))
        before.append(after)
        state = window & (_STATES - 1)
    return newest, before


def _scores(blocks: NDArray[np.uint8], branch: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return how well each block (n, k) agrees with the soft values, float64 (n,)."""
    steps = np.arange(blocks.shape[1])
    return np.asarray(branch[steps, _windows(blocks)].sum(axis=1, dtype=np.float64))


def _windows(blocks: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the window of every bit of blocks (..., k), newest bit first, int64 (..., k)."""
    bits = blocks.astype(np.int64)
    window = np.zeros(bits.shape, np.int64)
    for delay in range(MEMORY + 1):
        window |= np.roll(bits, delay, axis=-1) << (MEMORY - delay)
    return window


def flips_of(windows: NDArray[np.int64], outputs: int) -> NDArray[np.uint8]:
    """Return which outputs windows (n,) change, uint8 (n, outputs) of 0 and 1."""
    return ((1 - _signs(outputs)[windows]) // 2).astype(np.uint8)


def soft_bits(soft: NDArray[np.float32], outputs: int) -> NDArray[np.float64]:
    """Return the log likelihood ratio of each bit (max-log, positive for 0), float64 (k,).

    Args:
        soft: float32 (k * outputs,), true log likelihood ratios.
        outputs: Coded bits per bit, as encoded.
    """
    branch = branch_metrics(soft, outputs)
    length = branch.shape[0]
    forward = np.empty((length, _STATES), np.float32)
    metric = np.zeros(_STATES, np.float32)
    for step in range(2 * length):
        forward[step % length] = metric
        metric = _advance(metric, branch[step % length])
    result = np.empty(length)
    backward = np.zeros(_STATES, np.float32)
    window = np.arange(2 * _STATES)
    older, newer = window & (_STATES - 1), window >> 1
    for step in range(2 * length - 1, -1, -1):
        whole = forward[step % length][older] + branch[step % length] + backward[newer]
        result[step % length] = whole[:_STATES].max() - whole[_STATES:].max()
        onward = branch[step % length] + backward[newer]
        backward = np.maximum(onward[:_STATES], onward[_STATES:])
        backward -= backward.max()
    return result


def branch_metrics(soft: NDArray[np.float32], outputs: int) -> NDArray[np.float32]:
    """Return the metric of every window at every step, float32 (k, 2 * states)."""
    values = np.asarray(soft, np.float32).reshape(-1, outputs)
    return np.asarray(values @ _real_signs(outputs))


def _advance(metric: NDArray[np.float32], branch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Extend the best path to every state by one bit.

    A window is (newest bit, ..., oldest bit); the state before it is its low bits, the state after
    it is its high bits.
    """
    whole = branch.reshape(2, _STATES // 2, 2) + metric.reshape(_STATES // 2, 2)
    best: NDArray[np.float32] = np.maximum(whole[..., 0], whole[..., 1]).ravel()
    best -= best.max()
    return best


@functools.lru_cache(maxsize=8)
def _signs(outputs: int) -> NDArray[np.int8]:
    """Return +1 or -1 for each window and output, int8 (2 * states, outputs)."""
    window = np.arange(2 * _STATES)
    taps = np.array([_GENERATORS[index % len(_GENERATORS)] for index in range(outputs)])
    parity = np.zeros((2 * _STATES, outputs), np.int8)
    for bit in range(MEMORY + 1):
        parity ^= ((window[:, None] & taps[None, :]) >> bit & 1).astype(np.int8)
    return (1 - 2 * parity).astype(np.int8)


@functools.lru_cache(maxsize=8)
def _real_signs(outputs: int) -> NDArray[np.float32]:
    """Return what :func:`_signs` does, float32 (outputs, 2 * states)."""
    return np.asarray(_signs(outputs).T, np.float32)
