"""What a picture is like before canonicalisation: is it of a kind the classifier was trained on?

Measured on the decoded source pixels. None of this is a feature: it decides whether the classifier
answers, and which real clips its threshold is taken from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Quality", "is_blank", "mean_quality", "measure_quality", "outside_range"]

_LARGEST = 512
"""Side of the central part that is measured, in source pixels; nothing is resized."""

_FLAT_RANGE = 2
_STILL_RANGE = 1
_BLANK_RANGE = 8
_STRONG_EDGE = 48.0
_BLOCK = 8
_COVERED = 0.9

# Where the ranges end. Each was set so that at most one real training clip in a hundred is outside
# it; `evaluate` prints how many are, and how many made drawings, screens and hard encodes.
_DRAWN_FLAT = 0.6
_DRAWN_COLOURS = 24
_DRAWN_SHARPNESS = 0.1
_SCREEN_STILL = 0.85
_SCREEN_SHARPNESS = 0.5
# A still camera before straight lines, as in drawn floors, comes to 1.25 without hard encoding.
_COMPRESSED_BLOCKINESS = 1.35
_COMPRESSED_STILL = 0.65


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Measures of a few frames of a clip, each a mean over them.

    Attributes:
        flat: Share of 8 x 8 blocks whose luma stays within 2 levels, [0, 1]. Drawings, screens.
        colours: Colours of 4 bits a channel that cover nine tenths of the picture, 1 to 4096.
        sharpness: Share of the strong edges whose whole step lies between two neighbours, [0, 1].
            Drawn edges are steps; lenses, sensors and scalers spread them.
        still: Share of blocks with texture that are unchanged, to a level, since the frame
            before, [0, 1]. Screens.
        smooth: Share of blocks without any fine detail left, [0, 1]: compressed away, enlarged,
            or out of focus.
        blockiness: Steps across the 8 x 8 grid over steps elsewhere, 1 for none.
    """

    flat: float
    colours: float
    sharpness: float
    still: float
    smooth: float
    blockiness: float

    def to_dict(self) -> dict[str, float]:
        """Return the measures as JSON values."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def mean_quality(parts: Sequence[Quality]) -> Quality:
    """Return the mean of each measure; at least one part."""
    means = np.mean([astuple(part) for part in parts], axis=0)
    names = [field.name for field in fields(Quality)]
    return Quality(**dict(zip(names, means.tolist(), strict=True)))


def outside_range(quality: Quality) -> str:
    """Return why pictures like these cannot be judged, a code of ABSTENTIONS; empty if they can.

    Args:
        quality: Measures of a clip, by :func:`mean_quality`.
    """
    if (
        quality.flat >= _DRAWN_FLAT
        and quality.colours <= _DRAWN_COLOURS
        and quality.sharpness >= _DRAWN_SHARPNESS
    ):
        return "drawing"
    if quality.still >= _SCREEN_STILL and quality.sharpness >= _SCREEN_SHARPNESS:
        return "screen"
    # Encoders that run out of bits repeat blocks instead of coding them, and the grid shows.
    if quality.blockiness >= _COMPRESSED_BLOCKINESS and quality.still >= _COMPRESSED_STILL:
        return "too-compressed"
    return ""


def is_blank(image: NDArray[np.uint8]) -> bool:
    """Say whether a uint8 RGB picture (H, W, 3) is black or of another single luma, but for 2 %."""
    darkest, lightest = np.percentile(cv2.cvtColor(_centre(image), cv2.COLOR_RGB2GRAY), (1, 99))
    return bool(lightest - darkest <= _BLANK_RANGE)


def measure_quality(images: Sequence[NDArray[np.uint8]]) -> Quality:
    """Measure successive frames of one window.

    Args:
        images: uint8 RGB frames of one shape (H, W, 3), at least two; the first, middle and last
            neighbours are looked at.
    """
    places = sorted({1, len(images) // 2, len(images) - 1} - {0})
    return mean_quality([_measured(images[i], images[i - 1]) for i in places])


def _measured(image: NDArray[np.uint8], before: NDArray[np.uint8]) -> Quality:
    centre, previous = _centre(image), _centre(before)
    luma = cv2.cvtColor(centre, cv2.COLOR_RGB2GRAY).astype(np.int16)
    change = np.abs(luma - cv2.cvtColor(previous, cv2.COLOR_RGB2GRAY).astype(np.int16))
    blocks = _blocks(luma)
    spread = _largest(blocks) + _largest(-blocks)
    flat = spread <= _FLAT_RANGE
    unchanged = _largest(_blocks(change)) <= _STILL_RANGE
    textured = ~flat
    return Quality(
        flat=float(flat.mean()),
        colours=_colours(centre),
        sharpness=_sharpness(luma),
        still=float(unchanged[textured].mean()) if textured.any() else 1.0,
        smooth=_smooth(blocks),
        blockiness=_blockiness(luma),
    )


def _centre(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the central part, on the 8 x 8 grid of the frame."""
    height, width = (side // _BLOCK * _BLOCK for side in image.shape[:2])
    rows, columns = min(height, _LARGEST), min(width, _LARGEST)
    top = (height - rows) // 2 // _BLOCK * _BLOCK
    left = (width - columns) // 2 // _BLOCK * _BLOCK
    return image[top : top + rows, left : left + columns]


def _blocks(plane: NDArray[np.int16]) -> NDArray[np.int16]:
    height, width = plane.shape
    return plane.reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)


def _largest(blocks: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return the largest value of each block; one axis after the other is many times faster."""
    return np.asarray(blocks.max(axis=1).max(axis=2))


def _colours(image: NDArray[np.uint8]) -> float:
    # OpenCV counts six times as fast as NumPy, exactly up to 2^24 pixels.
    counts = cv2.calcHist([image], [0, 1, 2], None, [16] * 3, [0, 256] * 3).astype(np.int64)
    reached = np.cumsum(np.sort(counts.ravel())[::-1]) / counts.sum()
    return float(np.searchsorted(reached, _COVERED) + 1)


def _sharpness(luma: NDArray[np.int16]) -> float:
    """Compare, at strong edges along rows and columns, the step with that of five pixels."""
    shares, weights = [], []
    for plane in (luma, luma.T):
        near = np.abs(plane[:, 3:-2] - plane[:, 2:-3])
        far = np.abs(plane[:, 5:] - plane[:, :-5])
        strong = (
            (far > _STRONG_EDGE)
            & (4 * near > far)
            & (near >= np.abs(plane[:, 4:-1] - plane[:, 3:-2]))
        )
        strong &= near >= np.abs(plane[:, 2:-3] - plane[:, 1:-4])
        if strong.any():
            shares.append(float((near[strong] > 0.75 * far[strong]).mean()))
            weights.append(int(strong.sum()))
    return float(np.average(shares, weights=weights)) if shares else 0.0


def _smooth(blocks: NDArray[np.int16]) -> float:
    """Return the share of blocks whose second differences stay within one level."""
    rows = _largest(np.abs(blocks[:, 2:] - 2 * blocks[:, 1:-1] + blocks[:, :-2]))
    columns = _largest(np.abs(blocks[..., 2:] - 2 * blocks[..., 1:-1] + blocks[..., :-2]))
    return float((np.maximum(rows, columns) <= 2).mean())


def _blockiness(luma: NDArray[np.int16]) -> float:
    ratios = []
    for plane in (luma, luma.T):
        steps = np.abs(np.diff(plane, axis=1)).mean(axis=0)
        edge = np.arange(len(steps)) % _BLOCK == _BLOCK - 1
        ratios.append((steps[edge].mean() + 0.05) / (steps[~edge].mean() + 0.05))
    return float(np.mean(ratios))
