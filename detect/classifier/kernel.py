"""Kernel ridge regression: the classifier's member, in closed form and NumPy at use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["gaussian_kernel", "mixed_kernel", "ridge_dual"]


def gaussian_kernel(
    left: NDArray[np.float64], right: NDArray[np.float64], gamma: float
) -> NDArray[np.float64]:
    """Return exp(-gamma * squared distance) between rows, float64 (n, m).

    Args:
        left: float64 (n, D).
        right: float64 (m, D).
        gamma: Above 0.
    """
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :]
    distances = np.maximum(squares - 2 * left @ right.T, 0)
    return np.asarray(np.exp(-gamma * distances), dtype=np.float64)


def mixed_kernel(
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    *,
    groups: Sequence[tuple[int, float]],
    gamma: float,
    additive_share: float,
    additive_gamma: float,
) -> NDArray[np.float64]:
    """Return a Gaussian kernel of all groups, mixed with an additive one: the mean of one a group.

    In the first, rows are alike that are so in every group. In the additive one (Hastie and
    Tibshirani, "Generalized additive models", 1990; as a kernel, Durrande et al., 2012) each group
    speaks for itself, so that one that knows a trace is not silenced by the others.

    Args:
        left: float64 (n, D), features times the square root of their share of the weight.
        right: float64 (m, D).
        groups: Of each in order: number of columns, and its share of the weight; the sum is 1.
        gamma: Factor of the squared distance over all groups, above 0.
        additive_share: Share of the additive kernel, [0, 1].
        additive_gamma: Factor of the squared distance within a group, which is a mean over its
            features, above 0.

    Returns:
        float64 (n, m), in [0, 1].
    """
    if not additive_share:
        return gaussian_kernel(left, right, gamma)
    additive = np.zeros((len(left), len(right)))
    start = 0
    for width, weight in groups:
        columns = slice(start, start + width)
        additive += weight * gaussian_kernel(
            left[:, columns], right[:, columns], additive_gamma / weight
        )
        start += width
    return (1 - additive_share) * gaussian_kernel(left, right, gamma) + additive_share * additive


def ridge_dual(
    kernel: NDArray[np.float64],
    labels: NDArray[np.bool_],
    weights: NDArray[np.float64],
    ridge: float,
) -> NDArray[np.float64]:
    """Return the dual coefficients (n,) of weighted kernel ridge regression on -1 and +1.

    Saunders, Gammerman and Vovk, "Ridge regression learning algorithm in dual variables" (1998),
    with the penalty of a row divided by its weight. Both classes get the same total weight, so no
    constant is needed and the scores of models fitted on different clips can be compared.

    Args:
        kernel: float64 (n, n), symmetric, positive semidefinite.
        labels: bool (n,), both values present.
        weights: float64 (n,), above 0.
        ridge: Penalty of a row of mean weight, above 0.
    """
    balanced = weights.astype(np.float64).copy()
    for label in (False, True):
        balanced[labels == label] *= 0.5 * len(labels) / balanced[labels == label].sum()
    penalised = kernel + np.diag(ridge / balanced)
    return np.asarray(np.linalg.solve(penalised, np.where(labels, 1.0, -1.0)), dtype=np.float64)
