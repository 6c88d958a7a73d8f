"""Adding up what several pictures of a clip show of one carrier, so that the rest cancels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["cancelling_weights"]

_LEAST = 1e-9


def cancelling_weights(
    seen: NDArray[Any], held: NDArray[np.float64], trusted: float
) -> NDArray[np.float64]:
    """Return the weights of a sum that holds most of a carrier beside the rest.

    Parts of a clip show the same background: added up it grows as the carrier does, where noise
    that every part has for itself would fall behind. The best weights are the inverse of the parts'
    covariance times what each part holds (generalised least squares; the minimum variance
    beamformer of Capon, 1969). The covariance is taken from the parts themselves, carrier and all,
    and therefore drawn towards none (Ledoit and Wolf, 2004): where the carrier is most of what
    parts share, they would be subtracted from each other.

    Args:
        seen: Real or complex (n, values), what each part shows.
        held: float64 (n,), how much of the carrier a part is thought to hold beside a deviation of
            1 of all else.
        trusted: Share of the observed correlations that is believed, in [0, 1); at 0 every part is
            weighted by what it holds.

    Returns:
        float64 (n,), real, for ``seen`` as it is.
    """
    levels = np.sqrt(np.mean(np.abs(seen) ** 2, axis=1, dtype=np.float64)) + _LEAST
    scaled = seen / levels[:, None].astype(np.float32)
    shared = (scaled @ np.conj(scaled.T)).real / seen.shape[1]
    np.fill_diagonal(shared, 1.0)
    covariance = trusted * shared + (1.0 - trusted) * np.eye(len(seen))
    return np.asarray(np.linalg.solve(covariance, held) / levels, np.float64)
