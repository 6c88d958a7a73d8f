"""Draw the gallery: contact sheets of the renderer and of every small engine, and their page.

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

from vidigree.generate import ClipRequest, engine_registry
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
# Engines with weights in the package draw this prompt, in their own size and length.
TRAINED_PROMPT = "a red ball rolling to the left on grass"


def sheet(prompt: str) -> tuple[NDArray[np.uint8], float]:
    """Return four frames side by side, and the CPU seconds of all 48 frames."""
    began = time.process_time()
    scene = stage(read_prompt(prompt), SEED)
    frames = draw_frames(scene, width=SIDE[0], height=SIDE[1], num_frames=FRAMES, fps=Fraction(24))
    kept = [frame for number, frame in enumerate(frames) if number in SHOWN]
    return np.hstack(kept), time.process_time() - began


def trained_engines() -> list[str]:
    """Return the engines with weights of their own, which need no model to be named."""
    infos = [engine_registry.get(name).info for name in engine_registry]
    return [info.name for info in infos if not info.needs_model and info.name != "render"]


def trained_sheet(engine: str) -> tuple[NDArray[np.uint8], float]:
    """Return four frames of a trained engine's clip, and the CPU seconds of all."""
    began = time.process_time()
    request = ClipRequest(prompt=TRAINED_PROMPT, engine=engine, seed=SEED)
    frames = list(engine_registry.get(engine)().generate(request).frames)
    shown = [frames[round(k * (len(frames) - 1) / 3)] for k in range(4)]
    return np.hstack(shown), time.process_time() - began


def save(picture: NDArray[np.uint8], path: Path) -> None:
    cv2.imwrite(str(path), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])


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
        save(picture, folder / "gallery" / name)
        lines += [f"**{prompt}** ({seconds:.1f} s)", "", f"![{prompt}](gallery/{name})", ""]
        print(f"{seconds:6.1f} s  {prompt}")
    lines += [
        "## The trained engines",
        "",
        f'"{TRAINED_PROMPT}", seed {SEED}, in each engine\'s own size and length: four frames from',
        "the first to the last. [How the families were trained, and what they score](families.md).",
        "",
    ]
    for engine in trained_engines():
        picture, seconds = trained_sheet(engine)
        save(picture, folder / "gallery" / f"{engine}.jpg")
        lines += [f"**{engine}** ({seconds:.1f} s)", "", f"![{engine}](gallery/{engine}.jpg)", ""]
        print(f"{seconds:6.1f} s  {engine}")
    (folder / "gallery.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
