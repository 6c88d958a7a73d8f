"""Memory of marking and reading a long film: what a process holds, minute by minute of the film.

    python benchmarks/mark_film.py [--minutes 30] [--size 1280x720]

A drawn clip of one second is repeated, marked, encoded with x264 into a file and read back from it.
Each part runs in a process of its own; printed is the most memory it has held so far, code and
libraries included.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import resource
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.media import VideoWriter, open_video
from vidigree.watermark.bench.drawn import DRAWN
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import RobustMark

FPS = Fraction(24)
MESSAGE = 0x9123456789ABCDEF
A_MINUTE = 60 * int(FPS)


def held() -> float:
    """Return the most memory this process has held so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def tell(part: str, count: int) -> None:
    if count % A_MINUTE == 0:
        print(f"{part}, minute {count // A_MINUTE}: {held():.0f} MiB", flush=True)


def source(size: tuple[int, int], count: int) -> Iterator[NDArray[np.uint8]]:
    second = [
        np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        for frame in DRAWN["23-frames"]()
    ]
    yield from itertools.islice(itertools.cycle(second), count)


def embed(path: Path, size: tuple[int, int], count: int) -> None:
    cv2.setNumThreads(1)
    marked = RobustMark().embed(source(size, count), MESSAGE, key=PUBLISHED_KEY, fps=FPS)
    with VideoWriter(path, width=size[0], height=size[1], fps=FPS, preset="ultrafast") as writer:
        for number, frame in enumerate(marked, 1):
            writer.write(frame)
            tell("embed", number)


def read(path: Path) -> None:
    cv2.setNumThreads(1)
    detector = RobustMark().detector(keys=[PUBLISHED_KEY], fps=FPS)
    with open_video(path) as video:
        for number, frame in enumerate(video, 1):
            detector.feed(frame)
            tell("read", number)
    reading = detector.finish()[0]
    print(f"message {'read' if reading.message == MESSAGE else 'NOT read'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--size", default="1280x720")
    asked = parser.parse_args()
    width, height = (int(side) for side in asked.size.split("x"))
    processes = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        count = round(asked.minutes * A_MINUTE)
        for work, arguments in ((embed, (path, (width, height), count)), (read, (path,))):
            process = processes.Process(target=work, args=arguments)
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(process.exitcode)


if __name__ == "__main__":
    main()
