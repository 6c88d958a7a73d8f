"""Training: leave-origin-out scores, a stack calibrated on them, then one fit on everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.calibration import conformal_threshold, stacked_llr
from vidigree.detect.classifier.canonical import RECIPE_ID
from vidigree.detect.classifier.dataset import LabelledClip, require_origins
from vidigree.detect.classifier.duplicates import linked_lists
from vidigree.detect.classifier.extraction import FeatureTable, block_versions, build_table
from vidigree.detect.classifier.fitting import (
    Further,
    Recipe,
    TrainingSettings,
    fitted_stack,
    held_out_members,
)
from vidigree.detect.classifier.model import ClassifierModel, Header
from vidigree.media.progress import Progress, no_progress

__all__ = ["further_tables", "train"]


def train(
    clips: Sequence[LabelledClip],
    *,
    cache: WindowCache,
    settings: TrainingSettings,
    further: Sequence[LabelledClip] = (),
    progress: Progress = no_progress,
) -> ClassifierModel:
    """Train a classifier; seeded, so the same input gives the same weights.

    That holds for the same clips, settings, library versions, number of threads and kind of
    processor: on another kind features may differ a little, and the weights with them.

    Args:
        clips: Labelled clips of both classes from several origins.
        further: Clips to train on beside them, which do not count for calibration and threshold.
        cache: Where windows and features are kept; what is there is not computed again, so an
            interrupted training goes on where it stopped.
        settings: Choices.
        progress: Told how many clips are done.

    Raises:
        UsageError: A class has too few origins to hold any out.
        MediaError: A clip cannot be read.
        OutputError: The cache cannot be written.
    """
    require_origins(clips, settings.fold_count)  # told before every clip is decoded
    clips, linked = linked_lists(clips, further, cache)
    labels = np.array([clip.synthetic for clip in clips])
    tables = {
        name: build_table(
            clips, laundering=name, blocks=settings.every_block, cache=cache, progress=progress
        )
        for name in settings.every_laundering
    }
    beside = further_tables(linked, cache, settings, progress)
    training = [tables[name].only(settings.blocks) for name in settings.launderings]
    asked = [tables["none"].only(settings.blocks)]
    members = held_out_members(clips, training, asked, settings, beside)[0]
    recipe = Recipe(
        clips=clips,
        training=training,
        settings=settings,
        stack=fitted_stack(clips, members),
        further=beside,
    )
    llr = stacked_llr(members, recipe.stack)
    reals = np.sort(llr[~labels & ~np.isnan(llr)])
    return _fitted(
        recipe,
        tables,
        reals=reals,
        header=_header(
            [*clips, *linked],
            cache=cache,
            settings=settings,
            threshold=conformal_threshold(reals, settings.false_alarms),
        ),
    )


def _fitted(
    recipe: Recipe,
    tables: Mapping[str, FeatureTable],
    *,
    reals: NDArray[np.float64],
    header: Header,
) -> ClassifierModel:
    """Fit the model, and the member that says where, to all clips."""
    local = recipe.fitted_local(tables)
    nothing = np.zeros(len(recipe.clips), dtype=bool)
    return replace(
        recipe.without(nothing),
        header=header,
        reals=reals.astype(np.float32),
        local_member=local.without(nothing) if recipe.settings.local_apart else None,
    )


def _header(
    clips: Sequence[LabelledClip],
    *,
    cache: WindowCache,
    settings: TrainingSettings,
    threshold: float,
) -> Header:
    """Say what a model of all these clips is made of."""
    synthetic = sum(clip.synthetic for clip in clips)
    return Header(
        recipe_id=RECIPE_ID,
        blocks=block_versions(settings.blocks),
        launderings=settings.launderings,
        seed=settings.seeds[0],
        real_clips=len(clips) - synthetic,
        synthetic_clips=synthetic,
        false_alarms=settings.false_alarms,
        threshold=threshold,
        trained_on=tuple(sorted({cache.digest(clip)[:16] for clip in clips})),
        local_blocks=block_versions(settings.local.blocks) if settings.local_apart else (),
        local_launderings=settings.local_launderings if settings.local_apart else (),
    )


def further_tables(
    clips: Sequence[LabelledClip],
    cache: WindowCache,
    settings: TrainingSettings,
    progress: Progress = no_progress,
) -> Further:
    """Compute or load the features of clips that are trained on and never scored.

    Raises:
        MediaError: A clip cannot be read.
        OutputError: The cache cannot be written.
    """
    if not clips:
        return Further()
    return Further(
        clips=clips,
        tables={
            name: build_table(
                clips, laundering=name, blocks=settings.every_block, cache=cache, progress=progress
            )
            for name in settings.every_laundering
        },
    )
