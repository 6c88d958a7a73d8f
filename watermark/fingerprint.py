"""A perceptual fingerprint of a video: finds a clip again whose mark and credentials are gone.

Each half second of the clip becomes the mean of its frames' luma, and from that the signs of low
DCT coefficients (the idea of Zauner 2010, "Implementation and benchmarking of perceptual image
hash functions", section 3.2.1). What differs: time is averaged before the transform, so that frame
rate and noise hardly matter; the fingerprint holds several views of the picture, so that a cropped
copy finds the view that it shows; black bars are cut off in a view of their own; and moments
without structure are left out, because their signs are noise.

A fingerprint is not a secret and not a proof: whoever wants to can make another clip with the same
one. It finds candidates; the manifest that is found says what was signed.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import UsageError
from vidigree.media.frame import Frame
from vidigree.media.reading import open_video
from vidigree.watermark.alignment import best_alignment, distances
from vidigree.watermark.dct_signs import BITS, SIDE, coefficients_of, low_frequencies
from vidigree.watermark.shrinking import halved

__all__ = [
    "BITS",
    "VIEWS",
    "WHOLES",
    "Fingerprint",
    "Fingerprinter",
    "fingerprint_frames",
    "fingerprint_video",
    "is_current",
    "similarity",
    "similarity_to_parts",
]

VIEWS: tuple[tuple[float, float, float], ...] = (
    (1.0, 0.5, 0.5),
    (1.0, 0.5, 0.5),
    *((share, 0.5, 0.5) for share in (0.9, 0.8, 0.71, 0.63, 0.55)),
    *((0.92, y, x) for y in (0.1, 0.9) for x in (0.1, 0.9)),
    *((0.83, y, x) for y in (0.1, 0.9) for x in (0.1, 0.9)),
    *((0.71, y, x) for y in (0.08, 0.92) for x in (0.08, 0.92)),
)
"""Parts of the picture that are hashed: share of each edge, and where the part lies from top to
bottom and from left to right, 0 to 1. The first two are the whole, the second without black bars.
"""

WHOLES = 2
"""How many of the views are the whole picture."""

_PICTURE = 192  # pixels at each edge of a moment's mean picture; views are cut from it
_STEP = Fraction(1, 2)
_LOOKED_AT = 15.0  # frames a second
# A fingerprint stays below 39 kB: when it has this many moments, every second one is dropped.
_MAX_MOMENTS = 128
# Root mean square of the hashed coefficients, in grey levels: below this a picture is flat.
_FLAT = 1.5
# Rows and columns whose bright end is darker than this in every moment are black bars, as long as
# they leave enough of the picture.
_BLACK = 24
_LEAST_CONTENT = 0.2
_MAGIC = b"VFP2"
_HEADER = struct.Struct(">4sHHB")  # magic, number of moments, step in half seconds, views
_LONGEST_STEP = 0xFFFF * _STEP
_ROUNDED = 1e-3  # seconds; some containers know times no better


@dataclass(frozen=True, eq=False, kw_only=True)
class Fingerprint:
    """Hashes over time.

    Attributes:
        bits: uint8 of shape (moments, views, BITS / 8), packed signs.
        structured: bool of shape (moments,): whether the moment had anything to hash.
        step: Seconds between moments: 1/2 times a power of two, at the average frame rate.
        begins: When each moment begins by the frames' own times, in seconds from the first frame;
            empty where they are not known, as of a fingerprint that was kept.
    """

    bits: NDArray[np.uint8]
    structured: NDArray[np.bool_]
    step: Fraction
    begins: tuple[float, ...] = ()

    def to_bytes(self) -> bytes:
        """Return the fingerprint as bytes, at most 39 kB.

        Raises:
            UsageError: The clip is longer than 24 days, of which the bytes cannot tell.
        """
        moments, views, _ = self.bits.shape
        if self.step > _LONGEST_STEP:
            raise UsageError("The clip is too long for a fingerprint to be kept.")
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
        known = magic == _MAGIC and views == len(VIEWS) and moments <= _MAX_MOMENTS
        if not known or len(data) != _HEADER.size + flags + size:
            raise UsageError("These bytes are not a fingerprint of this version.")
        start = _HEADER.size
        structured = np.unpackbits(np.frombuffer(data, np.uint8, flags, start), count=moments)
        bits = np.frombuffer(data, np.uint8, size, start + flags)
        return cls(
            bits=bits.reshape(moments, views, BITS // 8),
            structured=structured.astype(bool),
            step=_STEP * max(1, steps),
        )

    def mirrored(self) -> Fingerprint:
        """Return the fingerprint of the clip seen in a mirror, exactly."""
        odd = np.packbits(low_frequencies()[1] % 2 == 1)
        # A mirror negates the odd horizontal frequencies and swaps left with right.
        order = [VIEWS.index((share, y, round(1 - x, 2))) for share, y, x in VIEWS]
        order[:WHOLES] = range(WHOLES)
        return replace(self, bits=self.bits[:, order] ^ odd)

    def negative(self) -> Fingerprint:
        """Return the fingerprint of the clip's negative, exactly but for signs of nothing."""
        return replace(self, bits=~self.bits)

    def ways(self) -> tuple[Fingerprint, ...]:
        """Return it as it is, in a mirror, as a negative, and as a negative in a mirror.

        Whoever wants to hide a clip makes such copies at no cost, and they look the same to codecs.
        """
        mirrored = self.mirrored()
        return self, mirrored, self.negative(), mirrored.negative()

    def between(self, start: float, end: float) -> Fingerprint:
        """Return the part between two times in seconds, the moments that lie whole in it.

        At least one moment is kept, where there is one.

        Args:
            start: Seconds from the first frame, by the frames' own times where they are known.
            end: Likewise, exclusive.
        """
        count, step = len(self.structured), float(self.step)
        begins = self.begins or tuple(moment * step for moment in range(count))
        ends = (*begins[1:], *(begun + step for begun in begins[-1:]))
        first = min(bisect_left(begins, start - _ROUNDED), max(0, count - 1))
        last = max(first + 1, bisect_right(ends, end + _ROUNDED))
        return replace(
            self,
            bits=self.bits[first:last],
            structured=self.structured[first:last],
            begins=self.begins[first:last],
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


class Fingerprinter:
    """Makes a fingerprint of frames that it is given one by one, in constant memory.

    At most about 15 frames of each second are looked at, evenly spaced; of the others not even the
    luma is asked for. Which ones depends on the frame rate alone, so that two who look at the same
    file see the same.

    Args:
        fps: Frames per second, above 0.

    Raises:
        UsageError: ``fps`` is not positive.
    """

    def __init__(self, fps: Fraction | float) -> None:
        if fps <= 0:
            raise UsageError(f"Frames per second must be above 0, not {fps}.")
        exact = Fraction(fps)
        self._duration = 1 / (exact.limit_denominator(1_000_000) or exact)
        self._stride = max(1, round(float(fps) / _LOOKED_AT))
        self._step = _STEP
        self._sums: list[NDArray[np.float32]] = []
        self._counts: list[int] = []
        self._begins: list[float] = []
        self._seen = 0
        self._origin = Fraction(0)
        # Of the last frame looked at, by the frame rate and its own.
        self._before = (Fraction(0), Fraction(0))

    def feed(self, frame: Frame) -> None:
        """Take the next frame, in display order."""
        index, self._seen = self._seen, self._seen + 1
        if index % self._stride:
            return
        time = index * self._duration
        moment = int(time / self._step)
        # One frame may lie hours after the one before.
        while moment >= _MAX_MOMENTS:
            self._sums, self._counts = self._sums[::2], self._counts[::2]
            self._begins = self._begins[::2]
            self._step *= 2
            moment = int(time / self._step)
        if not index:
            self._origin = frame.time
        self._begin(moment, time, frame.time - self._origin)
        # After thinning, a moment stands for the first half second of its step, as before.
        if time - moment * self._step < _STEP:
            self._sums[moment] += _picture(frame.luma)
            self._counts[moment] += 1

    def _begin(self, moment: int, time: Fraction, shown: Fraction) -> None:
        """Begin moments until there is this one.

        Args:
            moment: Which one.
            time: Of the frame that is in it, by the frame rate.
            shown: The same by the frame's own time.
        """
        last, last_shown = self._before
        while len(self._sums) <= moment:
            share = (len(self._sums) * self._step - last) / ((time - last) or 1)
            self._begins.append(float(last_shown + share * (shown - last_shown)))
            self._sums.append(np.zeros((_PICTURE, _PICTURE), np.float32))
            self._counts.append(0)
        self._before = (time, shown)

    def finish(self) -> Fingerprint:
        """Return the fingerprint of what was given."""
        means = [
            total / np.float32(count) if count else None
            for total, count in zip(self._sums, self._counts, strict=True)
        ]
        return replace(_assemble(means, self._step), begins=tuple(self._begins))


def fingerprint_video(path: Path | str) -> Fingerprint:
    """Compute the fingerprint of a file.

    Raises:
        MediaError: The file cannot be read.
    """
    with open_video(path) as video:
        builder = Fingerprinter(video.info.fps)
        for frame in video:
            builder.feed(frame)
    return builder.finish()


def fingerprint_frames(frames: Iterable[NDArray[np.uint8]], fps: Fraction | float) -> Fingerprint:
    """Compute the fingerprint of a stream of pictures, in constant memory.

    Args:
        frames: uint8 RGB frames of shape (H, W, 3), in display order.
        fps: Frames per second, above 0.

    Raises:
        UsageError: ``fps`` is not positive.
    """
    builder = Fingerprinter(fps)
    for number, image in enumerate(frames):
        builder.feed(Frame(image=image, time=number / Fraction(fps)))
    return builder.finish()


def similarity(one: Fingerprint, other: Fingerprint) -> float:
    """Say how alike two clips are, from 0 (unrelated) to 1 (the same), best alignment in time.

    It is ``1 - 2 * share of differing bits``, not below 0, over the moments that both have. A clip
    may be a part of the other one; at least half of the shorter one must overlap.
    """
    if not (one.usable and other.usable):
        return 0.0
    # Either may be the cropped one: its whole against every view of the other.
    return max(similarity_to_parts(one, other), similarity_to_parts(other, one))


def similarity_to_parts(part: Fingerprint, whole: Fingerprint) -> float:
    """Say how alike one clip's whole picture is to what another one shows in any of its views.

    Args:
        part: Usable fingerprint of what may be a part.
        whole: Usable fingerprint; its bits may have any number of views.

    Returns:
        Like :func:`similarity`.
    """
    part, whole = _same_step(part, whole)
    mask = part.structured[:, None] & whole.structured[None, :]
    return best_alignment(distances(part.bits[:, :WHOLES], whole.bits), mask)


def _picture(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return luma as a small square picture, whatever its shape."""
    size = (_PICTURE, _PICTURE)
    small = cv2.resize(halved(luma, _PICTURE), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _assemble(means: list[NDArray[np.float32] | None], step: Fraction) -> Fingerprint:
    bits = np.zeros((len(means), len(VIEWS), BITS // 8), np.uint8)
    structured = np.zeros(len(means), bool)
    content = _content([mean for mean in means if mean is not None])
    for moment, mean in enumerate(means):
        if mean is None:
            continue
        for view, part in enumerate(VIEWS):
            coefficients = coefficients_of(mean[content] if view == 1 else _part(mean, *part))
            bits[moment, view] = np.packbits(coefficients > 0)
            if view == 0:
                # cv2.dct is orthonormal: a grey-level RMS of the picture divides by the side.
                energy = float(np.sqrt(np.sum(coefficients**2))) / SIDE
                structured[moment] = energy >= _FLAT
    return Fingerprint(bits=bits, structured=structured, step=step)


def _content(means: list[NDArray[np.float32]]) -> tuple[slice, slice]:
    """Return the rows and columns between black bars, which must be black all the time."""
    if not means:
        return slice(None), slice(None)
    brightest = np.max(means, axis=0)
    return _bright(np.percentile(brightest, 98, axis=1)), _bright(np.percentile(brightest, 98, 0))


def _bright(levels: NDArray[np.floating]) -> slice:
    bright = np.flatnonzero(levels >= _BLACK)
    if bright.size < _LEAST_CONTENT * levels.size:
        return slice(None)
    # One more line at each end: the edge of a bar is smeared by resizing and coding.
    first, last = int(bright[0]), int(bright[-1]) + 1
    return slice(first + (first > 0), last - (last < levels.size))


def _part(picture: NDArray[np.float32], share: float, y: float, x: float) -> NDArray[np.float32]:
    size = round(_PICTURE * share)
    top, left = round((_PICTURE - size) * y), round((_PICTURE - size) * x)
    return picture[top : top + size, left : left + size]


def _same_step(one: Fingerprint, other: Fingerprint) -> tuple[Fingerprint, Fingerprint]:
    """Thin the finer one until both have the same step."""
    while one.step < other.step:
        one = _thinned(one)
    while other.step < one.step:
        other = _thinned(other)
    return one, other


def _thinned(fingerprint: Fingerprint) -> Fingerprint:
    return replace(
        fingerprint,
        bits=fingerprint.bits[::2],
        structured=fingerprint.structured[::2],
        step=fingerprint.step * 2,
        begins=fingerprint.begins[::2],
    )
