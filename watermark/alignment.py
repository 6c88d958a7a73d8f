"""Two fingerprints laid beside each other in time: where they differ least."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.dct_signs import BITS

__all__ = ["best_alignment", "distances"]


def distances(wholes: NDArray[np.uint8], views: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the shares of differing bits of moments, for every whole and every view.

    Args:
        wholes: uint8 of shape (moments of the one, wholes, BITS / 8).
        views: uint8 of shape (moments of the other, views, BITS / 8).

    Returns:
        float32 of shape (wholes * views, moments of the one, moments of the other).
    """
    a = np.unpackbits(wholes, axis=2).astype(np.float32) * 2 - 1
    b = np.unpackbits(views, axis=2).astype(np.float32) * 2 - 1
    products = np.tensordot(a, b, axes=(2, 2)).transpose(1, 3, 0, 2)
    shares = ((1 - products / BITS) / 2).astype(np.float32)
    return shares.reshape(-1, len(wholes), len(views))


def best_alignment(shares: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Return the best similarity over all views and shifts in time with enough overlap.

    Args:
        shares: float32 of shape (pairs of views, moments of the one, moments of the other), what
            :func:`distances` returns.
        mask: bool of shape (moments of the one, moments of the other): which can be compared.

    Returns:
        0 (unrelated) to 1: ``1 - 2 * share of differing bits``.
    """
    needed = max(1, min(mask.shape) // 2)
    # Of moments with anything to compare, too: flat ones, and those in which a slow clip has no
    # frame, are no sign of another picture.
    usual = max(1, min(int(mask.any(axis=1).sum()), int(mask.any(axis=0).sum())) // 2)
    best = 0.0
    for shift in range(-mask.shape[0] + 1, mask.shape[1]):
        usable = np.diagonal(mask, shift)
        if usable.size >= needed and usable.any():
            # A match on a single moment of many says little: the others count as unrelated.
            mean = np.diagonal(shares, shift, axis1=1, axis2=2)[:, usable].mean(axis=1)
            weight = min(1.0, int(usable.sum()) / usual)
            best = max(best, weight * (1 - 2 * float(mean.min())))
    return best
