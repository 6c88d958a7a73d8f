"""Procedural clips: textures that move, and clips that have nothing to hide a mark in."""

from __future__ import annotations

import io
from collections.abc import Callable

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

Frames = list[NDArray[np.uint8]]


def _textured(height: int, width: int, count: int, seed: int) -> Frames:
    """Draw a cloudy texture (1/f spectrum) that drifts, with a few discs moving over it."""
    rng = np.random.default_rng(seed)
    size = (height + count, width + count)
    spectrum = np.fft.rfft2(rng.normal(size=size))
    radius = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None])
    cloud = np.fft.irfft2(spectrum / (radius + 0.01) ** 1.7, s=size)
    cloud = 120 + 30 * cloud / cloud.std()
    colours = rng.uniform(0, 255, (3, 3))
    frames = []
    for index in range(count):
        picture = np.repeat(cloud[index : index + height, index : index + width, None], 3, axis=2)
        picture = np.ascontiguousarray(np.clip(picture * [1.0, 0.9, 0.8], 0, 255))
        for disc in range(3):
            centre = (int(width * (0.2 + 0.3 * disc)) + 2 * index, int(height * (0.3 + 0.2 * disc)))
            cv2.circle(picture, centre, height // 10, colours[disc].tolist(), -1)
        frames.append(picture.astype(np.uint8))
    return frames


@pytest.fixture(scope="session")
def textured() -> Callable[..., Frames]:
    return _textured


@pytest.fixture(scope="session")
def clip() -> Frames:
    """A clip of one second at 640 x 360."""
    return _textured(360, 640, 24, seed=3)


def _x264(frames: Frames, crf: int) -> Frames:
    """Encode with x264 and decode again."""
    buffer = io.BytesIO()
    height, width = frames[0].shape[:2]
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(crf), "preset": "medium", "threads": "1"}
        for frame in frames:
            image = np.ascontiguousarray(frame)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture(scope="session")
def x264() -> Callable[[Frames, int], Frames]:
    return _x264
