"""Geometry of a clip's path through a pretrained encoder's space; off unless a folder is given.

Lengths and angles of steps after Internò et al., "AI-generated video detection via perceptual
straightening" (ReStraV, 2025), section 3; second differences after Zheng et al., "D3" (2025),
section 4. Here both are taken at 8 Hz after the canonical re-encode.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.backbone import Backbone, load_backbone, rgb_frames
from vidigree.detect.classifier.coding import DecodedView
from vidigree.media.errors import UsageError

__all__ = ["FOLDER_VARIABLE", "BackboneGeometry", "path_geometry"]

FOLDER_VARIABLE = "VIDIGREE_BACKBONE"
"""Environment variable that names the folder of the encoder."""

_SUMMARY = ("mean", "spread", "lowest", "highest", "median")


class BackboneGeometry:
    """Step lengths, turning angles and second differences of the encoder's vectors.

    Args:
        backbone: The encoder; ``None`` takes the folder named by FOLDER_VARIABLE.

    Raises:
        UsageError: No folder is named, or it holds no encoder.
    """

    name = "backbone"

    def __init__(self, backbone: Backbone | None = None) -> None:
        folder = os.environ.get(FOLDER_VARIABLE)
        if backbone is None and not folder:
            raise UsageError(
                "The feature group 'backbone' needs an encoder of your own.",
                hint=f"Set {FOLDER_VARIABLE} to the folder of a DINOv2, CLIP or VideoMAE model.",
            )
        self._backbone = backbone or load_backbone(Path(folder or ""))
        self.version = self._backbone.version

    def names(self) -> tuple[str, ...]:
        """Return ``measure-statistic`` names."""
        return (
            *(f"{measure}-{part}" for measure in ("step", "angle", "bend") for part in _SUMMARY),
            "straightness",
            "size-spread",
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 17 features."""
        if not view.steady:
            return np.full(len(self.names()), np.nan, np.float32)
        vectors = self._backbone.embed(rgb_frames(view))
        if len(vectors) < 3:
            return np.full(len(self.names()), np.nan, np.float32)
        return path_geometry(vectors)


def path_geometry(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Describe a path by its steps; the scale of the space does not matter.

    Args:
        vectors: float32 (n, D), at least three points.

    Returns:
        float32 (17,): summaries of relative step lengths, of the angles between successive steps
        in radians, and of relative second differences; net over whole length; spread of norms.
    """
    points = vectors.astype(np.float64)
    size = np.linalg.norm(points, axis=1).mean() + 1e-9
    steps = np.diff(points, axis=0) / size
    lengths = np.linalg.norm(steps, axis=1)
    products = (steps[1:] * steps[:-1]).sum(axis=1)
    cosines = products / (lengths[1:] * lengths[:-1] + 1e-9)
    angles = np.arccos(np.clip(cosines, -1, 1))
    bends = np.linalg.norm(np.diff(steps, axis=0), axis=1)
    net = float(np.linalg.norm(points[-1] - points[0])) / size
    spread = float(np.linalg.norm(points, axis=1).std()) / size
    return np.array(
        [
            *_summary(lengths),
            *_summary(angles),
            *_summary(bends),
            net / (lengths.sum() + 1e-9),
            spread,
        ],
        dtype=np.float32,
    )


def _summary(values: NDArray[np.float64]) -> list[float]:
    return [
        float(values.mean()),
        float(values.std()),
        float(values.min()),
        float(values.max()),
        float(np.median(values)),
    ]
