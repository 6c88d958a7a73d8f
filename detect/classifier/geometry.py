"""Space: bars trimmed, the centre kept, two square views of fixed size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LARGEST_SHORT_SIDE",
    "VIEWS",
    "VIEW_SIZE",
    "Box",
    "bounded",
    "centre_box",
    "content_box",
    "view",
]

VIEW_SIZE = 256
"""Side of every view, in pixels."""

VIEWS = ("resized", "native")
"""``resized``: short side brought to VIEW_SIZE. ``native``: pixels as they are, where enough."""

LARGEST_SHORT_SIDE = 1080
"""Larger pictures are reduced to this before anything else, so that memory stays bounded."""

_CENTRE = 0.8
"""Part of each side that is kept; logos and captions sit in the rest."""

_FLAT_LEVELS = 3.0
"""A row or column whose luma spreads less than this (standard deviation, 0-255) is a bar."""

_STRIP = 8
"""Lines that are looked at together in search of a bar's end."""

_LARGEST_BAR = 0.3
"""Largest part of a side that is taken for a bar; a dark scene is not cut to nothing."""


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels, the ends exclusive."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def short_side(self) -> int:
        """Length of the shorter side in pixels."""
        return min(self.bottom - self.top, self.right - self.left)

    def cut(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the part of an (H, W, ...) image inside the box, not copied."""
        return image[self.top : self.bottom, self.left : self.right]


def bounded(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the image, reduced if its short side is above LARGEST_SHORT_SIDE."""
    height, width = image.shape[:2]
    if min(height, width) <= LARGEST_SHORT_SIDE:
        return image
    factor = LARGEST_SHORT_SIDE / min(height, width)
    size = (round(width * factor), round(height * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def content_box(images: Sequence[NDArray[np.uint8]]) -> Box:
    """Find what is left when bars of one colour are trimmed at the four edges.

    Args:
        images: uint8 RGB frames of one shape (H, W, 3); a bar is a bar in all of them.
    """
    height, width = images[0].shape[:2]
    top, bottom = _edges(images, height)
    left, right = _edges([image[top:bottom].swapaxes(0, 1) for image in images], width)
    return Box(top, bottom, left, right)


def _edges(images: Sequence[NDArray[np.uint8]], length: int) -> tuple[int, int]:
    """Return where the bars across the first axis stop, at both ends of it.

    None where they would be implausibly wide.
    """
    start = _bar(images)
    if start == length:
        return 0, length
    stop = length - _bar([image[::-1] for image in images])
    limit = _LARGEST_BAR * length
    return (start if start <= limit else 0), (stop if length - stop <= limit else length)


def _bar(images: Sequence[NDArray[np.uint8]]) -> int:
    """Return how many lines along the first axis are flat before the first that is not.

    Looked at are a few lines at a time: most clips have no bars, and the rest is of no interest.
    """
    length = len(images[0])
    for begin in range(0, length, _STRIP):
        strips = [image[begin : begin + _STRIP] for image in images]
        busy = np.flatnonzero(_line_spread(strips) >= _FLAT_LEVELS)
        if busy.size:
            return begin + int(busy[0])
    return length


def _line_spread(strips: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """Return the standard deviation of the luma of each line over all pictures, float64 (lines,).

    Sums of whole numbers are exact.
    """
    lumas = [
        cv2.cvtColor(np.ascontiguousarray(strip), cv2.COLOR_RGB2GRAY).astype(np.int64)
        for strip in strips
    ]
    count = lumas[0].shape[1] * len(lumas)
    total = np.sum([luma.sum(axis=1) for luma in lumas], axis=0)
    squares = np.sum([(luma**2).sum(axis=1) for luma in lumas], axis=0)
    return np.asarray(np.sqrt(np.maximum(squares / count - (total / count) ** 2, 0)))


def centre_box(box: Box) -> Box:
    """Return the central part of a box, _CENTRE of each side."""
    rows = round((box.bottom - box.top) * (1 - _CENTRE) / 2)
    columns = round((box.right - box.left) * (1 - _CENTRE) / 2)
    return Box(box.top + rows, box.bottom - rows, box.left + columns, box.right - columns)


def view(image: NDArray[np.uint8], box: Box, kind: str) -> NDArray[np.uint8]:
    """Return one square view of a frame.

    Args:
        image: uint8 RGB frame (H, W, 3).
        box: The part to look at.
        kind: One of VIEWS. ``native`` falls back to ``resized`` where the box is too small for
            it: a missing view would tell the size of the source, which is no trace of synthesis.

    Returns:
        uint8 RGB of shape (VIEW_SIZE, VIEW_SIZE, 3).
    """
    content = box.cut(image)
    short = box.short_side
    if kind == "native" and short >= VIEW_SIZE:
        size = (content.shape[1], content.shape[0])
    else:
        factor = VIEW_SIZE / short
        size = (
            max(VIEW_SIZE, round(content.shape[1] * factor)),
            max(VIEW_SIZE, round(content.shape[0] * factor)),
        )
        if factor < 1:
            content = _shrunk(content, size)
        else:
            large = cv2.resize(content, size, interpolation=cv2.INTER_CUBIC)
            content = np.asarray(large, dtype=np.uint8)
    left, top = _corner(size)
    return np.ascontiguousarray(content[top : top + VIEW_SIZE, left : left + VIEW_SIZE])


def _corner(size: tuple[int, int]) -> tuple[int, int]:
    """Return where the middle square of a picture of this width and height begins."""
    return (size[0] - VIEW_SIZE) // 2, (size[1] - VIEW_SIZE) // 2


def _shrunk(content: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture shrunk to a width and height, all of it up to the end of its middle square.

    What lies right of that or below is left out: the sums over areas go from the upper left corner
    on, so that with the same factors the rest is the same to the last bit.
    """
    sides = (content.shape[1], content.shape[0])
    factors = [small / large for small, large in zip(size, sides, strict=True)]
    width, height = (
        min(large, math.ceil((begin + VIEW_SIZE) / factor))
        for large, begin, factor in zip(sides, _corner(size), factors, strict=True)
    )
    part = cv2.resize(
        content[:height, :width],
        (0, 0),
        fx=factors[0],
        fy=factors[1],
        interpolation=cv2.INTER_AREA,
    )
    return np.asarray(part, dtype=np.uint8)
