"""The linear-phase front end: from a picture to the residual in which the carrier stands out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vidigree.watermark.robust.carrier import SHORT_SIDE
from vidigree.watermark.shrinking import halved

__all__ = ["Picture", "residual_of", "working_luma", "working_step"]

_BLOCK = 16
_POWER = 1.2
_FLOOR = 8.0
_BAND = (0.03, 0.25)


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A residual and how its pixels relate to carrier pixels.

    Attributes:
        residual: float32 (h, w).
        step: Carrier pixels per residual pixel along x and y, for an unscaled carrier.
    """

    residual: NDArray[np.float32]
    step: tuple[float, float]


def working_luma(frame: NDArray[np.uint8], short_side: int) -> NDArray[np.float32]:
    """Return a frame's luma at a working size.

    Args:
        frame: uint8 RGB (H, W, 3), or luma (H, W).
        short_side: Short side of the result in pixels; the aspect is kept to the pixel.

    Returns:
        float32 (h, w) in [0, 255].
    """
    height, width = frame.shape[:2]
    scale = short_side / min(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if frame.ndim == 3:
        # Rec. 601 luma: the sum that H.264 files of unknown matrix are read with, too.
        frame = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    frame = halved(frame, 2 * short_side)
    # Averaging over areas when shrinking keeps the mark and drops what would alias into it.
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(frame.astype(np.float32), size, interpolation=how), np.float32)


def working_step(source: tuple[int, int], working: tuple[int, int]) -> tuple[float, float]:
    """Return carrier pixels per working pixel along x and y.

    Args:
        source: Height and width of the frame.
        working: Height and width of the working picture.
    """
    unit = SHORT_SIDE / min(source)
    return unit * source[1] / working[1], unit * source[0] / working[0]


def residual_of(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """Whiten a picture locally: every small block, frequency by frequency.

    The picture is cut into overlapping blocks of 16 x 16; in each, every Fourier coefficient is
    divided by the power 1.2 of its own magnitude, and the blocks are added up again. Where the
    picture is strong, in place, frequency and orientation, it counts little, and what is left is
    mostly phase. On decoded clips this gives a correlation with the carrier about 1.4 times that
    of a high-pass divided by the local standard deviation.

    Args:
        luma: float32 (h, w) in [0, 255], at working size.

    Returns:
        float32 (h, w), about unit variance.
    """
    height, width = luma.shape
    hop = _BLOCK // 2
    pad = ((_BLOCK, _BLOCK + (-height) % hop), (_BLOCK, _BLOCK + (-width) % hop))
    padded = np.pad(luma, pad, mode="reflect" if min(luma.shape) > 2 * _BLOCK else "edge")
    window, keep = _block_tables()
    blocks = sliding_window_view(padded, (_BLOCK, _BLOCK))[::hop, ::hop]
    blocks = blocks - blocks.mean(axis=(2, 3), keepdims=True)
    spectra = scipy.fft.rfft2(blocks * window)
    power = spectra.real**2 + spectra.imag**2
    spectra *= keep / (power + _FLOOR**2) ** (_POWER / 2)
    blocks = scipy.fft.irfft2(spectra, s=(_BLOCK, _BLOCK)) * window
    total = np.zeros(padded.shape, np.float32)
    for top in (0, 1):
        for left in (0, 1):
            part = blocks[top::2, left::2]
            rows, columns = part.shape[0] * _BLOCK, part.shape[1] * _BLOCK
            tiled = part.transpose(0, 2, 1, 3).reshape(rows, columns)
            y, x = top * hop, left * hop
            total[y : y + rows, x : x + columns] += tiled
    inner = total[_BLOCK : _BLOCK + height, _BLOCK : _BLOCK + width]
    return np.ascontiguousarray(inner * np.float32(_BLOCK))


def _block_tables() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the analysis and synthesis window and the band-pass of one block's half spectrum."""
    ramp = np.sqrt(np.hanning(_BLOCK + 1)[:_BLOCK])
    radius = np.hypot(np.fft.fftfreq(_BLOCK)[:, None], np.fft.rfftfreq(_BLOCK)[None])
    keep = (radius >= _BAND[0]) & (radius <= _BAND[1])
    return np.outer(ramp, ramp).astype(np.float32), keep.astype(np.float32)
