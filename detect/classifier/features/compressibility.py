"""What the picture costs an encoder, and how the cost answers to a finer and a coarser quantiser.

The size of an H.264 stream is a rough upper bound on what is unpredictable in a clip. How it moves
when the quantiser is changed depends on texture, noise and motion in ways that generators do not
imitate.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView
from vidigree.detect.classifier.features.encoding import (
    plain_sizes,
    planar_frames,
    stream_sizes,
)

__all__ = ["Compressibility"]

_CRF = {"fine": 14, "coarse": 35}
_USUAL_KEY = 9.0
"""Log of the bytes of a usual key frame, taken off so that the number is of the order of one."""

_PARTS = ("key", "inter", "inter-spread", "inter-jump")


class Compressibility:
    """Logs of stream sizes as it is, finer and coarser; the last two relative to the first.

    Left out, since held-out origins were told no better with them: the frames backwards, every
    other frame, frames at half their size.
    """

    name: ClassVar[str] = "compressibility"
    version: ClassVar[int] = 2

    def names(self) -> tuple[str, ...]:
        """Return ``encode-part`` names."""
        return tuple(f"{encode}-{part}" for encode in ("plain", *_CRF) for part in _PARTS)

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 12 features, 4 for each encode."""
        if not view.steady:
            return np.full(len(self.names()), np.nan, np.float32)
        planes = planar_frames(view)
        plain = _parts(plain_sizes(view))
        values = [plain[0] - _USUAL_KEY, *plain[1:]]
        for crf in _CRF.values():
            changed = _parts(stream_sizes(planes, crf))
            values += [there - here for there, here in zip(changed, plain, strict=True)]
        return np.array(values, dtype=np.float32)


def _parts(sizes: NDArray[np.float64]) -> list[float]:
    """Return the log of the key frame, what the others cost beside it, how they differ and jump."""
    key, inter = float(np.log(sizes[0])), np.log(sizes[1:])
    return [
        key,
        float(inter.mean() - key),
        float(inter.std()),
        float(np.abs(np.diff(inter)).mean()) if len(inter) > 1 else 0.0,
    ]
