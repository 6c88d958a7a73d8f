"""What the picture costs an encoder, and how the cost answers to change: quality, order, distance.

The size of an H.264 stream is a rough upper bound on what is unpredictable in a clip. How it moves
when the quantiser is changed, the frames are run backwards, every other frame is left out or the
picture is halved depends on texture, noise and motion in ways that generators do not imitate.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, ClassVar, cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView

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
        planes = _planar(view)
        plain = _sizes(planes, 23)
        rows = {"plain": plain}
        for name, crf in _CRF.items():
            rows[name] = _sizes(planes, crf)
        rows["backwards"] = _sizes(planes[::-1], 23)
        rows["distant"] = _sizes(planes[::2], 23)
        rows["half"] = _sizes([_half(plane) for plane in planes], 23)
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


def _planar(view: DecodedView) -> list[NDArray[np.uint8]]:
    """Return frames as yuv420p planes stacked the way PyAV takes them, uint8 (3 H / 2, W)."""
    width = view.luma.shape[2]
    planes = []
    for luma, cb, cr in zip(view.luma, view.chroma[0], view.chroma[1], strict=True):
        parts = [luma, cb.reshape(-1, width), cr.reshape(-1, width)]
        planes.append(np.concatenate(parts).clip(0, 255).astype(np.uint8))
    return planes


def _half(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = plane.shape[1]
    luma = cv2.resize(plane[:side], (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    chroma = plane[side:].reshape(2, side // 2, side // 2)
    small = [
        cv2.resize(part, (side // 4, side // 4), interpolation=cv2.INTER_AREA).reshape(
            -1, side // 2
        )
        for part in chroma
    ]
    return np.concatenate([luma, *small])


def _sizes(planes: Sequence[NDArray[np.uint8]], crf: int) -> NDArray[np.float64]:
    """Return the bytes of each access unit, the first one a key frame."""
    encoder = cast("Any", av.CodecContext.create("libx264", "w"))
    encoder.width, encoder.height = planes[0].shape[1], planes[0].shape[0] * 2 // 3
    encoder.pix_fmt, encoder.framerate, encoder.time_base = "yuv420p", Fraction(8), Fraction(1, 8)
    encoder.gop_size, encoder.max_b_frames, encoder.thread_count = 16, 0, 1
    encoder.options = {
        "crf": str(crf),
        "preset": "veryfast",
        "x264-params": "keyint=16:min-keyint=16:scenecut=0:threads=1:log-level=none",
    }
    sizes: list[int] = []
    for index, plane in enumerate(planes):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(plane), format="yuv420p")
        frame.pts = index
        sizes += [packet.size for packet in encoder.encode(frame)]
    sizes += [packet.size for packet in encoder.encode(None)]
    return np.array(sizes, dtype=np.float64)
