"""How alike fingerprints of altered copies and of unrelated clips are: where the thresholds lie.

    python benchmarks/fingerprint_likeness.py CLIPS.CSV [--limit 120] [--pairs 1000] [--json FILE]
        [--only ALTERATION ...]

CLIPS.CSV has the columns ``file`` (relative to a folder ``clips`` beside it) and ``origin``. Every
copy is altered and then encoded again with x264. Printed per alteration: quantiles of the likeness
of each clip with its copy, and the shares that reach SAME (recall) or are called another picture:
those that fall below DIFFERENT and, as parts of the clip, below CUT. Pairs of different origins
give the false matches, as they are and in any of the ways that a search tries (in a mirror, as a
negative, and both); clips of one origin may share footage and are left out. The thresholds are in
detect/look_up.py.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import tempfile
from collections.abc import Callable, Collection, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.look_up import CUT, DIFFERENT, SAME
from vidigree.media import VideoWriter, VidigreeError, open_video
from vidigree.watermark.cut_likeness import cut_likeness
from vidigree.watermark.fingerprint import Fingerprint, Fingerprinter, similarity

Image = NDArray[np.uint8]
Clip = tuple[list[Image], Fraction]
Compared = tuple[float, bool]
MAX_FRAMES = 120


def read(path: Path) -> tuple[Clip, Fingerprint]:
    """Return the pictures of a clip, and its fingerprint as an audit takes it from the file."""
    with open_video(path) as reader:
        fps = Fraction(reader.info.fps)
        builder, images = Fingerprinter(fps), []
        for _, frame in zip(range(MAX_FRAMES), reader, strict=False):
            builder.feed(frame)
            images.append(frame.image)
    return (images, fps), builder.finish()


def each(change: Callable[[Image], Image]) -> Callable[[Clip], Clip]:
    return lambda clip: ([change(image) for image in clip[0]], clip[1])


def crop(share: float, *, y: float = 0.5, x: float = 0.5) -> Callable[[Image], Image]:
    """Keep a share of each edge; y and x say from where, 0.5 is the middle."""

    def apply(image: Image) -> Image:
        height, width = (round(side * share) for side in image.shape[:2])
        top, left = round((image.shape[0] - height) * y), round((image.shape[1] - width) * x)
        return image[top : top + height, left : left + width]

    return apply


def somewhere(share: float) -> Callable[[Clip], Clip]:
    """Crop at a place that the clip itself decides, the same every time."""

    def apply(clip: Clip) -> Clip:
        y, x = np.random.default_rng(int(clip[0][0].sum())).random(2)
        return each(crop(share, y=y, x=x))(clip)

    return apply


def far_end(share: float) -> Callable[[Image], Image]:
    """Keep a share of the long side, from its left or upper end."""

    def apply(image: Image) -> Image:
        height, width = image.shape[:2]
        if width >= height:
            return image[:, : round(width * share)]
        return image[: round(height * share)]

    return apply


def half(image: Image) -> Image:
    return np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def tone(gain: float, offset: float) -> Callable[[Image], Image]:
    return lambda image: (image * gain + offset).clip(0, 255).astype(np.uint8)


def letterbox(image: Image) -> Image:
    """Add black bars of a fifth of the height above and below."""
    bar = image.shape[0] // 5
    return np.pad(image, ((bar, bar), (0, 0), (0, 0)))


def pillarbox(image: Image) -> Image:
    """Add black bars of a quarter of the width at both sides."""
    bar = image.shape[1] // 4
    return np.pad(image, ((0, 0), (bar, bar), (0, 0)))


def logo(image: Image) -> Image:
    """Put a white box with dark letters into a corner: 30 % by 12 % of the picture."""
    image = image.copy()
    height, width = image.shape[0] * 12 // 100, image.shape[1] * 30 // 100
    top, left = image.shape[0] - height - 8, image.shape[1] - width - 8
    image[top : top + height, left : left + width] = 235
    at = (left + 4, top + height - 4)
    cv2.putText(image, "channel", at, cv2.FONT_HERSHEY_SIMPLEX, height / 30, (20, 20, 20), 2)
    return image


def fewer(clip: Clip) -> Clip:
    """Drop frames, 5 of 8 stay, as 24 frames per second become 15."""
    frames, fps = clip
    kept = [frames[k * 8 // 5] for k in range(len(frames) * 5 // 8)]
    return kept or frames[:1], fps * 5 / 8


def trimmed(clip: Clip) -> Clip:
    """Keep the middle 60 %."""
    frames, fps = clip
    return frames[len(frames) // 5 : max(len(frames) * 4 // 5, len(frames) // 5 + 1)], fps


# Name -> the change, x264 CRF, x264 preset.
ALTERATIONS: dict[str, tuple[Callable[[Clip], Clip], int, str]] = {
    "CRF 30": (each(lambda image: image), 30, "medium"),
    "CRF 40": (each(lambda image: image), 40, "medium"),
    "half size": (each(half), 23, "ultrafast"),
    "crop .9": (each(crop(0.9)), 23, "ultrafast"),
    "crop .8 off centre": (each(crop(0.8, y=0.2, x=0.8)), 23, "ultrafast"),
    "crop .9 anywhere": (somewhere(0.9), 23, "ultrafast"),
    "crop .8 anywhere": (somewhere(0.8), 23, "ultrafast"),
    "crop .71": (each(crop(0.71)), 23, "ultrafast"),
    "crop .71 + CRF 30": (each(crop(0.71)), 30, "medium"),
    "crop .71 corner": (each(crop(0.71, y=0, x=0)), 23, "ultrafast"),
    "crop .55": (each(crop(0.55)), 23, "ultrafast"),
    "3/4 of the long side": (each(far_end(0.75)), 23, "ultrafast"),
    "9/16 of the long side": (each(far_end(0.5625)), 23, "ultrafast"),
    "24 to 15 fps": (fewer, 23, "ultrafast"),
    "darker": (each(tone(0.6, 0)), 23, "ultrafast"),
    "brighter": (each(tone(1.2, 25)), 23, "ultrafast"),
    "letterbox": (each(letterbox), 23, "ultrafast"),
    "pillarbox": (each(pillarbox), 23, "ultrafast"),
    "logo": (each(logo), 23, "ultrafast"),
    "trimmed to 60 %": (trimmed, 23, "ultrafast"),
    "mirrored": (each(lambda image: image[:, ::-1]), 23, "ultrafast"),
    "negative": (each(lambda image: 255 - image), 23, "ultrafast"),
}
# What the mark tells of a copy.
LAID: dict[str, Callable[[Fingerprint], Fingerprint]] = {
    "mirrored": Fingerprint.mirrored,
    "negative": Fingerprint.negative,
}


def encoded(clip: Clip, crf: int, preset: str) -> Fingerprint:
    """Return the fingerprint of a copy."""
    frames, fps = clip
    height, width = (side // 2 * 2 for side in frames[0].shape[:2])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "copy.mp4"
        with VideoWriter(
            path, width=width, height=height, fps=fps, crf=crf, preset=preset
        ) as writer:
            for image in frames:
                writer.write(np.ascontiguousarray(image[:height, :width]))
        return read(path)[1]


def clips(table: Path, limit: int) -> Iterator[tuple[str, str, Clip, Fingerprint]]:
    """Yield name, origin, frames and fingerprint of clips, in the same order every time."""
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    random.Random(0).shuffle(rows)
    for row in rows[:limit]:
        try:
            clip, fingerprint = read(table.parent / "clips" / row["file"])
            yield row["file"], row["origin"], clip, fingerprint
        except VidigreeError as error:
            print(f"left out {row['file']}: {error}")


def quantiles(values: list[float]) -> dict[str, float]:
    marks = (0.0, 0.01, 0.05, 0.5, 0.95, 0.99, 0.999, 1.0)
    return {f"{mark:g}": round(float(np.quantile(values, mark)), 3) for mark in marks}


def compared(seen: Fingerprint, issued: Fingerprint) -> Compared:
    """Return the likeness, and whether a marked clip would be called another picture."""
    likeness = similarity(issued, seen)
    if likeness >= DIFFERENT or not (seen.usable and issued.usable):
        return likeness, False
    return likeness, cut_likeness(seen, issued) < CUT


def summary(results: list[Compared]) -> dict[str, Any]:
    values = [likeness for likeness, _ in results]
    return {
        "number": len(values),
        "at least SAME": round(float(np.mean([value >= SAME for value in values])), 6),
        "below DIFFERENT": round(float(np.mean([value < DIFFERENT for value in values])), 6),
        "called another": round(float(np.mean([another for _, another in results])), 6),
        "quantiles": quantiles(values),
    }


def measure(table: Path, limit: int, pairs_of: int, alterations: Collection[str]) -> dict[str, Any]:
    originals: dict[str, tuple[str, Fingerprint]] = {}
    likenesses: dict[str, list[Compared]] = {name: [] for name in alterations}
    read_clips = clips(table, max(limit, pairs_of))
    for number, (name, origin, clip, original) in enumerate(read_clips):
        originals[name] = (origin, original)
        if number >= limit:
            continue
        for alteration in alterations:
            change, crf, preset = ALTERATIONS[alteration]
            copy = encoded(change(clip), crf, preset)
            seen = LAID.get(alteration, lambda fingerprint: fingerprint)(copy)
            likenesses[alteration].append(compared(seen, original))
    names = sorted(originals)
    different = [
        (one, other)
        for number, one in enumerate(names)
        for other in names[number + 1 :]
        if originals[one][0] != originals[other][0]
    ]
    pairs = [
        (compared(originals[one][1], originals[other][1]), one, other) for one, other in different
    ]
    ways = [
        max(similarity(way, originals[other][1]) for way in originals[one][1].ways())
        for one, other in different
    ]
    return {
        "clips": len(names),
        "altered clips": min(limit, len(names)),
        "thresholds": {"SAME": SAME, "DIFFERENT": DIFFERENT, "CUT": CUT},
        "copies": {name: summary(values) for name, values in likenesses.items()},
        "different clips": summary([result for result, _, _ in pairs]),
        "different clips in any way": {
            "at least SAME": round(float(np.mean([likeness >= SAME for likeness in ways])), 6),
            "quantiles": quantiles(ways),
        },
        "most alike": sorted(((result[0], *names) for result, *names in pairs), reverse=True)[:12],
    }


def show(result: dict[str, Any]) -> None:
    print(f"{result['altered clips']} of {result['clips']} clips altered")
    print(f"SAME = {SAME}, DIFFERENT = {DIFFERENT}, CUT = {CUT}")
    rows = [*result["copies"].items(), ("different clips", result["different clips"])]
    for name, row in rows:
        spread = "  ".join(f"{mark}: {value:.3f}" for mark, value in row["quantiles"].items())
        shares = f"same {row['at least SAME']:8.2%}  below {row['below DIFFERENT']:7.2%}"
        print(f"{name:<22} {shares}  another {row['called another']:7.2%}  {spread}")
    row = result["different clips in any way"]
    spread = "  ".join(f"{mark}: {value:.3f}" for mark, value in row["quantiles"].items())
    print(f"{'the same in any way':<22} same {row['at least SAME']:8.2%}  {spread}")
    for likeness, one, other in result["most alike"]:
        print(f"  {likeness:.3f}  {one}  {other}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, help="CSV of clips")
    parser.add_argument("--limit", type=int, default=120, help="number of clips to alter")
    parser.add_argument("--pairs", type=int, default=1000, help="number of clips to pair")
    parser.add_argument(
        "--only", nargs="+", choices=ALTERATIONS, default=list(ALTERATIONS), help="alterations"
    )
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    result = measure(arguments.table, arguments.limit, arguments.pairs, arguments.only)
    show(result)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
