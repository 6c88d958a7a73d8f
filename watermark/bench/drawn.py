"""Clips that are hard by nature, drawn on the spot and known by name: small, short, dark, flat."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.media.output import output_error, output_file

__all__ = ["DRAWN", "write_drawn"]

Frames = list[NDArray[np.uint8]]

_FPS = 24
_FRAMES = 24
_LARGE = (480, 640)


def write_drawn(folder: Path) -> list[Path]:
    """Write every drawn clip without loss, to the same bytes every time; return the files.

    Args:
        folder: Where to; it is made if need be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    paths = []
    for name, draw in DRAWN.items():
        path = folder / f"drawn-{name}.mkv"
        frames = draw()
        with output_file(path, overwrite=True) as temporary:
            _write(frames, temporary)
        paths.append(path)
    return paths


def _write(frames: Frames, path: Path) -> None:
    options = {"fflags": "+bitexact"}  # no identifier drawn by chance
    with av.open(str(path), "w", format="matroska", options=options) as container:
        stream = container.add_stream("ffv1", rate=Fraction(_FPS))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "bgr0"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def _textured(height: int, width: int, count: int) -> Frames:
    """A drifting cloudy texture with a spectrum like that of photographs (1/f)."""
    rng = np.random.default_rng(7)
    size = (height + count, width + count)
    spectrum = np.fft.rfft2(rng.normal(size=size))
    radius = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None])
    cloud = np.fft.irfft2(spectrum / (radius + 0.01) ** 1.7, s=size)
    cloud = np.clip(120 + 15 * cloud / cloud.std(), 0, 255)
    tinted = (cloud[..., None] * [1.0, 0.95, 0.85]).astype(np.uint8)
    return [
        np.ascontiguousarray(tinted[index : index + height, index : index + width])
        for index in range(count)
    ]


def _cartoon() -> Frames:
    """Areas of one colour with dark outlines, moving over a sky of two colours."""
    frames = []
    for index in range(_FRAMES):
        picture = np.full((*_LARGE, 3), (120, 200, 250), np.uint8)
        picture[300:] = (90, 190, 90)
        for number, colour in enumerate(((250, 210, 60), (230, 80, 70), (245, 245, 245))):
            centre = (90 + 200 * number + 2 * index, 220 + 30 * number)
            cv2.circle(picture, centre, 60, colour, -1, cv2.LINE_AA)
            cv2.circle(picture, centre, 60, (30, 30, 30), 4, cv2.LINE_AA)
        frames.append(picture)
    return frames


def _even(level: int, swing: int = 0) -> Frames:
    """Frames of one grey level each, which may swell and fall."""
    turns = np.linspace(0, 2 * np.pi, _FRAMES)
    return [np.full((*_LARGE, 3), level + round(swing * np.sin(turn)), np.uint8) for turn in turns]


DRAWN: dict[str, Callable[[], Frames]] = {
    "128x128": lambda: _textured(128, 128, _FRAMES),
    "256x144": lambda: _textured(144, 256, _FRAMES),
    "256x256": lambda: _textured(256, 256, _FRAMES),
    "1-frame": lambda: _textured(*_LARGE, 1),
    "5-frames": lambda: _textured(*_LARGE, 5),
    "23-frames": lambda: _textured(*_LARGE, 23),
    "static": lambda: _textured(*_LARGE, 1) * _FRAMES,
    "dark": lambda: [frame // 12 for frame in _textured(*_LARGE, _FRAMES)],
    "flat": lambda: _even(110, 8),
    "black": lambda: _even(0),
    "white": lambda: _even(255),
    "cartoon": _cartoon,
    "127x200": lambda: _textured(127, 200, 8),
}
"""Name and what draws it; the last one is too small, and has to be refused."""
