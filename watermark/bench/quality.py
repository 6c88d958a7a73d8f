"""How far a marked clip is from the original: PSNR, SSIM and VMAF."""

from __future__ import annotations

import json
import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["psnr", "ssim", "vmaf"]

Frames = list[NDArray[np.uint8]]


def psnr(first: Frames, second: Frames) -> float:
    """Return the peak signal-to-noise ratio over all frames and channels, dB; 100 if equal."""
    error = np.mean(
        [np.mean((a.astype(np.float32) - b) ** 2) for a, b in zip(first, second, strict=True)]
    )
    return 100.0 if error < 1e-8 else float(10 * np.log10(255.0**2 / error))


def ssim(first: Frames, second: Frames) -> float:
    """Return the mean structural similarity of the lumas.

    Wang, Bovik, Sheikh, Simoncelli (2004): Gaussian window of sigma 1.5, K1 = .01, K2 = .03.
    """
    return float(np.mean([_ssim(a, b) for a, b in zip(first, second, strict=True)]))


def _ssim(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    x = cv2.cvtColor(first, cv2.COLOR_RGB2GRAY).astype(np.float32)
    y = cv2.cvtColor(second, cv2.COLOR_RGB2GRAY).astype(np.float32)

    def smooth(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5))

    mean_x, mean_y = smooth(x), smooth(y)
    var_x, var_y = smooth(x * x) - mean_x**2, smooth(y * y) - mean_y**2
    cov = smooth(x * y) - mean_x * mean_y
    one, two = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_x * mean_y + one) * (2 * cov + two)
    return float(np.mean(top / ((mean_x**2 + mean_y**2 + one) * (var_x + var_y + two))))


def vmaf(first: Frames, second: Frames, fps: Fraction) -> float | None:
    """Return the mean VMAF of ``second`` against ``first``, or ``None`` without libvmaf.

    Uses the FFmpeg of ``imageio-ffmpeg`` and its built-in model (vmaf_v0.6.1).
    """
    try:
        import imageio_ffmpeg  # type: ignore[import-untyped]

        program = imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError):
        return None
    height, width = first[0].shape[:2]
    with tempfile.TemporaryDirectory(prefix="vidigree-vmaf-") as folder:
        paths = [Path(folder) / name for name in ("first.rgb", "second.rgb")]
        for path, frames in zip(paths, (first, second), strict=True):
            with path.open("wb") as stream:
                for frame in frames:
                    stream.write(np.ascontiguousarray(frame).tobytes())
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps)]
        command = [program, "-v", "error", *raw, "-i", "second.rgb", *raw, "-i", "first.rgb"]
        graph = (
            "[0:v]format=yuv420p[a];[1:v]format=yuv420p[b];"
            "[a][b]libvmaf=log_fmt=json:log_path=vmaf.json:n_threads=1"
        )
        command += ["-lavfi", graph, "-f", "null", "-"]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)  # noqa: S603
        log = Path(folder) / "vmaf.json"
        if done.returncode != 0 or not log.exists():
            return None
        pooled = json.loads(log.read_text(encoding="utf-8"))["pooled_metrics"]
    return float(pooled["vmaf"]["mean"])
