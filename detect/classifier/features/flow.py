"""Optical flow: whether pixels can be followed, forth and back, and how smoothly they move."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView

__all__ = ["FlowConsistency"]

_SIDE = 128
_STATISTICS = (
    "speed",
    "return-error",
    "return-error-share",
    "lost",
    "warp-error",
    "warp-gain",
    "warp-tail",
    "divergence",
    "curl",
    "shear",
)


class FlowConsistency:
    """Forward-backward error, warp residual and deformation of dense inverse-search flow.

    The flow is that of Kroeger et al., "Fast optical flow using dense inverse search" (2016), as
    OpenCV has it, on frames of half size.
    """

    name: ClassVar[str] = "flow"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return the mean over frame pairs of each statistic, its spread, and two accelerations."""
        return (
            *(f"{name}-mean" for name in _STATISTICS),
            *(f"{name}-spread" for name in _STATISTICS),
            "acceleration",
            "acceleration-share",
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 22 features, most of them logs."""
        if not view.steady:
            return np.full(len(self.names()), np.nan, np.float32)
        frames = [
            cv2.resize(frame, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for frame in view.luma
        ]
        bytes_ = [np.clip(frame, 0, 255).astype(np.uint8) for frame in frames]
        finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        rows, flows = [], []
        for index in range(len(frames) - 1):
            forth = finder.calc(bytes_[index], bytes_[index + 1], None)
            flows.append(forth)
            if index % 2 == 0:
                back = finder.calc(bytes_[index + 1], bytes_[index], None)
                rows.append(_pair(frames[index], frames[index + 1], forth, back))
        table = np.array(rows)
        speed = np.mean([_lengths(flow).mean() for flow in flows])
        change = np.mean(
            [
                _lengths(later - _warped(earlier, later)).mean()
                for earlier, later in zip(flows[1:], flows[:-1], strict=True)
            ]
        )
        rest = [np.log(change + 0.02), np.log((change + 0.02) / (speed + 0.02))]
        return np.concatenate([table.mean(axis=0), table.std(axis=0), rest]).astype(np.float32)


def _pair(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    forth: NDArray[np.float32],
    back: NDArray[np.float32],
) -> NDArray[np.float64]:
    speed = _lengths(forth)
    returned = _lengths(forth + _warped(back, forth))
    error = np.abs(_warped(second, forth) - first)
    still = np.abs(second - first)
    dx_y, dx_x = np.gradient(forth[..., 0])
    dy_y, dy_x = np.gradient(forth[..., 1])
    return np.array(
        [
            np.log(speed.mean() + 0.02),
            np.log(np.median(returned) + 0.02),
            np.log((returned.mean() + 0.02) / (speed.mean() + 0.02)),
            (returned > 1.0).mean(),
            np.log(error.mean() + 0.1),
            np.log((error.mean() + 0.1) / (still.mean() + 0.1)),
            np.log((error**2).mean() + 0.05) - 2 * np.log(error.mean() + 0.1),
            np.log(np.abs(dx_x + dy_y).mean() + 0.01),
            np.log(np.abs(dy_x - dx_y).mean() + 0.01),
            np.log(np.abs(dx_x - dy_y).mean() + 0.01),
        ]
    )


def _lengths(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the lengths (H, W) of vectors (H, W, 2), to the bit what ``numpy.linalg.norm`` gives.

    That adds along an axis of two numbers, which takes many times as long.
    """
    return np.asarray(np.sqrt(vectors[..., 0] ** 2 + vectors[..., 1] ** 2), np.float32)


def _warped(image: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """Look the image up where the flow points, linearly, edges repeated."""
    rows, columns = np.indices(flow.shape[:2], dtype=np.float32)
    return np.asarray(
        cv2.remap(
            image,
            columns + flow[..., 0],
            rows + flow[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        dtype=np.float32,
    )
