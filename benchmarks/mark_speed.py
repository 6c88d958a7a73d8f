"""What marking and looking cost beside encoding and decoding, in CPU time of one thread.

    python benchmarks/mark_speed.py CLIP [--seconds 10]

The clip is repeated to the asked length. Encoding is x264 ``medium`` at CRF 23. Looking is timed
without decoding, in the marked stream (the direct case) and in the unmarked one, where everything
is tried: the learned front end, whose part is told apart, and the wide search.
"""

from __future__ import annotations

import argparse
import io
import itertools
import time
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import patch

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.media import open_video
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import RobustMark, stretches
from vidigree.watermark.robust.learned import learned_residual

FPS = Fraction(24)
Image = NDArray[np.uint8]


def timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


class Stopwatch:
    """A function, and the CPU time that has been spent in it."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self._work = work
        self.seconds = 0.0

    def __call__(self, asked: Any) -> Any:
        began = time.process_time()
        answer = self._work(asked)
        self.seconds += time.process_time() - began
        return answer


def encode(frames: Iterable[Image], buffer: io.BytesIO, size: tuple[int, int]) -> None:
    with av.open(buffer, "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = size[1], size[0], "yuv420p"
        stream.options = {"preset": "medium", "crf": "23", "threads": "1"}
        for frame in frames:
            image = np.ascontiguousarray(frame[: size[0], : size[1]])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def decode(buffer: io.BytesIO) -> int:
    buffer.seek(0)
    with av.open(buffer, "r") as container:
        container.streams.video[0].thread_count = 1
        return sum(frame.to_ndarray(format="rgb24").shape[0] > 0 for frame in container.decode())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    with open_video(asked.clip) as video:
        source = list(video.images())
    count = round(asked.seconds * FPS)
    mark = RobustMark()

    def stream() -> Iterable[Image]:
        return itertools.islice(itertools.cycle(source), count)

    def marked() -> Iterable[Image]:
        return mark.embed(stream(), 2026, key=PUBLISHED_KEY, fps=FPS)

    def look(frames: Iterable[Image]) -> bool:
        return mark.detect(frames, keys=[PUBLISHED_KEY], fps=FPS).present

    height, width = source[0].shape[:2]
    size = (height // 2 * 2, width // 2 * 2)
    buffer = io.BytesIO()
    embedding = timed(lambda: sum(1 for _ in marked()))
    both = timed(lambda: encode(marked(), buffer, size))
    decoding = timed(lambda: decode(buffer))
    once = list(mark.embed(source, 2026, key=PUBLISHED_KEY, fps=FPS))
    direct = timed(lambda: look(itertools.islice(itertools.cycle(once), count)))
    network = Stopwatch(learned_residual)
    with patch.object(stretches, "learned_residual", network):
        searched = timed(lambda: look(stream()))
    encoding = both - embedding
    print(f"{width} x {height}, {count} frames, CPU seconds")
    print(f"embed {embedding:.1f}; x264 medium {encoding:.1f}; ratio {embedding / encoding:.2f}")
    print(f"look, direct {direct:.2f}; decode {decoding:.2f}; ratio {direct / decoding:.2f}")
    print(
        f"look in the unmarked stream, everything tried: {searched - direct:.1f} more,"
        f" {network.seconds:.1f} of it the learned front end"
    )


if __name__ == "__main__":
    main()
