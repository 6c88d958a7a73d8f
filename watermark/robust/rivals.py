"""The likeliest message, and the one that is most easily taken for it.

The decoder's list is of paths, and says little of what is just behind its end: a message that
differs from the first one somewhere inside may be missing from it. Those are the likeliest to be
confused.
The code and the checksum are linear, so that the differences that matter are the same whatever was
sent: short bursts of bits which the checksum does not see and which change few coded bits. All of
them are tried on the decoder's answer.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.robust import ecc
from vidigree.watermark.robust.payload import PAYLOAD_BITS, agrees, syndromes

__all__ = ["likeliest", "listed", "rival_of"]

# Bursts of up to this many bits; what is longer changes more than the share below, or nearly.
_BURST = 19
# Share of the coded bits in which a neighbour differs at most. Two random messages differ in half.
_NEAR = 0.225
_CLIMBS = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class _Neighbours:
    """Differences that the checksum does not see.

    Attributes:
        bits: uint8 (n, 72), the payload bits that differ.
        steps: int32 (n, w), the payload bits at which a difference has a window that is not zero.
        windows: int32 (n, w), those windows of the encoder.
    """

    bits: NDArray[np.uint8]
    steps: NDArray[np.int32]
    windows: NDArray[np.int32]


def listed(soft: NDArray[np.float32], outputs: int, paths: int = ecc.PATHS) -> NDArray[np.uint8]:
    """Return the payloads that the decoder lists and the checksum agrees with, likeliest first.

    Args:
        soft: float32 (72 * outputs,), log likelihood ratio of each coded bit, positive for 0, in
            any common unit.
        outputs: Coded bits per bit.
        paths: How many paths the decoder follows.

    Returns:
        uint8 (n, 72), n from 0.
    """
    return ecc.decode(soft, outputs, paths, agrees)


def likeliest(
    soft: NDArray[np.float32], outputs: int, candidates: NDArray[np.uint8]
) -> list[NDArray[np.uint8]]:
    """Return the likeliest payload that the checksum agrees with, and its strongest rival.

    Args:
        soft: float32 (72 * outputs,), as they were decoded.
        outputs: Coded bits per bit.
        candidates: What :func:`listed` gives for them.

    Returns:
        uint8 (72,) each, the likelier first; empty without candidates.
    """
    if not len(candidates):
        return []
    near = _neighbours(outputs)
    best = candidates[0]
    for _ in range(_CLIMBS):
        losses = _losses(best, soft, outputs, near)
        if losses.min() >= 0:
            break
        best = best ^ near.bits[int(np.argmin(losses))]
    return [best, rival_of(best, soft, outputs, candidates)]


def rival_of(
    bits: NDArray[np.uint8],
    soft: NDArray[np.float32],
    outputs: int,
    candidates: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """Return the likeliest other payload, uint8 (72,), among neighbours and the first candidates.

    Args:
        bits: uint8 (72,), the payload whose rival is wanted.
        soft: float32 (72 * outputs,), as they were decoded.
        outputs: Coded bits per bit.
        candidates: uint8 (n, 72), what :func:`listed` gives for them.
    """
    near = _neighbours(outputs)
    neighbour = bits ^ near.bits[int(np.argmin(_losses(bits, soft, outputs, near)))]
    others = [one for one in candidates[:2] if not np.array_equal(one, bits)]
    return max([neighbour, *others], key=lambda one: _agreement(one, soft, outputs))


def _losses(
    bits: NDArray[np.uint8], soft: NDArray[np.float32], outputs: int, near: _Neighbours
) -> NDArray[np.float32]:
    """Return how much worse than ``bits`` each neighbour agrees with the soft values, (n,)."""
    kept = soft * (1 - 2 * ecc.encode(bits, outputs).astype(np.float32))
    # A window of zeros changes nothing, any other the outputs that it flips.
    metrics = ecc.branch_metrics(kept, outputs)
    costs = metrics[:, :1] - metrics
    return np.asarray(costs[near.steps, near.windows].sum(axis=1), np.float32)


def _agreement(bits: NDArray[np.uint8], soft: NDArray[np.float32], outputs: int) -> float:
    return float(soft @ (1 - 2 * ecc.encode(bits, outputs).astype(np.float32)))


@functools.lru_cache(maxsize=4)
def _neighbours(outputs: int) -> _Neighbours:
    """Return all differences within bursts that are near enough, bursts over the end counted."""
    bits, windows = _near_bursts(outputs)
    syndrome = syndromes()
    rows, steps, touched = [], [], []
    for start in range(PAYLOAD_BITS):
        places = (start + np.arange(_BURST)) % PAYLOAD_BITS
        # What the checksum does not see at one place it sees at no other, up to the end.
        if start == 0 or start + _BURST > PAYLOAD_BITS:
            unseen = np.flatnonzero(np.bitwise_xor.reduce(bits * syndrome[places], axis=1) == 0)
        row = np.zeros((len(unseen), PAYLOAD_BITS), np.uint8)
        row[:, places] = bits[unseen]
        rows.append(row)
        touched.append(windows[unseen])
        reached = (start + np.arange(windows.shape[1])) % PAYLOAD_BITS
        steps.append(np.tile(reached.astype(np.int32), (len(row), 1)))
    return _Neighbours(
        bits=np.concatenate(rows),
        steps=np.concatenate(steps),
        windows=np.concatenate(touched).astype(np.int32),
    )


def _near_bursts(outputs: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return bursts (n, 19) that change few coded bits, and the windows (n, w) that they touch."""
    weight = ecc.flips_of(np.arange(2 << ecc.MEMORY), outputs).sum(axis=1, dtype=np.int64)
    # Every burst begins with a change; bit k of the number is the payload bit k steps later.
    bursts = np.arange(1 << (_BURST - 1), dtype=np.int64) * 2 + 1
    mask, steps = (2 << ecc.MEMORY) - 1, range(_BURST + ecc.MEMORY)
    total = np.zeros(len(bursts), np.int64)
    for step in steps:
        total += weight[(bursts << ecc.MEMORY) >> step & mask]
    near = bursts[total <= _NEAR * PAYLOAD_BITS * outputs]
    bits = (near[:, None] >> np.arange(_BURST) & 1).astype(np.uint8)
    return bits, (near[:, None] << ecc.MEMORY) >> np.array(steps) & mask
