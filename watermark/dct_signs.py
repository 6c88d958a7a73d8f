"""The hash of one picture: the signs of its low DCT coefficients."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["BITS", "SIDE", "coefficients_of", "likely_picture", "low_frequencies"]

BITS = 128
"""Bits of a hash."""

SIDE = 64
"""Rows and columns of the picture that is transformed."""


def coefficients_of(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the DCT coefficients of a picture whose signs are its hash.

    Args:
        picture: float32 (h, w), any unit.

    Returns:
        float32 (BITS,), in the order of :func:`low_frequencies`.
    """
    small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.dct(small)[low_frequencies()], np.float32)


def likely_picture(signs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a picture that has a hash, blurred as the hash is: what its signs tell of it.

    Amplitudes are thought of as falling with frequency, as those of pictures do.

    Args:
        signs: uint8 (BITS / 8,), packed.

    Returns:
        float32 (SIDE, SIDE), mean 0, any unit.
    """
    rows, columns = low_frequencies()
    spectrum = np.zeros((SIDE, SIDE), np.float32)
    spectrum[rows, columns] = (2.0 * np.unpackbits(signs) - 1.0) / np.hypot(rows, columns)
    return np.asarray(cv2.idct(spectrum), np.float32)


@lru_cache(maxsize=1)
def low_frequencies() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows and columns of the lowest BITS frequencies, the mean left out."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    radius = (rows**2 + columns**2).ravel().astype(float)
    # Ties are broken by row, so that the order never depends on the sorting algorithm.
    order = np.lexsort((rows.ravel(), radius))[1 : BITS + 1]
    return rows.ravel()[order], columns.ravel()[order]
