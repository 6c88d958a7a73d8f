"""Pictures shown askew: find the four corners of what is lit, and lay it straight again.

The search knows scale, rotation, mirroring and aspect; perspective has four parameters more, too
many to try. But a picture that was turned in space, or shown on a dark ground, has an outline, and
four corners are all eight parameters (as document scanners find a page).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["BLACKS", "corners_of", "straightened"]

BLACKS = (12.0, 2.0)
"""Lumas up to which a ground may count as black: as codecs and cameras leave it, and pure."""

_LEAST_AREA = 0.1
_MOST_AREA = 0.985
_FOUR_SIDED = 1.06


def corners_of(
    lumas: Sequence[NDArray[np.float32]], black: float = BLACKS[0]
) -> NDArray[np.float32] | None:
    """Return the corners of a lit quadrilateral on black, or ``None`` where there is none.

    Args:
        lumas: float32 (h, w) in [0, 255], of one size; a place that is lit in one of them is lit.
        black: Luma up to which a place is not lit.

    Returns:
        float32 (4, 2), x and y in pixels, from the upper left clockwise.
    """
    lit = (np.max(lumas, axis=0) > black).astype(np.uint8)
    lit = np.asarray(cv2.morphologyEx(lit, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    contours, _ = cv2.findContours(lit, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    hull = cv2.convexHull(max(contours, key=cv2.contourArea))
    area = cv2.contourArea(hull)
    if not _LEAST_AREA * lit.size < area < _MOST_AREA * lit.size or len(hull) < 4:
        return None
    quad = np.asarray(cv2.approxPolyN(hull, 4), np.float32).reshape(-1, 2)
    if len(quad) != 4 or cv2.contourArea(quad) > _FOUR_SIDED * area:
        return None
    return _from_upper_left(quad, lit.shape[1], lit.shape[0])


def straightened(luma: NDArray[np.float32], corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the quadrilateral stretched to the whole picture, float32 of the same shape.

    Args:
        luma: float32 (h, w).
        corners: As :func:`corners_of` returns them.
    """
    height, width = luma.shape
    # Contours run through pixel centres; the picture ends half a pixel beyond.
    frame = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, frame)
    flat = cv2.warpPerspective(luma, matrix, (width, height), flags=cv2.INTER_CUBIC)
    return np.asarray(flat, np.float32)


def _from_upper_left(quad: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Return the corners clockwise, begun where they lie nearest to the frame's own."""
    middle = quad.mean(axis=0)
    # With y downwards, growing angles run clockwise.
    turns = np.arctan2(quad[:, 1] - middle[1], quad[:, 0] - middle[0])
    ordered = quad[np.argsort(turns)]
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    far = [float(np.sum((np.roll(ordered, -k, axis=0) - frame) ** 2)) for k in range(4)]
    return np.asarray(np.roll(ordered, -int(np.argmin(far)), axis=0), np.float32)
