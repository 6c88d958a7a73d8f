"""Stream sizes of changed copies of a view, the raw material of the cost features."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView

__all__ = ["halved", "plain_sizes", "planar_frames", "stream_sizes"]

_PLAIN_CRF = 23
"""Constant rate factor of the encode that the others are compared with."""

_PLAIN = "plain-sizes"


def planar_frames(view: DecodedView) -> list[NDArray[np.uint8]]:
    """Return frames as yuv420p planes stacked the way PyAV takes them, uint8 (3 H / 2, W)."""
    width = view.luma.shape[2]
    frames = []
    for luma, cb, cr in zip(view.luma, view.chroma[0], view.chroma[1], strict=True):
        parts = [luma, cb.reshape(-1, width), cr.reshape(-1, width)]
        frames.append(np.concatenate(parts).clip(0, 255).astype(np.uint8))
    return frames


def halved(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a square planar frame at half its size."""
    side = frame.shape[1]
    luma = cv2.resize(frame[:side], (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    chroma = [
        cv2.resize(plane, (side // 4, side // 4), interpolation=cv2.INTER_AREA).reshape(
            -1, side // 2
        )
        for plane in frame[side:].reshape(2, side // 2, side // 2)
    ]
    return np.concatenate([luma, *chroma])


def plain_sizes(view: DecodedView) -> NDArray[np.float64]:
    """Return the bytes of each access unit of a view as it is; see :func:`stream_sizes`.

    Several groups compare with it, so it is made once for a view.
    """
    if _PLAIN not in view.shared:
        view.shared[_PLAIN] = stream_sizes(planar_frames(view))
    return cast("NDArray[np.float64]", view.shared[_PLAIN])


def stream_sizes(frames: Sequence[NDArray[np.uint8]], crf: int = _PLAIN_CRF) -> NDArray[np.float64]:
    """Encode planar frames as H.264 and return the bytes of each access unit.

    Args:
        frames: Frames as by :func:`planar_frames`; the first becomes the only key frame.
        crf: Constant rate factor.
    """
    interval = max(16, len(frames))
    encoder = cast("Any", av.CodecContext.create("libx264", "w"))
    encoder.width, encoder.height = frames[0].shape[1], frames[0].shape[0] * 2 // 3
    encoder.pix_fmt, encoder.framerate, encoder.time_base = "yuv420p", Fraction(8), Fraction(1, 8)
    encoder.gop_size, encoder.max_b_frames, encoder.thread_count = interval, 0, 1
    encoder.options = {
        "crf": str(crf),
        "preset": "veryfast",
        "x264-params": f"keyint={interval}:min-keyint={interval}:scenecut=0:threads=1:"
        "log-level=none",
    }
    sizes: list[int] = []
    for index, plane in enumerate(frames):
        # Not copied here: the encoder does.
        frame = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(plane), format="yuv420p")
        frame.pts = index
        sizes += [packet.size for packet in encoder.encode(frame)]
    sizes += [packet.size for packet in encoder.encode(None)]
    return np.array(sizes, dtype=np.float64)
