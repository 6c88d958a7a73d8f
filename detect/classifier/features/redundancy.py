"""What neighbouring frames tell of each other, by what an encoder saves.

A companion of ``compressibility``: there the encode is changed or the frames left out, here the
encoder gets more to predict from, or frames that are made of their neighbours.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView
from vidigree.detect.classifier.features.encoding import planar_frames, stream_sizes

__all__ = ["Redundancy"]

_REFERENCES = 6
_PRECISE = 8
"""Constant rate factor at which hardly anything is lost, noise included."""

_COPIES = ("remembered", "precise", "median")
_PARTS = ("key", "inter", "inter-spread")


class Redundancy:
    """Logs of stream sizes: with a long memory, hardly any loss, of medians, with halfway frames.

    Left out, since held-out origins were told no better with them: averages of two and three
    frames, frames in random order, B-frames, other memories and quantisers, one colour plane,
    blurred and halved frames, H.265, JPEG sizes of frames and differences.
    """

    name: ClassVar[str] = "redundancy"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return the names of the statistics."""
        return (
            *(f"{copy}-{part}" for copy in _COPIES for part in _PARTS),
            "halfway-made",
            "halfway-true",
            "steadiness",
            "range",
            "trend",
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 14 features, logs of ratios of bytes."""
        if not view.steady:
            return np.full(len(self.names()), np.nan, np.float32)
        frames = planar_frames(view)
        plain = stream_sizes(frames, 23)
        remembered = stream_sizes(frames, 23, preset="slow", references=_REFERENCES)
        values = [
            *_against(remembered, plain),
            *_against(stream_sizes(frames, _PRECISE), plain),
            *_against(stream_sizes(_medians(frames), 23), plain),
        ]
        mixed = np.log(stream_sizes(_with_halfway(frames), 23))
        level = np.log(plain[1:]).mean()
        values += [mixed[1::2].mean() - level, mixed[2::2].mean() - level]
        return np.array([*values, *_course(np.log(remembered[1:]))], dtype=np.float32)


def _against(sizes: NDArray[np.float64], plain: NDArray[np.float64]) -> list[float]:
    """Return key frame, share of the others and their spread, as logs beside the plain encode."""
    here, there = np.log(sizes), np.log(plain)
    key = here[0] - there[0]
    inter = here[1:].mean() - there[1:].mean() - key
    return [key, inter, here[1:].std() - there[1:].std()]


def _medians(frames: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Return the median of every three frames in a row."""
    return [
        np.maximum(np.minimum(first, second), np.minimum(np.maximum(first, second), third))
        for first, second, third in zip(frames[:-2], frames[1:-1], frames[2:], strict=True)
    ]


def _with_halfway(frames: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Return each inner frame, followed by the mean of the two beside it."""
    mixed: list[NDArray[np.uint8]] = []
    for before, frame, after in zip(frames[:-2], frames[1:-1], frames[2:], strict=True):
        mean = (before.astype(np.uint16) + after + 1) // 2
        mixed += [frame, mean.astype(np.uint8)]
    return mixed


def _course(logs: NDArray[np.float64]) -> list[float]:
    """Return how far a frame's cost is that of the one before, its range and its trend."""
    spread = logs.std()
    follows = 0.0
    if spread > 1e-6:
        now, later = logs[:-1] - logs[:-1].mean(), logs[1:] - logs[1:].mean()
        follows = float((now * later).mean() / (now.std() * later.std() + 1e-6))
    slope = np.polyfit(np.arange(len(logs)), logs, 1)[0]
    return [follows, float(np.ptp(logs)), float(slope)]
