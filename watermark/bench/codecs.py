"""What happens to clips on their way: real encoders, and frames that go missing."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import UsageError

__all__ = ["averaged", "coded", "dropped", "resampled", "swapped", "trimmed"]

Frames = list[NDArray[np.uint8]]

# Linux lists the threads of the process that looks there.
_TASKS = Path("/proc/self/task")
_OPTIONS: dict[str, dict[str, str]] = {
    "libx264": {"preset": "medium", "threads": "1"},
    "libx265": {
        "preset": "fast",
        "x265-params": "log-level=error:pools=1:frame-threads=1:wpp=0",
    },
    "libvpx-vp9": {"b": "0", "deadline": "good", "cpu-used": "5", "threads": "1"},
    "libsvtav1": {"preset": "8", "svtav1-params": "lp=1"},
}


def coded(
    frames: Frames, encoder: str, crf: int, fps: Fraction, preset: str | None = None
) -> Frames:
    """Encode and decode again; odd edges are cut off, as 4:2:0 wants.

    Args:
        frames: uint8 RGB frames.
        encoder: One of libx264, libx265, libvpx-vp9, libsvtav1.
        crf: Constant rate factor, on the encoder's own scale.
        fps: Frames per second.
        preset: Instead of the usual one, where the encoder has presets.

    Raises:
        UsageError: This build of FFmpeg has no such encoder.
    """
    if encoder not in av.codecs_available:
        raise UsageError(f"This build of PyAV has no encoder {encoder}.")
    height, width = frames[0].shape[0] // 2 * 2, frames[0].shape[1] // 2 * 2
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream = cast("av.VideoStream", container.add_stream(encoder, rate=fps))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {**_OPTIONS[encoder], "crf": str(crf)}
        if preset is not None:
            stream.options = {**stream.options, "preset": preset}
        with _priority_kept():
            stream.codec_context.open()
        for frame in frames:
            image = np.ascontiguousarray(frame[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer, "r") as decoded:
        return [_rgb(frame) for frame in decoded.decode(video=0)]


@contextmanager
def _priority_kept() -> Iterator[None]:
    """Give threads that became real-time ones meanwhile the policy of the calling thread back.

    SVT-AV1 asks for real-time priority for its threads and for the one that opens it and, run by
    the superuser, gets it. The caller would keep it and hand it down to every process it starts
    later; a machine with few cores then stands still.
    """
    if not _TASKS.is_dir():  # elsewhere than on Linux
        yield
        return
    parameters = os.sched_getparam(0)
    before = _policies()
    own = before[threading.get_native_id()]
    yield
    for thread, policy in _policies().items():
        if policy != before.get(thread, own):
            with suppress(ProcessLookupError):
                os.sched_setscheduler(thread, before.get(thread, own), parameters)


def _policies() -> dict[int, int]:
    """Return the scheduling policy of every thread of this process, by its number."""
    policies = {}
    for task in _TASKS.iterdir():
        with suppress(ProcessLookupError):  # it has ended meanwhile
            policies[int(task.name)] = os.sched_getscheduler(int(task.name))
    return policies


def _rgb(frame: av.VideoFrame) -> NDArray[np.uint8]:
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def resampled(frames: Frames, old: float, new: float) -> Frames:
    """Change the frame rate by dropping or repeating frames."""
    count = max(1, round(len(frames) * new / old))
    return [frames[min(len(frames) - 1, int(index * old / new))] for index in range(count)]


def dropped(frames: Frames, share: float, rng: np.random.Generator) -> Frames:
    """Drop a random share of the frames, never all."""
    kept = [frame for frame in frames if rng.random() >= share]
    return kept or frames[:1]


def swapped(frames: Frames, share: float, rng: np.random.Generator) -> Frames:
    """Exchange random neighbours."""
    result = list(frames)
    for index in range(len(result) - 1):
        if rng.random() < share:
            result[index], result[index + 1] = result[index + 1], result[index]
    return result


def averaged(frames: Frames, window: int) -> Frames:
    """Replace every frame by the mean of its neighbourhood."""
    half = window // 2
    result = []
    for index in range(len(frames)):
        near = frames[max(0, index - half) : index + half + 1]
        result.append(np.rint(np.mean(near, axis=0)).astype(np.uint8))
    return result


def trimmed(frames: Frames, seconds: float, fps: Fraction, rng: np.random.Generator) -> Frames:
    """Keep a stretch from anywhere."""
    count = min(len(frames), max(1, round(seconds * float(fps))))
    start = int(rng.integers(len(frames) - count + 1))
    return frames[start : start + count]
