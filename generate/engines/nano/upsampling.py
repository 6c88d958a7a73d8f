"""From the model's small frames to frames of four times the width, by a small trained network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["FACTOR", "Upsampler", "fit"]

FACTOR = 4


class Upsampler:
    """Makes frames four times as wide and high.

    Args:
        path: The network (ONNX): float32 (N, 3, H, W) in [0, 1] to (N, 3, 4 H, 4 W).
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def enlarge(self, frames: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return uint8 (N, 4 H, 4 W, 3) of float32 frames (N, 3, H, W) in [0, 1]."""
        (large,) = self._session.run(None, {"frames": frames})
        rounded = np.round(255 * np.clip(large, 0, 1)).astype(np.uint8)
        return np.ascontiguousarray(rounded.transpose(0, 2, 3, 1))


def fit(
    frames: Iterable[NDArray[np.uint8]], width: int, height: int
) -> Iterator[NDArray[np.uint8]]:
    """Yield frames cut to the shape asked for, around their middle, and resized to it."""
    for frame in frames:
        rows, columns = frame.shape[:2]
        cut_rows = min(rows, round(columns * height / width))
        cut_columns = min(columns, round(rows * width / height))
        top, left = (rows - cut_rows) // 2, (columns - cut_columns) // 2
        part = frame[top : top + cut_rows, left : left + cut_columns]
        if part.shape[:2] == (height, width):
            yield np.ascontiguousarray(part)
            continue
        smaller = width < cut_columns
        method = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        yield np.asarray(cv2.resize(part, (width, height), interpolation=method), np.uint8)
