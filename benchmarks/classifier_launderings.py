"""What the classifier gains and loses by the launderings its training clips go through.

    python benchmarks/classifier_launderings.py clips.csv --cache DIR

Trains the shipped recipe on clips as they are, and with each at half its size, at CRF 35 and after
a random laundering beside them. Every score is of a model that saw no clip of the group, in any
form; the mean of the recipe's rounds. Printed are the area under the curve over all clips as they
are, after another random laundering and at CRF 35, and what is found at 5 % and 1 % false alarms as
they are.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import read_dataset
from vidigree.detect.classifier.duplicates import linked_lists
from vidigree.detect.classifier.extraction import build_table
from vidigree.detect.classifier.fitting import TrainingSettings, held_out_members
from vidigree.detect.classifier.metrics import area_under_curve, true_positive_rate

TRAINED = (
    ("none",),
    ("none", "half"),
    ("none", "crf35"),
    ("none", "draw-0"),
    ("none", "half", "crf35"),
    ("none", "half", "draw-0"),
    ("none", "draw-0", "crf35"),
)
SCORED = ("none", "draw-1", "crf35")
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    asked = parser.parse_args()
    cache, settings = WindowCache(asked.cache), TrainingSettings()
    clips, _ = linked_lists(read_dataset(asked.clips), (), cache)
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
