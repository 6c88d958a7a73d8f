"""What the eye sees of the mark: original, marked, and eight times the difference, side by side.

    python benchmarks/mark_look.py CLIP --out look.png [--frame 0] [--crop X,Y,SIDE] [--zoom 2]

Frame 0 begins a scene and is the one that is marked most.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vidigree.media import open_video
from vidigree.watermark.bench.quality import psnr
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import RobustMark

FPS = Fraction(24)
MESSAGE = 0x9123456789ABCDEF
AMPLIFIED = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--frame", type=int, default=0)
    parser.add_argument("--crop", default="", help="X,Y,SIDE in pixels")
    parser.add_argument("--zoom", type=int, default=1)
    asked = parser.parse_args()
    with open_video(asked.clip) as video:
        frames = [image for _, image in zip(range(asked.frame + 24), video.images(), strict=False)]
    marked = list(RobustMark().embed(frames, MESSAGE, key=PUBLISHED_KEY, fps=FPS))
    before, after = frames[asked.frame], marked[asked.frame]
    print(f"clip {psnr(frames, marked):.2f} dB, frame {asked.frame} {psnr([before], [after]):.2f}")
    if asked.crop:
        x, y, side = (int(part) for part in asked.crop.split(","))
        before, after = (one[y : y + side, x : x + side] for one in (before, after))
    change = np.clip(128 + AMPLIFIED * (after.astype(int) - before), 0, 255).astype(np.uint8)
    picture = np.repeat(np.hstack([before, after, change]), asked.zoom, axis=0)
    cv2.imwrite(str(asked.out), np.repeat(picture, asked.zoom, axis=1)[..., ::-1])


if __name__ == "__main__":
    main()
