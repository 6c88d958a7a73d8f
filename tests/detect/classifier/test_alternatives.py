from __future__ import annotations

import numpy as np
import pytest
from fixtures.labelled_clips import alternating_clips

from vidigree.detect.classifier.alternatives import alternative_areas
from vidigree.detect.classifier.extraction import FeatureTable
from vidigree.detect.classifier.fitting import Recipe, TrainingSettings

pytest.importorskip("sklearn")

SETTINGS = TrainingSettings(
    groups=("motion", "noise"), launderings=("none", "crf35"), fold_count=4, seeds=(0,)
)


def _table(count: int, seed: int, shift: float) -> FeatureTable:
    """Rows of 17 + 29 features; those of synthetic clips, every other one, are shifted."""
    rows = np.random.default_rng(seed).normal(size=(count, 46)).astype(np.float32)
    rows[1::2] += shift
    return FeatureTable(SETTINGS.blocks, rows, np.arange(count))


def _recipe(shift: float, count: int = 40) -> Recipe:
    tables = [_table(count, seed, shift) for seed in (0, 1)]
    stack = np.array([1.0, 0.0])
    return Recipe(clips=alternating_clips(count), training=tables, settings=SETTINGS, stack=stack)


def test_members_that_learn_find_a_shift_and_nothing_finds_none() -> None:
    halves = _table(40, 2, 0.0), _table(40, 3, 0.0)
    found = alternative_areas(_recipe(1.0), halves)
    assert len(found) == 8
    for name, area in found.items():
        if not name.startswith("one-class"):
            assert area > 0.9, name
    for name, area in alternative_areas(_recipe(0.0), halves).items():
        assert 0.2 < area < 0.8, name


@pytest.mark.slow
def test_either_half_of_aligned_pairs_pulls_to_its_class() -> None:
    # The made halves of real clips lie where the synthetic ones of a shifted table lie.
    shifted, real_clips = _table(80, 2, 1.0), np.arange(0, 80, 2)
    real, made = (
        FeatureTable(SETTINGS.blocks, shifted.values[first::2], real_clips) for first in (0, 1)
    )
    scored = Recipe(
        clips=alternating_clips(80),
        training=[_table(80, 0, 0.3), _table(80, 1, 0.0)],
        settings=SETTINGS,
        stack=np.array([1.0, 0.0]),
    )

    def with_pairs(called_real: FeatureTable, called_made: FeatureTable) -> float:
        return list(alternative_areas(scored, (called_real, called_made)).values())[-1]

    # The wrong way round they teach the wrong thing; with one half twice, only half of it.
    right, turned = with_pairs(real, made), with_pairs(made, real)
    assert turned < min(with_pairs(real, real), with_pairs(made, made))
    assert max(with_pairs(real, real), with_pairs(made, made)) < right
