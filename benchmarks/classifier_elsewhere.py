"""How the classifier's recipe does on clips from elsewhere: other cameras, later generators.

    python benchmarks/classifier_elsewhere.py clips.csv --cache DIR \
        --real OPEN/real.csv --synthetic OPEN/synthetic.csv [--thumbnails DIR] [--without GROUP]

OPEN is what benchmarks/open_clips.py unpacks. Every score is of models that saw no clip of the
group: the list's clips by leave-origin-out, the others by those same models. Nothing of --synthetic
is ever trained on. Printed are, for training on the list alone, as the shipped weights are, and on
the list with --real: the area under the curve on the list; how many of --real
are above the threshold that 5 % of the list's real clips exceed, and the area of the list's
synthetic clips against them (only where they were not trained on); the area of --synthetic against
the list's real clips, all and by origin, and how many are above that threshold. Those clips are
thumbnails, so with --thumbnails the list's real clips are brought to that form, too (a square of
350 pixels, 15 frames a second, WebP at quality 85), and the area is given against these as well.
A clip outside is scored by all models that did not see its group, up to 24, one of the list by 3.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import LabelledClip, clip_groups, folds, read_dataset
from vidigree.detect.classifier.duplicates import linked_lists
from vidigree.detect.classifier.extraction import FeatureTable, build_table
from vidigree.detect.classifier.fitting import Recipe, TrainingSettings, clip_members
from vidigree.detect.classifier.metrics import area_under_curve, true_positive_rate
from vidigree.detect.classifier.sampling import nearest_frames
from vidigree.detect.classifier.training import further_tables
from vidigree.media.output import output_file
from vidigree.media.reading import open_video

SIDE, RATE, MOST, QUALITY = 350, 15, 45, 85
EVEN = np.array([1.0, 0.0])


@dataclass(frozen=True)
class Outside:
    """Clips that are scored and not trained on, with their features."""

    clips: Sequence[LabelledClip]
    table: FeatureTable


def scores(recipe: Recipe, outside: Sequence[Outside]) -> list[NDArray[np.float64]]:
    """Return held-out scores of the recipe's clips, then of those outside; NaN without a window."""
    clips, settings, further = recipe.clips, recipe.settings, recipe.further.clips
    scored = [*clips, *(clip for part in outside for clip in part.clips)]
    everything = clip_groups([*scored, *further])
    groups, beside = everything[: len(scored)], everything[len(scored) :]
    own, ends = groups[: len(clips)], np.cumsum([len(clips), *(len(p.clips) for p in outside)])
    tables = [recipe.training[0], *(part.table for part in outside)]
    total = np.zeros(len(groups))
    count = np.zeros(len(groups))
    for seed in settings.seeds:
        fold = folds(clips, own, count=settings.fold_count, seed=seed)
        for index in range(settings.fold_count):
            model = recipe.without(fold == index)
            kept = beside[~np.isin(beside, own[fold == index])]
            unseen = ~np.isin(groups, [*own[fold != index], *kept])
            parts = [
                clip_members(model, table, size)[:, 0]
                for table, size in zip(tables, np.diff([0, *ends]), strict=True)
            ]
            total[unseen] += np.concatenate(parts)[unseen]
            count += unseen
    return np.split(total / count, ends[:-1])


def write_thumbnail(clip: LabelledClip, path: Path) -> None:
    """Write the beginning of a clip in the form of the workflows' thumbnails."""
    with (
        open_video(clip.path) as reader,
        output_file(path) as temporary,
        av.open(str(temporary), "w", format="matroska") as container,
    ):
        stream = cast("Any", container.add_stream("libx264", rate=RATE))
        stream.width, stream.height, stream.pix_fmt = SIDE, SIDE, "yuv420p"
        stream.options = {"crf": "8", "preset": "fast"}
        for index, sampled in enumerate(nearest_frames(reader, Fraction(RATE))):
            if index == MOST:
                break
            image = sampled.image
            height, width = image.shape[:2]
            side = min(height, width)
            top, left = (height - side) // 2, (width - side) // 2
            square = image[top : top + side, left : left + side]
            method = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
            small = cv2.resize(square, (SIDE, SIDE), interpolation=method)
            lossy = io.BytesIO()
            Image.fromarray(small).save(lossy, "WEBP", quality=QUALITY)
            with Image.open(lossy) as picture:
                decoded = np.ascontiguousarray(picture.convert("RGB"))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(decoded, format="rgb24")))
        container.mux(stream.encode(None))


def thumbnails(
    clips: Sequence[LabelledClip], folder: Path, cache: WindowCache
) -> list[LabelledClip]:
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for clip in clips:
        path = folder / f"{cache.digest(clip)[:16]}.mkv"
        if not path.exists():
            write_thumbnail(clip, path)
        made.append(replace(clip, path=path, sha256=""))
    return made


def area(synthetic: NDArray[np.float64], real: NDArray[np.float64]) -> float:
    both = np.concatenate([synthetic, real])
    known = ~np.isnan(both)
    return area_under_curve(both[known], (np.arange(len(both)) < len(synthetic))[known])


def report(name: str, recipe: Recipe, outside: dict[str, Outside]) -> None:
    found = dict(zip(("list", *outside), scores(recipe, list(outside.values())), strict=True))
    labels = np.array([clip.synthetic for clip in recipe.clips])
    known = ~np.isnan(found["list"])
    reals, synthetic = found["list"][~labels & known], found["list"][labels & known]
    limit = np.sort(reals)[::-1][int(0.05 * len(reals))]
    rate = true_positive_rate(found["list"][known], labels[known], 0.05)
    print(f"{name}: list {area(synthetic, reals):.3f}, found at 5 % {rate:.3f}")
    if "real" in found:
        real = found["real"][~np.isnan(found["real"])]
        print(
            f"  {len(real)} real clips from elsewhere: {np.mean(real > limit):.1%} above the"
            f" threshold, area {area(synthetic, real):.3f}"
        )
    has = ~np.isnan(found["synthetic"])
    later = found["synthetic"][has]
    print(
        f"  {len(later)} synthetic clips from elsewhere: area"
        f" {area(later, reals):.3f}, found {np.mean(later > limit):.1%}"
    )
    if "thumbnails" in found:
        print(
            f"  the same against real clips in their form: {area(later, found['thumbnails']):.3f}"
        )
    origins = np.array([clip.origin for clip in outside["synthetic"].clips])[has]
    rows = [(area(later[origins == o], reals), o, np.sum(origins == o)) for o in set(origins)]
    print("  " + ", ".join(f"{o} {value:.2f} ({count})" for value, o, count in sorted(rows)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--synthetic", type=Path, required=True)
    parser.add_argument("--thumbnails", type=Path, help="folder for the list's clips as thumbnails")
    parser.add_argument("--without", help="feature group to leave out")
    asked = parser.parse_args()
    cache, settings = WindowCache(asked.cache), TrainingSettings()
    groups = tuple(name for name in settings.groups if name != asked.without)
    settings = replace(settings, groups=groups, local_further=())  # nothing is asked where
    real = read_dataset(asked.real)
    clips, others = linked_lists(
        read_dataset(asked.clips), [*real, *read_dataset(asked.synthetic)], cache
    )
    sets = {"real": others[: len(real)], "synthetic": others[len(real) :]}
    real = sets["real"]
    if asked.thumbnails:
        reals = [clip for clip in clips if not clip.synthetic]
        sets["thumbnails"] = thumbnails(reals, asked.thumbnails, cache)
    outside = {
        name: Outside(
            chosen, build_table(chosen, laundering="none", blocks=settings.blocks, cache=cache)
        )
        for name, chosen in sets.items()
    }
    training = [
        build_table(clips, laundering=name, blocks=settings.blocks, cache=cache)
        for name in settings.launderings
    ]
    alone = Recipe(clips=clips, training=training, settings=settings, stack=EVEN)
    report("trained on the list alone", alone, outside)
    del outside["real"]
    both = replace(alone, further=further_tables(real, cache, settings))
    report("trained on the list and the real clips from elsewhere", both, outside)


if __name__ == "__main__":
    main()
