"""Draw the gallery of the renderer: contact sheets and the page that shows them.

Run from the repository root::

    python benchmarks/gallery.py docs

Every sheet is one clip: four frames from left to right. Sheets are pictures for a page, too small
and too few to be clips, so they carry no mark; clips leave through ``vidigree generate`` only.
"""

from __future__ import annotations

import argparse
import time
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.render import draw_frames, read_prompt, stage

PROMPTS = (
    "two red balls bouncing on a wooden floor",
    "a stack of five wooden cubes knocked over by a big bowling ball on concrete",
    "a gold ball and a mirror ball rolling right on a marble floor",
    "seven dominoes falling on a wooden table",
    "a basketball bouncing on tiles, low angle",
    "a football bouncing on grass at sunset",
    "three glowing balls floating on ice at night",
    "a beach ball and three green cubes falling on sand",
    "ten small metal balls raining on a checkered floor",
    "a tower of six cubes collapsing on asphalt, cloudy sky",
    "a traffic cone and a barrel on asphalt, orbiting camera",
)
SEED, SIDE, FRAMES, SHOWN = 5, (320, 240), 48, (2, 14, 27, 44)


def sheet(prompt: str) -> tuple[NDArray[np.uint8], float]:
    """Return four frames side by side, and the CPU seconds of all 48 frames."""
    began = time.process_time()
    scene = stage(read_prompt(prompt), SEED)
    frames = draw_frames(scene, width=SIDE[0], height=SIDE[1], num_frames=FRAMES, fps=Fraction(24))
    kept = [frame for number, frame in enumerate(frames) if number in SHOWN]
    return np.hstack(kept), time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("docs", type=Path, help="folder of the documentation")
    folder = parser.parse_args().docs
    (folder / "gallery").mkdir(exist_ok=True)
    lines = [
        "# Gallery",
        "",
        "Drawn by `python benchmarks/gallery.py docs`: seed 5, 320 x 240, 48 frames at 24 fps, of",
        "which four are shown. CPU seconds are those of one core of the machine that drew them.",
        "",
    ]
    for number, prompt in enumerate(PROMPTS, start=1):
        picture, seconds = sheet(prompt)
        name = f"{number:02d}.jpg"
        quality = [cv2.IMWRITE_JPEG_QUALITY, 82]
        cv2.imwrite(str(folder / "gallery" / name), picture[..., ::-1], quality)
        lines += [f"**{prompt}** ({seconds:.1f} s)", "", f"![{prompt}](gallery/{name})", ""]
        print(f"{seconds:6.1f} s  {prompt}")
    (folder / "gallery.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
