"""A perceptual fingerprint of a video: finds a clip again whose mark and credentials are gone.

Each half second of the clip becomes the mean of its frames' luma, 64 x 64, and from that the signs
of low DCT coefficients (the idea of Zauner 2010, "Implementation and benchmarking of perceptual
image hash functions", section 3.2.1). What differs: time is averaged before the transform, so that
frame rate and noise hardly matter; the fingerprint holds several central views of the picture, so
that a cropped copy finds the view it shows; and moments without structure are left out, because
their signs are noise.

A fingerprint is not a secret and not a proof: whoever wants to can make another clip with the same
one. It finds candidates; the manifest that is found says what was signed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import UsageError

__all__ = ["VIEWS", "Fingerprint", "fingerprint_frames", "is_current", "similarity"]

VIEWS = (1.0, 0.9, 0.8, 0.71)
"""Central parts of the picture that are hashed, as shares of each edge."""

BITS = 128
"""Bits per view and moment."""

_SIDE = 64
_STEP = Fraction(1, 2)
# A fingerprint stays below 17 kB: when it has this many moments, every second one is dropped.
_MAX_MOMENTS = 256
# Root mean square of the hashed coefficients, in grey levels: below this a picture is flat.
_FLAT = 1.5
_MAGIC = b"VFP1"
_HEADER = struct.Struct(">4sHHB")  # magic, number of moments, step in half seconds, views


@dataclass(frozen=True, eq=False, kw_only=True)
class Fingerprint:
    """Hashes over time.

    Attributes:
        bits: uint8 of shape (moments, views, BITS / 8), packed signs.
        structured: bool of shape (moments,): whether the moment had anything to hash.
        step: Seconds between moments: 1/2 times a power of two.
    """

    bits: NDArray[np.uint8]
    structured: NDArray[np.bool_]
    step: Fraction

    def to_bytes(self) -> bytes:
        """Return the fingerprint as bytes, at most about 17 kB."""
        moments, views, _ = self.bits.shape
        head = _HEADER.pack(_MAGIC, moments, int(self.step / _STEP), views)
        return head + np.packbits(self.structured).tobytes() + self.bits.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Fingerprint:
        """Read what :meth:`to_bytes` wrote.

        Raises:
            UsageError: The bytes are not a fingerprint of this version.
        """
        try:
            magic, moments, steps, views = _HEADER.unpack_from(data)
        except struct.error as error:
            raise UsageError("The fingerprint is too short to be one.") from error
        flags = (moments + 7) // 8
        size = moments * views * BITS // 8
        if magic != _MAGIC or views != len(VIEWS) or len(data) != _HEADER.size + flags + size:
            raise UsageError("These bytes are not a fingerprint of this version.")
        start = _HEADER.size
        structured = np.unpackbits(np.frombuffer(data, np.uint8, flags, start), count=moments)
        bits = np.frombuffer(data, np.uint8, size, start + flags)
        return cls(
            bits=bits.reshape(moments, views, BITS // 8),
            structured=structured.astype(bool),
            step=_STEP * max(1, steps),
        )

    @property
    def usable(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self.structured.any())


def is_current(data: bytes) -> bool:
    """Return whether these are the bytes of a fingerprint of this version."""
    try:
        Fingerprint.from_bytes(data)
    except UsageError:
        return False
    return True


def fingerprint_frames(frames: Iterable[NDArray[np.uint8]], fps: Fraction | float) -> Fingerprint:
    """Compute the fingerprint of a stream of frames, in constant memory.

    Args:
        frames: uint8 RGB frames of shape (H, W, 3), in display order.
        fps: Frames per second, above 0.

    Raises:
        UsageError: ``fps`` is not positive.
    """
    if fps <= 0:
        raise UsageError(f"Frames per second must be above 0, not {fps}.")
    step = _STEP
    sums: list[NDArray[np.float32]] = []
    counts: list[int] = []
    time = Fraction(0)
    duration = 1 / Fraction(fps).limit_denominator(1_000_000)
    for frame in frames:
        moment = int(time / step)
        if moment >= _MAX_MOMENTS:
            sums, counts, step = sums[::2], counts[::2], step * 2
            moment = int(time / step)
        while len(sums) <= moment:
            sums.append(np.zeros((len(VIEWS), _SIDE, _SIDE), np.float32))
            counts.append(0)
        # After thinning, a moment stands for the first half second of its step, as before.
        if time - moment * step < _STEP:
            sums[moment] += _views(frame)
            counts[moment] += 1
        time += duration
    return _assemble(sums, counts, step)


def similarity(one: Fingerprint, other: Fingerprint) -> float:
    """Say how alike two clips are, from 0 (unrelated) to 1 (the same), best alignment in time.

    It is ``1 - 2 * share of differing bits``, not below 0, over the moments that both have. A clip
    may be a part of the other one; at least half of the shorter one must overlap.
    """
    if not (one.usable and other.usable):
        return 0.0
    one, other = _same_step(one, other)
    best = 0.0
    # Either may be the cropped one: the whole of the one against every view of the other.
    for whole, viewed in ((one, other), (other, one)):
        for view in range(len(VIEWS)):
            distances = _pairwise(whole.bits[:, 0], viewed.bits[:, view])
            mask = whole.structured[:, None] & viewed.structured[None, :]
            best = max(best, _best_alignment(distances, mask))
    return best


def _views(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the central views of a frame, float32 luma of shape (views, 64, 64)."""
    height, width = frame.shape[:2]
    # Halving first keeps the cost of large frames down; area averaging commutes with it.
    luma = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    views = []
    for share in VIEWS:
        inset_y, inset_x = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
        part = luma[inset_y : height - inset_y, inset_x : width - inset_x]
        views.append(cv2.resize(part, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))
    return np.stack(views).astype(np.float32)


def _assemble(sums: list[NDArray[np.float32]], counts: list[int], step: Fraction) -> Fingerprint:
    moments = len(sums)
    bits = np.zeros((moments, len(VIEWS), BITS // 8), np.uint8)
    structured = np.zeros(moments, bool)
    for moment, (total, count) in enumerate(zip(sums, counts, strict=True)):
        if count == 0:
            continue
        for view in range(len(VIEWS)):
            coefficients = cv2.dct(total[view] / count)[_low_frequencies()]
            bits[moment, view] = np.packbits(coefficients > 0)
            if view == 0:
                # cv2.dct is orthonormal: a grey-level RMS of the picture divides by the side.
                energy = float(np.sqrt(np.sum(coefficients**2))) / _SIDE
                structured[moment] = energy >= _FLAT
    return Fingerprint(bits=bits, structured=structured, step=step)


@lru_cache(maxsize=1)
def _low_frequencies() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows and columns of the lowest BITS frequencies, the mean left out."""
    rows, columns = np.mgrid[0:_SIDE, 0:_SIDE]
    radius = (rows**2 + columns**2).ravel().astype(float)
    # Ties are broken by row, so that the order never depends on the sorting algorithm.
    order = np.lexsort((rows.ravel(), radius))[1 : BITS + 1]
    return rows.ravel()[order], columns.ravel()[order]


def _pairwise(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the share of differing bits of every moment of one with every moment of other."""
    a = np.unpackbits(one, axis=1).astype(np.float32) * 2 - 1
    b = np.unpackbits(other, axis=1).astype(np.float32) * 2 - 1
    return np.asarray((1 - a @ b.T / BITS) / 2, np.float32)


def _best_alignment(distances: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Return the best similarity over all shifts in time with enough overlap."""
    shorter = min(distances.shape)
    needed = max(1, shorter // 2)
    best = 0.0
    for shift in range(-distances.shape[0] + 1, distances.shape[1]):
        usable = np.diagonal(mask, shift)
        if usable.size >= needed and usable.any():
            # A match on a single moment of many says little: unusable moments count as unrelated.
            share = float(np.mean(np.diagonal(distances, shift)[usable]))
            weight = min(1.0, usable.sum() / needed)
            best = max(best, weight * (1 - 2 * share))
    return best


def _same_step(one: Fingerprint, other: Fingerprint) -> tuple[Fingerprint, Fingerprint]:
    """Thin the finer one until both have the same step."""
    while one.step < other.step:
        one = _thinned(one)
    while other.step < one.step:
        other = _thinned(other)
    return one, other


def _thinned(fingerprint: Fingerprint) -> Fingerprint:
    return Fingerprint(
        bits=fingerprint.bits[::2],
        structured=fingerprint.structured[::2],
        step=fingerprint.step * 2,
    )
