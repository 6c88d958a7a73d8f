"""Texture along motion: does detail travel with the surface, or boil while the surface moves on?"""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView

__all__ = ["Trajectory"]

_BANDS = 3
_PAIRS = 5
_SPEEDS = {"slow": (0.0, 0.5), "middle": (0.5, 2.0), "fast": (2.0, 1e9)}
_SPEED_QUANTILES = (0.1, 0.5, 0.9, 0.99)


class Trajectory:
    """Correlation of band-passed detail along optical flow, by band and by speed; turning of flow.

    Flow as in the group ``flow``, at full canonical size.
    """

    name: ClassVar[str] = "trajectory"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return the names of the statistics."""
        return (
            *(f"detail-{band}" for band in range(_BANDS)),
            *(f"gain-{band}" for band in range(_BANDS)),
            *(f"detail-{speed}-{band}" for speed in _SPEEDS for band in range(_BANDS)),
            *(f"share-{speed}" for speed in _SPEEDS),
            *(f"speed-{quantile:g}" for quantile in _SPEED_QUANTILES),
            "chroma-gain",
            "residual-tail",
            "residual-at-edges",
            "turning",
            "turning-fast",
            "change-of-speed",
            "detail-spread",
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 29 features, correlations and logs."""
        if not view.steady:
            return np.full(len(self.names()), np.nan, np.float32)
        finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        luma = view.luma
        eight = np.clip(luma, 0, 255).astype(np.uint8)
        starts = np.unique(np.linspace(0, len(luma) - 3, _PAIRS).astype(int))
        rows = []
        for start in starts:
            forth = finder.calc(eight[start], eight[start + 1], None)
            later = finder.calc(eight[start + 1], eight[start + 2], None)
            rows.append(_pair(view, int(start), forth, _moved(later, forth)))
        table = np.array(rows)
        with np.errstate(all="ignore"):
            known = ~np.isnan(table)
            mean = np.where(known, table, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        # Where no pixel moves at a speed, the correlation over all pixels stands in.
        for place in range(2 * _BANDS, 5 * _BANDS):
            if not known[:, place].any():
                mean[place] = mean[place % _BANDS]
        return np.concatenate([mean, [table[:, 0].std()]]).astype(np.float32)


def _pair(
    view: DecodedView, start: int, flow: NDArray[np.float32], next_flow: NDArray[np.float32]
) -> NDArray[np.float64]:
    first, second = view.luma[start], view.luma[start + 1]
    moved = _moved(second, flow)
    speed = np.linalg.norm(flow, axis=2)
    along, still, by_speed = [], [], []
    masks = {name: (speed >= low) & (speed < high) for name, (low, high) in _SPEEDS.items()}
    bands = [_band(image, _BANDS) for image in (first, moved, second)]
    for here, there, unmoved in zip(*bands, strict=True):
        along.append(_correlation(here, there))
        still.append(_correlation(here, unmoved))
    for mask in masks.values():
        for here, there in zip(bands[0], bands[1], strict=True):
            chosen = mask if mask.sum() > 500 else None
            by_speed.append(np.nan if chosen is None else _correlation(here[chosen], there[chosen]))
    residual = np.abs(moved - first)
    edges = np.hypot(cv2.Sobel(first, cv2.CV_32F, 1, 0), cv2.Sobel(first, cv2.CV_32F, 0, 1))
    strong = edges > np.quantile(edges, 0.9)
    return np.array(
        [
            *along,
            *(a - s for a, s in zip(along, still, strict=True)),
            *by_speed,
            *(mask.mean() for mask in masks.values()),
            *np.log(np.quantile(speed, _SPEED_QUANTILES) + 0.05),
            _chroma_gain(view, start, flow),
            np.log((residual**2).mean() + 0.1) - 2 * np.log(residual.mean() + 0.1),
            np.log((_mean(residual, strong) + 0.1) / (_mean(residual, ~strong) + 0.1)),
            *_turning(flow, next_flow, speed),
        ]
    )


def _mean(values: NDArray[np.float32], chosen: NDArray[np.bool_]) -> float:
    """Return the mean of the chosen values, of all if none is chosen."""
    return float(values[chosen].mean() if chosen.any() else values.mean())


def _band(image: NDArray[np.float32], count: int) -> list[NDArray[np.float32]]:
    """Return differences of Gaussians of the image, all at full size, the finest first."""
    blurs = [image] + [
        np.asarray(cv2.GaussianBlur(image, (0, 0), 1.2 * 2**step), dtype=np.float32)
        for step in range(count)
    ]
    return [fine - coarse for fine, coarse in itertools.pairwise(blurs)]


def _correlation(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    norm = np.sqrt((left**2).mean() * (right**2).mean())
    return float((left * right).mean() / (norm + 1e-2))


def _chroma_gain(view: DecodedView, start: int, flow: NDArray[np.float32]) -> float:
    """Return the log ratio of chroma change along luma's flow to chroma change in place."""
    side = view.chroma.shape[3]
    small = cv2.resize(flow, (side, side), interpolation=cv2.INTER_AREA) / 2
    first, second = view.chroma[:, start], view.chroma[:, start + 1]
    moved = np.stack([_moved(plane, small) for plane in second])
    return float(
        np.log((np.abs(moved - first).mean() + 0.05) / (np.abs(second - first).mean() + 0.05))
    )


def _turning(
    flow: NDArray[np.float32], later: NDArray[np.float32], speed: NDArray[np.float32]
) -> tuple[float, float, float]:
    """Return how much directions turn (all, fast pixels) and speeds change along trajectories."""
    later_speed = np.linalg.norm(later, axis=2)
    cosine = (flow * later).sum(axis=2) / (speed * later_speed + 1e-2)
    fast = speed > np.quantile(speed, 0.8)
    change = np.abs(np.log((later_speed + 0.1) / (speed + 0.1)))
    return float(1 - cosine.mean()), 1 - _mean(cosine, fast), float(change.mean())


def _moved(image: Any, flow: NDArray[np.float32]) -> NDArray[np.float32]:
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
