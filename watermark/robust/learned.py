"""The learned front end at work: a small network that predicts the carrier from one luma.

It is trained by ``vidigree watermark train-front-end`` (see :mod:`.learning`) on what the detector
keeps of x264, x265 and VP9 output, means and openings, and shipped as ONNX. Where onnxruntime or
the weights are missing, detection goes on with the linear front end alone, which always answers
first anyway.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.robust.frontend import residual_of

__all__ = ["BLUR", "CONTRAST", "learned_residual", "network_input"]

CONTRAST = 12.0
"""Grey levels of the high-passed picture that the network sees as 1, before they are compressed."""

BLUR = 8.0
"""Deviation of the Gaussian that the high-passed picture lacks, in working pixels."""

_MULTIPLE = 8


def network_input(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the network looks at: the high-passed picture and the linear residual.

    Args:
        luma: float32 (h, w) in [0, 255], at working size.

    Returns:
        float32 (2, h, w), about unit variance.
    """
    high = (luma - cv2.GaussianBlur(luma, (0, 0), BLUR)) / CONTRAST
    return np.stack([np.arcsinh(high), residual_of(luma)]).astype(np.float32)


def learned_residual(luma: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return the network's estimate of the carrier, or ``None`` where it cannot be had.

    Trained on squared error, it shrinks where it cannot see, so that sums over frames and places
    weigh themselves.

    Args:
        luma: float32 (h, w) in [0, 255], at working size.
    """
    session = _session()
    if session is None:
        return None
    height, width = luma.shape
    pad = ((0, -height % _MULTIPLE), (0, -width % _MULTIPLE))
    padded = np.pad(luma, pad, mode="edge")
    (estimate,) = session.run(None, {"picture": network_input(padded)[None]})
    return np.ascontiguousarray(estimate[0, 0, :height, :width])


@functools.lru_cache(maxsize=1)
def _session() -> Any:
    """Open the network once; ``None`` without onnxruntime or weights."""
    try:
        import onnxruntime
    except ImportError:
        return None
    weights = resources.files("vidigree.watermark.robust") / "front_end.onnx"
    if not weights.is_file():
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        weights.read_bytes(), options, providers=["CPUExecutionProvider"]
    )
