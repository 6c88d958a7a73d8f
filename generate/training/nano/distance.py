"""Frechet distance between two sets of features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["frechet_distance"]


def frechet_distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    r"""Return the Frechet distance of the Gaussians fitted to two sets (Heusel et al. 2017).

    .. math:: |m_1 - m_2|^2 + tr(C_1 + C_2 - 2 (C_1 C_2)^{1/2})

    The trace of the root is the sum of the roots of the eigenvalues of the product, which are real
    and not negative. Small sets give larger distances; compare only sets of the same size.

    Args:
        first: float64 (N, D), features.
        second: float64 (M, D).
    """
    difference = first.mean(axis=0) - second.mean(axis=0)
    one, two = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    roots = np.sqrt(np.maximum(np.linalg.eigvals(one @ two).real, 0)).sum()
    return float(difference @ difference + np.trace(one) + np.trace(two) - 2 * roots)
