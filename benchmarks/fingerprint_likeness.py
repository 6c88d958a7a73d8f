"""How alike fingerprints of unrelated clips and of altered copies are: where the thresholds lie.

    python benchmarks/fingerprint_likeness.py FOLDER_WITH_CLIPS [--limit 120]

Prints quantiles of the likeness of pairs of different clips, and of each clip with its copy after
H.264 CRF 35, central crops, half size, and a mirror. Thresholds are in detect/look_up.py.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.look_up import DIFFERENT, SAME
from vidigree.media import VideoWriter, VidigreeError, open_video
from vidigree.watermark.fingerprint import Fingerprint, fingerprint_frames, similarity

Image = NDArray[np.uint8]
MAX_FRAMES = 120


def read(path: Path) -> tuple[list[Image], float]:
    with open_video(path) as reader:
        frames = [image for _, image in zip(range(MAX_FRAMES), reader.images(), strict=False)]
        return frames, float(reader.info.fps)


def crop(share: float) -> Callable[[Image], Image]:
    def apply(image: Image) -> Image:
        height, width = image.shape[:2]
        y, x = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
        return image[y : height - y, x : width - x]

    return apply


def half(image: Image) -> Image:
    return np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def encoded(frames: list[Image], fps: float, crf: int) -> list[Image]:
    even = [image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2] for image in frames]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "copy.mp4"
        height, width = even[0].shape[:2]
        from fractions import Fraction

        rate = Fraction(fps).limit_denominator(1001)
        with VideoWriter(path, width=width, height=height, fps=rate, crf=crf) as writer:
            for image in even:
                writer.write(np.ascontiguousarray(image))
        return read(path)[0]


def quantiles(values: list[float]) -> str:
    marks = (0.0, 0.01, 0.05, 0.5, 0.95, 0.99, 0.999, 1.0)
    return "  ".join(f"{mark:g}: {np.quantile(values, mark):.3f}" for mark in marks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=120)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    paths = sorted(path for path in arguments.folder.rglob("*.mp4"))
    random.Random(0).shuffle(paths)
    originals: dict[str, Fingerprint] = {}
    copies: dict[str, list[float]] = {}
    for path in paths[: arguments.limit]:
        try:
            frames, fps = read(path)
        except VidigreeError:
            continue
        original = fingerprint_frames(frames, fps)
        originals[path.name] = original
        variants = {
            "crop 0.9": [crop(0.9)(image) for image in frames],
            "crop 0.71": [crop(0.71)(image) for image in frames],
            "crop 0.55": [crop(0.55)(image) for image in frames],
            "half size": [half(image) for image in frames],
            "mirrored": [image[:, ::-1] for image in frames],
            "H.264 CRF 35": encoded(frames, fps, 35),
        }
        for name, images in variants.items():
            likeness = similarity(original, fingerprint_frames(images, fps))
            copies.setdefault(name, []).append(likeness)
    names = sorted(originals)
    pairs = [
        (similarity(originals[one], originals[other]), one, other)
        for number, one in enumerate(names)
        for other in names[number + 1 :]
    ]
    print(f"{len(names)} clips, {len(pairs)} pairs; SAME = {SAME}, DIFFERENT = {DIFFERENT}")
    print(f"{'unrelated pairs':<16} {quantiles([likeness for likeness, _, _ in pairs])}")
    for name, values in copies.items():
        same = np.mean([value >= SAME for value in values])
        different = np.mean([value < DIFFERENT for value in values])
        print(f"{name:<16} {quantiles(values)}  same {same:.0%}, different {different:.0%}")
    print("most alike pairs:")
    for likeness, one, other in sorted(pairs, reverse=True)[:12]:
        print(f"  {likeness:.3f}  {one}  {other}")


if __name__ == "__main__":
    main()
