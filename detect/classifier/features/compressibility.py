"""What the picture costs an encoder, and how the cost answers to change: quality, order, distance.

The size of an H.264 stream is a rough upper bound on what is unpredictable in a clip. How it moves
when the quantiser is changed, the frames are run backwards, every other frame is left out or the
picture is halved depends on texture, noise and motion in ways that generators do not imitate.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView
from vidigree.detect.classifier.features.encoding import (
    halved,
    plain_sizes,
    planar_frames,
    stream_sizes,
)

__all__ = ["Compressibility"]

_ENCODES = ("plain", "fine", "coarse", "backwards", "distant", "half")
_CRF = {"fine": 14, "coarse": 35}
_PARTS = ("key", "inter", "inter-spread", "inter-jump")


class Compressibility:
    """Logs of stream sizes under six encodes, relative to the plain one."""

    name: ClassVar[str] = "compressibility"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return ``encode-part`` names."""
        return (
            *(f"{encode}-{part}" for encode in _ENCODES for part in _PARTS),
            "inter-cost-correlation",
            "arrow",
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 26 features: 4 for each encode, and two on the order of frames."""
        if not view.steady:
            return np.full(len(self.names()), np.nan, np.float32)
        planes = planar_frames(view)
        plain = plain_sizes(view)
        rows = {"plain": plain}
        for name, crf in _CRF.items():
            rows[name] = stream_sizes(planes, crf)
        rows["backwards"] = stream_sizes(planes[::-1])
        rows["distant"] = stream_sizes(planes[::2])
        rows["half"] = stream_sizes([halved(plane) for plane in planes])
        values: list[float] = []
        for name in _ENCODES:
            values += _parts(rows[name], None if name == "plain" else plain)
        forth, back = np.log(plain[1:]), np.log(rows["backwards"][1:][::-1])
        values.append(_correlation(forth, back))
        values.append(float(np.abs(forth - back).mean()))
        return np.array(values, dtype=np.float32)


def _parts(sizes: NDArray[np.float64], plain: NDArray[np.float64] | None) -> list[float]:
    inter = np.log(sizes[1:])
    row = [
        float(np.log(sizes[0])),
        float(inter.mean() - np.log(sizes[0])),
        float(inter.std()),
        float(np.abs(np.diff(inter)).mean()) if len(inter) > 1 else 0.0,
    ]
    if plain is None:
        row[0] -= 9.0  # about the mean, so that the number is of the order of one
        return row
    return [value - base for value, base in zip(row, _plain_row(plain), strict=True)]


def _plain_row(plain: NDArray[np.float64]) -> list[float]:
    row = _parts(plain, None)
    row[0] += 9.0
    return row


def _correlation(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    spread = left.std() * right.std()
    covariance = ((left - left.mean()) * (right - right.mean())).mean()
    return float(covariance / (spread + 1e-3))
