"""Colour: how chroma follows luma at edges, how it is spread, and how levels are used."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView

__all__ = ["Colour"]

_QUANTILES = (0.1, 0.5, 0.9, 0.99)


class Colour:
    """Chroma-luma residual correlation, saturation, level use.

    Saturation and levels lean on content; they earn their place only as far as generators render
    and expose unlike cameras do.
    """

    name: ClassVar[str] = "colour"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return the names of the statistics."""
        return (
            *(f"saturation-{quantile:g}" for quantile in _QUANTILES),
            *(
                f"{plane}-{part}"
                for plane in ("cb", "cr")
                for part in ("edge-share", "edge-correlation", "edge-tail", "flicker")
            ),
            "cb-cr-edge-correlation",
            "cb-cr-correlation",
            "black",
            "white",
            "level-spread",
            "level-entropy",
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 18 features."""
        if not view.steady:
            return np.full(len(self.names()), np.nan, np.float32)
        chroma = view.chroma - 128
        saturation = np.hypot(chroma[0, ::2], chroma[1, ::2])
        small = np.stack(
            [
                cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
                for frame in view.luma[::2]
            ]
        )
        luma_edges = _edges(small)
        edges = [_edges(plane[::2]) for plane in chroma]
        values = [float(np.log(q + 1)) for q in np.quantile(saturation, _QUANTILES)]
        for plane, edge in zip(chroma, edges, strict=True):
            flicker = (np.diff(plane, axis=0) ** 2).mean()
            values += [
                float(np.log(((edge**2).mean() + 1e-2) / ((luma_edges**2).mean() + 1e-2))),
                _correlation(np.abs(edge), np.abs(luma_edges)),
                float(np.log(((edge**2).mean() + 1e-2) / (np.abs(edge).mean() ** 2 + 1e-2))),
                float(np.log((flicker + 1e-2) / (plane.var() + 1))),
            ]
        histogram = np.bincount(view.luma[::2].astype(np.uint8).ravel() // 4, minlength=64)
        share = histogram / histogram.sum()
        values += [
            _correlation(edges[0], edges[1]),
            _correlation(chroma[0] - chroma[0].mean(), chroma[1] - chroma[1].mean()),
            float(np.log((view.luma < 20).mean() + 1e-3)),
            float(np.log((view.luma > 232).mean() + 1e-3)),
            float(np.log(view.luma.std() + 1)),
            float(-(share * np.log(share + 1e-9)).sum()),
        ]
        return np.array(values, dtype=np.float32)


def _edges(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.stack([plane - cv2.GaussianBlur(plane, (0, 0), 1.5) for plane in planes])


def _correlation(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    norm = np.sqrt((left**2).mean() * (right**2).mean())
    return float((left * right).mean() / (norm + 1e-2))
