"""Generalised least squares: adding parts of a clip so that the background they share cancels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["gls_weights"]

_LEAST = 1e-9


def gls_weights(
    seen: NDArray[Any],
    amplitudes: NDArray[np.float64],
    *,
    shrinkage: float,
    spread: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the weights with which parts of a clip add up to most carrier beside the rest.

    Every part is thought of as ``level * (amplitude * carrier + rest)``. Parts of a clip show the
    same background, so that their rests are correlated: in a plain sum it grows as the carrier
    does. The best weights are the inverse of the rests' covariance times the amplitudes
    (generalised least squares; Capon's minimum variance beamformer, 1969). The covariance is that
    of the parts themselves, the carrier's share of it included, and so its correlations are shrunk
    (Ledoit and Wolf, 2004), and amplitudes that are not sure add to the variance of their part.

    Args:
        seen: Real or complex (n, values), what each part shows; its mean is not taken off. One
            value that is no number makes all weights none.
        amplitudes: float64 (n,), of the carrier in each part beside a rest of 1, but for a factor
            that is common to all.
        shrinkage: Share of the observed correlations that is not believed, in (0, 1]; at 1 each
            part's weight is its amplitude by its level.
        spread: float64 (n,), standard deviation of the amplitudes, beside a rest of 1; none: sure.

    Returns:
        float64 (n,), real, for ``seen`` as it is; below zero where a part shows more of the others'
        background than of the carrier.
    """
    # Products of float32 are summed in float32: the shrinkage is far larger than what that loses.
    products = (seen @ np.conj(seen.T)).real.astype(np.float64) / seen.shape[1]
    levels = np.sqrt(np.maximum(np.diag(products), 0.0)) + _LEAST
    covariance = (1.0 - shrinkage) * products / np.outer(levels, levels)
    np.fill_diagonal(covariance, 1.0 if spread is None else 1.0 + spread**2)
    return np.asarray(np.linalg.solve(covariance, amplitudes) / levels, np.float64)
