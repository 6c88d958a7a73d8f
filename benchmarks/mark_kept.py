"""Where a codec keeps the mark: the first frame of a scene, by how textured its places are.

    python benchmarks/mark_kept.py CLIPS... [--frames 40] [--codec libx265] [--crf 40]

For places of each texture, as the mask measures it (grey levels): their share of the picture, the
mark's amplitude there (root mean square, grey levels of luma), the share of that amplitude that the
codec keeps, what it adds (root mean square), and the share of all that is kept which is kept there.
"""

from __future__ import annotations

import argparse
import itertools
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.media import open_video
from vidigree.watermark.bench.codecs import coded
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import RobustMark
from vidigree.watermark.robust.carrier import SHORT_SIDE
from vidigree.watermark.robust.frontend import working_luma
from vidigree.watermark.robust.masking import texture

FPS = Fraction(24)
MESSAGE = 0x9123456789ABCDEF
LIMITS = (0.0, 0.3, 1.0, 2.0, 4.0, np.inf)


def luma(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)[..., 0].astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--codec", default="libx265")
    parser.add_argument("--crf", type=int, default=40)
    asked = parser.parse_args()
    print("| clip | texture | area | amplitude | kept | added | of all kept |")
    print("|---" * 7 + "|")
    for path in asked.clips:
        with open_video(path) as video:
            frames = [image for _, image in zip(range(asked.frames), video.images(), strict=False)]
        marked = list(RobustMark().embed(frames, MESSAGE, key=PUBLISHED_KEY, fps=FPS))
        first = luma(frames[0])
        change = luma(marked[0]) - first
        left = luma(coded(marked, asked.codec, asked.crf, FPS)[0]) - first
        height, width = first.shape
        busy = cv2.resize(texture(working_luma(frames[0], SHORT_SIDE)), (width, height))
        whole = float(np.sum(change * left))
        for low, high in itertools.pairwise(LIMITS):
            here = (busy >= low) & (busy < high)
            if not here.any():
                continue
            put, seen = change[here], left[here]
            kept = float(np.sum(put * seen) / np.sum(put * put))
            row = (
                float(here.mean()),
                float(np.sqrt(np.mean(put * put))),
                kept,
                float(np.std(seen - kept * put)),
                float(np.sum(put * seen)) / whole,
            )
            cells = " | ".join(f"{value:.2f}" for value in row)
            print(f"| {path.name} | {low} to {high} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
