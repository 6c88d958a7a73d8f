"""Parts of a picture that are looked at alone: a picture askew on black, a picture in a picture.

A mark that was found in such a view is hardly seen in the whole picture, where its place and size
are others. So whoever asks when it is there, or whether it is there again, has to look the same
way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.robust.carrier import SHORT_SIDE
from vidigree.watermark.robust.frontend import Picture, residual_of, working_step
from vidigree.watermark.robust.inset import insets_of
from vidigree.watermark.robust.outline import BLACKS, corners_of, straightened
from vidigree.watermark.robust.stretches import Parts, Stretch, weighted_lumas

__all__ = ["View", "inset_views", "straight_views"]


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """What of a picture is looked at, and how it is laid straight.

    Attributes:
        source: Height and width of the frames in which it was found.
        corners: float32 (4, 2), as :func:`.outline.corners_of` returns them, of a picture askew;
            ``None`` of one whose borders run along rows and columns.
        inset: Rows and columns of such a one, at the working size.
    """

    source: tuple[int, int]
    corners: NDArray[np.float32] | None = None
    inset: tuple[slice, slice] = (slice(None), slice(None))

    def parts(self, stretches: Iterable[Stretch]) -> Parts:
        """Return residuals like :func:`.stretches.parts_of`; empty of frames of another size."""
        same = [stretch for stretch in stretches if stretch.source == self.source]
        return [(weight, self._picture(luma)) for weight, luma in weighted_lumas(same)]

    def _picture(self, luma: NDArray[np.float32]) -> Picture:
        if self.corners is None:
            cut = luma[self.inset]
            scale = SHORT_SIDE / min(cut.shape)
            size = (round(cut.shape[1] * scale), round(cut.shape[0] * scale))
            seen = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_CUBIC), np.float32)
            source = (cut.shape[0], cut.shape[1])
        else:
            seen, source = straightened(luma, self.corners), self.source
        residual = residual_of(seen)
        step = working_step(source, (residual.shape[0], residual.shape[1]))
        return Picture(residual=residual, step=step)


def straight_views(stretches: Sequence[Stretch]) -> Iterator[View]:
    """Yield a view of a picture that is shown askew on black, for each black that has another."""
    lumas = [luma for _, luma in weighted_lumas(stretches)]
    tried: list[NDArray[np.float32]] = []
    for black in BLACKS:
        corners = corners_of(lumas, black)
        if corners is None or any(np.abs(corners - other).max() < 1.0 for other in tried):
            continue
        tried.append(corners)
        yield View(source=stretches[0].source, corners=corners)


def inset_views(stretches: Sequence[Stretch]) -> Iterator[View]:
    """Yield a view of each picture that may be shown inside another."""
    for inset in insets_of([luma for _, luma in weighted_lumas(stretches)]):
        yield View(source=stretches[0].source, inset=inset)
