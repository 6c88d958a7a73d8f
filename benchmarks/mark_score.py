"""How much of the mark is left after codecs: the score that decoding lives on.

    python benchmarks/mark_score.py CLIPS... [--frames 40] [--codec libx265] [--crf 36,40]
        [--messages 3] [--learned] [--plane cr] [--set masking._FLOOR=2.0]

Prints, for each clip, PSNR and the PSNR of its first frame (with the last message), and the
normalised correlation of the data points with their codeword, weighted as the detector does, after
the codec at each CRF and after half size and CRF 28, at the geometry that is known, as the mean of
several messages; with ``--learned`` what the learned front end sees instead of the linear one. A
message is read from about 10.5 on (see mark_code.py); as a smooth measure it decides with ten clips
what recovery rates need hundreds for. ``--plane`` puts the same change into a plane of chroma, at
the same error over red, green and blue but for rounding, and reads it there. ``--set`` changes a
constant of the package ``vidigree.watermark.robust`` for this run, to compare.
"""

from __future__ import annotations

import argparse
import ast
import importlib
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidigree.media import open_video
from vidigree.media.frame import Frame
from vidigree.watermark.bench.codecs import coded
from vidigree.watermark.bench.distortions import resized
from vidigree.watermark.bench.quality import psnr
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import RobustMark
from vidigree.watermark.robust.carrier import TILE, carrier_of
from vidigree.watermark.robust.geometry import Geometry
from vidigree.watermark.robust.modulation import align, channel_gain, symbols_of
from vidigree.watermark.robust.payload import nonce_of
from vidigree.watermark.robust.reading import Trial, codeword_score, reweighed
from vidigree.watermark.robust.stretches import StretchReader, learned_parts, parts_of
from vidigree.watermark.robust.sync import Lock

Frames = list[NDArray[np.uint8]]
FPS = Fraction(24)
MESSAGES = (0x9123456789ABCDEF, 0x1234567890ABCDEF, 0xDEADBEEF01234567)
LEARNED_STRETCHES = 20
# Of a plane (BT.601): what one level of it adds to red, green and blue, and how it is read.
PLANES = {
    "cb": ((0.0, -0.344, 1.772), (-0.169, -0.331, 0.5)),
    "cr": ((1.402, -0.714, 0.0), (0.5, -0.419, -0.081)),
}


def read(path: Path, most: int) -> Frames:
    with open_video(path) as video:
        return [image for _, image in zip(range(most), video.images(), strict=False)]


def half_size(frames: Frames, codec: str) -> Frames:
    height, width = frames[0].shape[:2]
    small = coded(resized(frames, 0.5, 0.5), codec, 28, FPS)
    rows, columns = small[0].shape[:2]
    return resized(small, width / columns, height / rows)


def moved(frames: Frames, marked: Frames, plane: str) -> Frames:
    """Return the frames with the change of the marked ones in a plane of chroma, equally strong."""
    levels = np.array(PLANES[plane][0], np.float32)
    levels /= np.sqrt(np.mean(levels**2))
    changes = [
        np.mean(after.astype(np.float32) - before, axis=2, keepdims=True) * levels
        for before, after in zip(frames, marked, strict=True)
    ]
    return [
        np.clip(np.rint(frame + change), 0, 255).astype(np.uint8)
        for frame, change in zip(frames, changes, strict=True)
    ]


def seen_in(frames: Frames, plane: str) -> Frames:
    """Return a plane of chroma, twice enlarged around grey, as grey frames."""
    weights = 2 * np.array(PLANES[plane][1], np.float32)
    planes = [np.clip(frame.astype(np.float32) @ weights + 128, 0, 255) for frame in frames]
    return [np.repeat(np.rint(one).astype(np.uint8)[..., None], 3, axis=2) for one in planes]


def score(frames: Frames, message: int, learned: bool = False) -> float:
    """Return the score of the data points at the shift that key and message give."""
    reader = StretchReader(FPS)
    fed = [reader.feed(Frame(image=image, time=Fraction(0))) for image in frames]
    stretches = [stretch for stretch in (*fed, reader.finish()) if stretch is not None]
    carrier = carrier_of(PUBLISHED_KEY)
    x, y = nonce_of(message, PUBLISHED_KEY)
    lock = Lock(shift=(x * TILE, y * TILE), score=0.0)
    nothing = np.zeros(len(carrier.waves), np.complex64)
    trial = Trial(
        key=PUBLISHED_KEY, carrier=carrier, geometry=Geometry(), lock=lock, spectrum=nothing
    )
    parts = learned_parts(stretches, LEARNED_STRETCHES) if learned else parts_of(stretches)
    spectrum = reweighed(trial, parts * 2 if len(parts) == 1 else parts).spectrum
    aligned = align(spectrum, carrier, lock.shift)
    gain = channel_gain(aligned, carrier)
    return codeword_score(aligned, symbols_of(message, carrier), carrier, gain)


def change(setting: str) -> None:
    """Change one constant: ``module.NAME=value``."""
    place, value = setting.split("=", 1)
    module, name = place.rsplit(".", 1)
    target = importlib.import_module(f"vidigree.watermark.robust.{module}")
    if not hasattr(target, name):
        raise SystemExit(f"vidigree.watermark.robust.{module} has no {name}.")
    setattr(target, name, ast.literal_eval(value))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--codec", default="libx264")
    parser.add_argument("--crf", default="36,40")
    parser.add_argument("--messages", type=int, default=1, choices=range(1, len(MESSAGES) + 1))
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--learned", action="store_true", help="score the learned front end")
    parser.add_argument("--plane", choices=PLANES, help="a plane of chroma instead of luma")
    asked = parser.parse_args()
    for setting in asked.settings:
        change(setting)
    strengths = [int(crf) for crf in asked.crf.split(",")]
    heads = [*(f"{asked.codec} CRF {crf}" for crf in strengths), "half size + CRF 28"]
    print(f"| clip | size | PSNR | first frame | {' | '.join(heads)} |")
    print("|---" * (4 + len(heads)) + "|")
    kept = []
    for path in asked.clips:
        frames = read(path, asked.frames)
        rows = []
        for message in MESSAGES[: asked.messages]:
            marked = list(RobustMark().embed(frames, message, key=PUBLISHED_KEY, fps=FPS))
            if asked.plane:
                marked = moved(frames, marked, asked.plane)
            changed = [coded(marked, asked.codec, crf, FPS) for crf in strengths]
            changed.append(half_size(marked, asked.codec))
            if asked.plane:
                changed = [seen_in(each, asked.plane) for each in changed]
            rows.append([score(each, message, asked.learned) for each in changed])
        row = np.mean(rows, axis=0)
        kept.append(row)
        height, width = frames[0].shape[:2]
        cells = " | ".join(f"{value:.1f}" for value in row)
        quality = f"{psnr(frames, marked):.2f} | {psnr(frames[:1], marked[:1]):.2f}"
        print(f"| {path.name} | {width} x {height} | {quality} | {cells} |", flush=True)
    means = np.exp(np.mean(np.log(np.maximum(kept, 1.0)), axis=0))
    print(f"| geometric mean | | | | {' | '.join(f'{mean:.1f}' for mean in means)} |")


if __name__ == "__main__":
    main()
