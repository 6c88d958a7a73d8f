"""The few hash codes by which an entry is looked for among many; the fingerprint then decides.

A fingerprint has one code per view and half second. Kept for the search are those of the middle of
every four seconds, of most views; asked for are those of the whole picture at some moments of the
clip in question.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import UsageError
from vidigree.watermark.fingerprint import BITS, VIEWS, WHOLES, Fingerprint

__all__ = ["CODE_BYTES", "codes_of", "kept_codes", "query_codes"]

CODE_BYTES = BITS // 8

_GROUP = 8
"""Moments for which one is kept."""

_MAX_KEPT = 16
"""Most moments of which codes are kept, so that an hour costs no more than a minute."""

_MAX_ASKED = 8

_KEPT_VIEWS = tuple(
    number for number, (share, _, _) in enumerate(VIEWS) if share not in (0.9, 0.63)
)
"""Crops to the shares that are left out still find their neighbours."""


def kept_codes(fingerprint: Fingerprint) -> NDArray[np.uint8]:
    """Return the codes to keep for a clip, uint8 of shape (codes, 16); none for a flat clip."""
    moments = np.flatnonzero(fingerprint.structured)
    groups = [moments[start : start + _GROUP] for start in range(0, len(moments), _GROUP)]
    middles = _thinned(np.array([group[len(group) // 2] for group in groups], int), _MAX_KEPT)
    return _different(fingerprint.bits[middles][:, _KEPT_VIEWS])


def query_codes(fingerprint: Fingerprint) -> NDArray[np.uint8]:
    """Return the codes to ask for, uint8 of shape (codes, 16)."""
    moments = _thinned(np.flatnonzero(fingerprint.structured), _MAX_ASKED)
    return _different(fingerprint.bits[moments, :WHOLES])


def codes_of(data: bytes) -> bytes:
    """Return the codes to keep for the bytes of a fingerprint; none for one of another version."""
    try:
        return kept_codes(Fingerprint.from_bytes(data)).tobytes()
    except UsageError:
        return b""


def _thinned(moments: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    if len(moments) <= most:
        return moments
    spread = np.linspace(0, len(moments) - 1, most).round().astype(np.int64)
    return np.asarray(moments[spread], np.int64)


def _different(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    flat = codes.reshape(-1, CODE_BYTES)
    return np.unique(flat, axis=0) if len(flat) else flat
