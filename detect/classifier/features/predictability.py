"""What parts and blurred, slowed or stilled copies of a clip cost, beside the clip itself.

A companion of ``compressibility``: there the encode is changed, here the picture.
"""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView
from vidigree.detect.classifier.features.encoding import (
    halved,
    plain_sizes,
    planar_frames,
    stream_sizes,
)

__all__ = ["Predictability"]

_COPIES = ("grey", "blurred", "far", "quarter", "precise")
_JPEG_QUALITIES = (30, 90)


class Predictability:
    """Logs of stream sizes of copies, of quarters of the picture, and of single frames."""

    name: ClassVar[str] = "predictability"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return the names of the statistics."""
        return (
            *(f"{copy}-{part}" for copy in _COPIES for part in ("key", "inter")),
            "still-inter",
            "halfway",
            *(f"quadrants-{part}" for part in ("key", "inter", "key-spread", "inter-spread")),
            *(f"jpeg-{q}-{part}" for q in _JPEG_QUALITIES for part in ("size", "jitter")),
            "jpeg-slope",
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 21 features, logs of ratios of bytes."""
        if not view.steady:
            return np.full(len(self.names()), np.nan, np.float32)
        frames = planar_frames(view)
        plain = plain_sizes(view)
        key, inter = float(np.log(plain[0])), float(np.log(plain[1:]).mean())
        values: list[float] = []
        for sizes in (
            stream_sizes([_grey(frame) for frame in frames]),
            stream_sizes([_blurred(frame) for frame in frames]),
            stream_sizes(frames[:: max(1, min(4, len(frames) // 2))]),
            stream_sizes([halved(halved(frame)) for frame in frames]),
            stream_sizes(frames[:6], 8),
        ):
            values += [float(np.log(sizes[0])) - key, float(np.log(sizes[1:]).mean()) - inter]
        still = np.mean(frames, axis=0).astype(np.uint8)
        values.append(float(np.log(stream_sizes([still, frames[-1]])[1])) - key)
        values.append(_halfway(frames))
        values += _quadrants(frames, key, inter)
        jpeg = [_jpeg(view.luma[::2], quality) for quality in _JPEG_QUALITIES]
        for sizes in jpeg:
            values += [float(sizes.mean()) - key, float(np.abs(np.diff(sizes)).mean())]
        values.append(float(jpeg[1].mean() - jpeg[0].mean()))
        return np.array(values, dtype=np.float32)


def _grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = frame.shape[1]
    grey = frame.copy()
    grey[side:] = 128
    return grey


def _blurred(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = frame.shape[1]
    soft = frame.copy()
    soft[:side] = cv2.GaussianBlur(frame[:side], (0, 0), 1.0)
    return soft


def _halfway(frames: list[NDArray[np.uint8]]) -> float:
    """Return the log cost of middle frames after the mean of their neighbours, over the usual.

    In steady motion the mean of the frames before and after is a poor stand-in; in a dissolve, or
    where a generator interpolates, it is a good one.
    """
    place = len(frames) // 2
    before, here, after = frames[place - 1], frames[place], frames[place + 1]
    mean = ((before.astype(np.uint16) + after) // 2).astype(np.uint8)
    guessed = stream_sizes([mean, here])[1]
    usual = stream_sizes([before, here])[1]
    return float(np.log(guessed / usual))


def _quadrants(frames: list[NDArray[np.uint8]], key: float, inter: float) -> list[float]:
    """Return how costs add up and spread over the four quarters of the picture."""
    side = frames[0].shape[1]
    half, quarter = side // 2, side // 4
    costs = []
    for row in (0, 1):
        for column in (0, 1):
            parts = []
            for frame in frames:
                rows, columns = (
                    slice(row * half, (row + 1) * half),
                    slice(column * half, (column + 1) * half),
                )
                chroma = frame[side:].reshape(2, half, half)[
                    :,
                    row * quarter : (row + 1) * quarter,
                    column * quarter : (column + 1) * quarter,
                ]
                parts.append(np.concatenate([frame[rows, columns], chroma.reshape(-1, half)]))
            sizes = stream_sizes(parts)
            costs.append((np.log(sizes[0]), np.log(sizes[1:]).mean()))
    table = np.array(costs)
    return [
        float(np.log(np.exp(table[:, 0]).sum())) - key,
        float(np.log(np.exp(table[:, 1]).sum())) - inter,
        float(table[:, 0].std()),
        float(table[:, 1].std()),
    ]


def _jpeg(luma: NDArray[np.float32], quality: int) -> NDArray[np.float64]:
    """Return the log bytes of each frame's luma as JPEG."""
    sizes = []
    for frame in luma:
        eight = np.clip(frame, 0, 255).astype(np.uint8)
        _, data = cv2.imencode(".jpg", eight, [cv2.IMWRITE_JPEG_QUALITY, quality])
        sizes.append(np.log(len(data)))
    return np.array(sizes)
