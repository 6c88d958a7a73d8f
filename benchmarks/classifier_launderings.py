"""What the classifier gains and loses by the launderings its training clips go through.

    python benchmarks/classifier_launderings.py clips.csv --cache DIR [--where]

Trains the shipped recipe on clips as they are, and with each at half its size, at CRF 35, after the
social-media preset and after random launderings beside them, and on laundered clips alone. Every
score is of a model that saw no clip of the group, in any form; the mean of three rounds. Printed
are the area under the curve over all clips as they are, after a random laundering that no model was
trained on, at CRF 35, at half size and after the social-media preset, and what is found at 5 % and
1 % false alarms as they are. With --where, for the member that
says where: the F1 of stretches on the self-made splices of `vidigree classifier evaluate`, as they
are and encoded once more at CRF 35.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import LabelledClip, read_dataset
from vidigree.detect.classifier.duplicates import linked_lists
from vidigree.detect.classifier.extraction import build_table
from vidigree.detect.classifier.fitting import Recipe, TrainingSettings, held_out_members
from vidigree.detect.classifier.localisation_figures import localisation_figures
from vidigree.detect.classifier.metrics import area_under_curve, true_positive_rate

TRAINED: tuple[tuple[str, ...], ...] = (
    ("none",),
    ("none", "half"),
    ("none", "crf35"),
    ("none", "crf35", "half"),
    ("none", "crf35", "half", "social"),
    ("none", "draw-0"),
    ("none", "draw-1"),
    ("none", "draw-2"),
    ("none", "draw-0", "draw-1", "draw-2"),
    ("none", "crf35", "half", "draw-0"),
    ("none", "crf35", "half", "draw-0", "draw-1", "draw-2"),
    ("crf35", "half", "draw-0", "draw-1", "draw-2"),
)
WHERE_TRAINED: tuple[tuple[str, ...], ...] = (
    ("none", "draw-0", "crf35"),
    ("none", "draw-0", "crf35", "half"),
    ("none", "half", "crf35"),
    ("none", "half"),
    ("none", "half", "crf28"),
    ("none", "half", "draw-0"),
)
SCORED = ("none", "draw-3", "crf35", "half", "social")
ROUNDS = 3
RATES = (0.05, 0.01)


def row(
    trained: tuple[str, ...], scored: list[NDArray[np.float64]], labels: NDArray[np.bool_]
) -> str:
    """Return a row of the table."""
    seen = [~np.isnan(members[:, 0]) for members in scored]
    areas = [
        area_under_curve(members[has, 0], labels[has])
        for members, has in zip(scored, seen, strict=True)
    ]
    clean, has = scored[0][:, 0], seen[0]
    found = [true_positive_rate(clean[has], labels[has], rate) for rate in RATES]
    cells = [", ".join(trained), *(f"{value:.3f}" for value in (*areas, *found))]
    return f"| {' | '.join(cells)} |"


def where_row(
    trained: tuple[str, ...], clips: list[LabelledClip], cache: WindowCache, whole: TrainingSettings
) -> str:
    """Return a row of the table of what says where."""
    settings = replace(whole, local_launderings=trained)
    tables = {
        name: build_table(clips, laundering=name, blocks=settings.every_block, cache=cache)
        for name in settings.every_laundering
    }
    training = [tables[name].only(settings.blocks) for name in settings.launderings]
    recipe = Recipe(clips=clips, training=training, settings=settings, stack=np.zeros(2))
    found = localisation_figures(recipe.fitted_local(tables), settings.every_block, cache)
    if found is None:
        raise SystemExit("No clip is long enough for a splice.")
    return f"| {', '.join(trained)} | {found.time_f1:.3f} | {found.hard_f1:.3f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--where", action="store_true")
    asked = parser.parse_args()
    cache, settings = WindowCache(asked.cache), TrainingSettings()
    clips, _ = linked_lists(read_dataset(asked.clips), (), cache)
    if asked.where:
        print("| what says where trained on | F1 | encoded once more at CRF 35 |")
        print("| --- | --- | --- |")
        for trained in WHERE_TRAINED:
            print(where_row(trained, clips, cache, settings), flush=True)
        return
    settings = replace(settings, seeds=settings.seeds[:ROUNDS])
    labels = np.array([clip.synthetic for clip in clips])
    names = dict.fromkeys((*SCORED, *(name for trained in TRAINED for name in trained)))
    tables = {
        name: build_table(clips, laundering=name, blocks=settings.blocks, cache=cache)
        for name in names
    }
    print("| trained on | " + " | ".join(SCORED) + " | TPR at 5% FPR | at 1% |")
    print("| --- " * (len(SCORED) + 3) + "|")
    for trained in TRAINED:
        recipe = replace(settings, launderings=trained)
        training = [tables[name] for name in trained]
        scored = held_out_members(clips, training, [tables[name] for name in SCORED], recipe)
        print(row(trained, scored, labels), flush=True)


if __name__ == "__main__":
    main()
