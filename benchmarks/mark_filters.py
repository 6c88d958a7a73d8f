"""Which filters the mark is seen through, and from which radius on they invert its waves.

    python benchmarks/mark_filters.py CLIPS... [--frames 24] [--sizes 9,13,17,21]

A median, a mean over a box and a lens out of focus (a disc) turn waves finer than themselves about.
Prints, for each clip and filter, where the mean over a box of that size has its first zero (cycles
per carrier pixel), the pilot's score at the best shift if nothing is taken to be inverted and from
each of several radii on, and whether the whole detector reads the message.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.media import open_video
from vidigree.media.frame import Frame
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import RobustMark
from vidigree.watermark.robust.carrier import SHORT_SIDE, carrier_of
from vidigree.watermark.robust.geometry import Geometry
from vidigree.watermark.robust.reading import try_geometry
from vidigree.watermark.robust.stretches import StretchReader, parts_of, summed

Image = NDArray[np.uint8]
FPS = Fraction(24)
MESSAGE = 0x9123456789ABCDEF
RADII = (0.07, 0.08, 0.09, 0.10, 0.11, 0.12, 0.13, 0.14, 0.15, 0.16)


def median(image: Image, size: int) -> Image:
    return np.asarray(cv2.medianBlur(image, size), np.uint8)


def box(image: Image, size: int) -> Image:
    return np.asarray(cv2.blur(image, (size, size)), np.uint8)


def disc(image: Image, size: int) -> Image:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)).astype(np.float32)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


FILTERS: dict[str, Callable[[Image, int], Image]] = {"median": median, "box": box, "disc": disc}


def scores(frames: list[Image]) -> list[float]:
    """Return the pilot's score without an inversion and for each radius of one."""
    reader = StretchReader(FPS)
    fed = [reader.feed(Frame(image=image, time=Fraction(0))) for image in frames]
    stretches = [stretch for stretch in (*fed, reader.finish()) if stretch is not None]
    picture, carrier = summed(parts_of(stretches)), carrier_of(PUBLISHED_KEY)
    tried = [Geometry(), *(Geometry(inverted_from=radius) for radius in RADII)]
    return [try_geometry(picture, PUBLISHED_KEY, carrier, one).lock.score for one in tried]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--sizes", default="9,13,17,21")
    asked = parser.parse_args()
    heads = ["clip", "short side", "filter", "zero", "none", *(f"{one:.2f}" for one in RADII)]
    print(f"| {' | '.join(heads)} | message |")
    print("|---" * (len(heads) + 1) + "|")
    for path in asked.clips:
        with open_video(path) as video:
            frames = [image for _, image in zip(range(asked.frames), video.images(), strict=False)]
        side = min(frames[0].shape[:2])
        marked = list(RobustMark().embed(frames, MESSAGE, key=PUBLISHED_KEY, fps=FPS))
        for name, filtered in FILTERS.items():
            for size in (int(one) for one in asked.sizes.split(",")):
                changed = [filtered(image, size) for image in marked]
                reading = RobustMark().detect(changed, keys=[PUBLISHED_KEY], fps=FPS)
                cells = " | ".join(f"{score:.1f}" for score in scores(changed))
                outcome = "read" if reading.message == MESSAGE else "not"
                zero = side / SHORT_SIDE / size
                print(
                    f"| {path.name} | {side} | {name} {size} | {zero:.3f} | {cells} | {outcome} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
