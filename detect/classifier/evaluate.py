"""The audit table: what the classifier reaches on clips whose origins training did not see."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.alternatives import alternative_areas
from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.canonical import RECIPE, RECIPE_ID, canonical_windows
from vidigree.detect.classifier.dataset import LabelledClip, clip_groups, folds, require_origins
from vidigree.detect.classifier.duplicates import linked_lists
from vidigree.detect.classifier.evaluation import Evaluation
from vidigree.detect.classifier.extraction import FeatureTable, block_features, build_table
from vidigree.detect.classifier.fitting import (
    Further,
    Recipe,
    TrainingSettings,
    fitted_stack,
    held_out_members,
)
from vidigree.detect.classifier.held_out import HeldOut, calibrated, headline, held_out
from vidigree.detect.classifier.laundering import ALIGNED, DRAWN
from vidigree.detect.classifier.laundering_figures import laundering_figures
from vidigree.detect.classifier.localisation_figures import localisation_figures
from vidigree.detect.classifier.metrics import area_under_curve
from vidigree.detect.classifier.own_engines import own_engine_rows
from vidigree.detect.classifier.probes import (
    canonical_facts,
    container_facts,
    probe_auc,
    real_source_floor,
)
from vidigree.detect.classifier.quality import Quality
from vidigree.detect.classifier.range_figures import (
    abstention_rows,
    clip_qualities,
    rate_rows,
    shifted_by_quality,
    strata,
)
from vidigree.detect.classifier.training import further_tables
from vidigree.detect.classifier.trees import extra_trees
from vidigree.media.progress import Progress, no_progress
from vidigree.media.reading import open_video, probe

__all__ = ["evaluate"]


def evaluate(
    clips: Sequence[LabelledClip],
    *,
    cache: WindowCache,
    settings: TrainingSettings,
    launderings: Sequence[str],
    unused: Sequence[str] = (),
    own: Sequence[LabelledClip] = (),
    further: Sequence[LabelledClip] = (),
    progress: Progress = no_progress,
) -> Evaluation:
    """Measure a training recipe by leaving origins out.

    Args:
        clips: Labelled clips.
        cache: Where windows and features are kept.
        settings: The training recipe.
        launderings: Rows of the table of launderings, keys of LAUNDERINGS, or DRAWN.
        unused: Feature groups to try in addition, one at a time.
        own: Clips of the project's own engines, marks off; reported apart.
        further: Clips to train on beside ``clips``, in no figure; ablations, other members and
            probes do without them.
        progress: Told how far it is.

    Raises:
        UsageError: Too few origins to hold any out, or scikit-learn is not installed.
        MediaError: A clip cannot be read.
        OutputError: The cache cannot be written.
    """
    extra_trees()  # what is missing is told now, not after hours of work
    require_origins(clips, settings.fold_count)
    clips, linked = linked_lists(clips, further, cache)
    trained = ("none", *settings.every_laundering)
    tables = {
        name: build_table(
            clips,
            laundering=name,
            blocks=settings.every_block if name in trained else settings.blocks,
            cache=cache,
            progress=progress,
        )
        for name in dict.fromkeys((*trained, *launderings))
    }
    recipe, scored = _scored(
        clips,
        tables,
        dict.fromkeys(("none", *launderings)),
        settings,
        further_tables(linked, cache, settings, progress),
    )
    held = held_out(clips, scored["none"], settings)
    quality = _by_quality(clips, held, settings, cache, progress)
    return Evaluation(
        recipe=RECIPE,
        recipe_id=RECIPE_ID,
        launderings=settings.launderings,
        seeds=settings.seeds,
        further_clips=len(linked),
        further_origins=len({clip.origin for clip in linked}),
        near_duplicates=sum(bool(clip.linked) for clip in clips),
        **headline(held),
        **laundering_figures(clips, scored, settings),
        **_ablations(clips, cache, settings, unused, progress),
        alternatives=alternative_areas(
            replace(recipe, further=Further()), _aligned(clips, cache, settings, progress)
        ),
        container_probe=probe_auc(clips, container_facts(clips), settings),
        canonical_probe=probe_auc(clips, canonical_facts(clips, cache), settings),
        real_floor=real_source_floor(clips, tables["none"].only(settings.blocks), settings),
        seconds_per_window=_cost(clips, settings),
        **quality,
        localisation=localisation_figures(
            recipe.fitted_local(tables), settings.every_block, cache, progress=progress
        ),
        own_engines=own_engine_rows(recipe, own, cache, reals=held.llr[~held.labels]),
    )


def _scored(
    clips: Sequence[LabelledClip],
    tables: Mapping[str, FeatureTable],
    columns: Iterable[str],
    settings: TrainingSettings,
    beside: Further,
) -> tuple[Recipe, dict[str, NDArray[np.float64]]]:
    """Return the recipe on all clips, and its held-out members by laundering."""
    training = [tables[name].only(settings.blocks) for name in settings.launderings]
    members = {name: tables[name].only(settings.blocks) for name in columns}
    held_out = held_out_members(clips, training, list(members.values()), settings, beside)
    scored = dict(zip(members, held_out, strict=True))
    recipe = Recipe(
        clips=clips,
        training=training,
        settings=settings,
        stack=fitted_stack(clips, scored["none"]),
        further=beside,
    )
    return recipe, scored


def _by_quality(
    clips: Sequence[LabelledClip],
    held: HeldOut,
    settings: TrainingSettings,
    cache: WindowCache,
    progress: Progress,
) -> dict[str, Any]:
    """Return what is taken for outside the range, and the figures by quality of the picture."""
    qualities = clip_qualities(clips, cache, progress=progress)
    known = [quality for quality, has in zip(qualities, held.seen, strict=True) if has and quality]
    fold = folds(clips, clip_groups(clips), count=settings.fold_count, seed=settings.seeds[0])
    return {
        "abstentions": abstention_rows(qualities, np.array([clip.synthetic for clip in clips])),
        "strata": strata(held.llr, held.labels, _measures(known)),
        "rates": rate_rows(held.llr, held.labels, _rates(clips)[held.seen]),
        "tpr_shifted": shifted_by_quality(held.llr, held.labels, known, fold[held.seen]),
    }


def _rates(clips: Sequence[LabelledClip]) -> NDArray[np.float64]:
    return np.array([float(probe(clip.path).fps) for clip in clips])


def _measures(qualities: Sequence[Quality]) -> dict[str, NDArray[np.float64]]:
    names = ("smooth", "colours", "sharpness", "blockiness")
    return {name: np.array([getattr(quality, name) for quality in qualities]) for name in names}


def _aligned(
    clips: Sequence[LabelledClip],
    cache: WindowCache,
    settings: TrainingSettings,
    progress: Progress,
) -> tuple[FeatureTable, FeatureTable]:
    """Return both halves of the aligned pairs of one real clip of each source."""
    first: dict[str, int] = {}
    for index, clip in enumerate(clips):
        if not clip.synthetic:
            first.setdefault(clip.origin, index)
    real, made = (
        build_table(
            clips,
            laundering=name,
            blocks=settings.blocks,
            cache=cache,
            only=list(first.values()),
            progress=progress,
        )
        for name in (DRAWN, ALIGNED)
    )
    return real, made


def _ablations(
    clips: Sequence[LabelledClip],
    cache: WindowCache,
    settings: TrainingSettings,
    unused: Sequence[str],
    progress: Progress,
) -> dict[str, Any]:
    """Return areas under the curve with other feature groups, trained on clips as they are."""
    used = settings.groups
    everything = replace(settings, groups=(*used, *unused), launderings=("none",))
    table = build_table(
        clips, laundering="none", blocks=everything.blocks, cache=cache, progress=progress
    )

    def area(groups: tuple[str, ...]) -> float:
        part = replace(everything, groups=groups)
        chosen = table.only(part.blocks)
        members = held_out_members(clips, [chosen], [chosen], part)[0]
        seen = ~np.isnan(members[:, 0])
        labels = np.array([clip.synthetic for clip in clips])[seen]
        return area_under_curve(calibrated(clips, members, members, seen, part), labels)

    return {
        "clean_auc": area(used),
        "group_alone": {name: area((name,)) for name in (*used, *unused)},
        "group_left_out": {
            name: area(tuple(other for other in used if other != name)) for name in used
        },
        "group_added": {name: area((*used, name)) for name in unused},
    }


def _cost(clips: Sequence[LabelledClip], settings: TrainingSettings) -> float:
    """Return CPU seconds a window from file to features, decoding and all."""
    kinds = tuple(sorted({block.view for block in settings.blocks}))
    count = 0
    start = time.process_time()
    for clip in clips[:: max(1, len(clips) // 12)]:
        with open_video(clip.path) as reader:
            for window in canonical_windows(reader, kinds=kinds):
                block_features(window, settings.blocks)
                count += 1
    return (time.process_time() - start) / max(1, count)
