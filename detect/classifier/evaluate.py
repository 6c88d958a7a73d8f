"""The audit table: what the classifier reaches on clips whose origins training did not see."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.alternatives import alternative_areas
from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.calibration import cross_fitted_llr
from vidigree.detect.classifier.canonical import RECIPE, RECIPE_ID, canonical_windows
from vidigree.detect.classifier.dataset import LabelledClip, clip_groups, folds
from vidigree.detect.classifier.duplicates import linked_lists
from vidigree.detect.classifier.evaluation import Evaluation, GeneratorRow
from vidigree.detect.classifier.extraction import FeatureTable, block_features, build_table
from vidigree.detect.classifier.fitting import (
    Further,
    Recipe,
    TrainingSettings,
    clip_weights,
    fitted_stack,
    held_out_members,
)
from vidigree.detect.classifier.localisation_figures import localisation_figures
from vidigree.detect.classifier.metrics import (
    Interval,
    area_under_curve,
    bootstrap_interval,
    brier_score,
    calibration_error,
    chance_calibration_error,
    true_positive_rate,
)
from vidigree.detect.classifier.own_engines import own_engine_rows
from vidigree.detect.classifier.plots import reliability_points, roc_points
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
    shifted_by_quality,
    strata,
)
from vidigree.detect.classifier.training import further_tables
from vidigree.detect.classifier.trees import extra_trees
from vidigree.media.progress import Progress, no_progress
from vidigree.media.reading import open_video

__all__ = ["evaluate"]

_FEWEST = 4
"""Clips a generator needs for a figure of its own."""

_DRAWN, _ALIGNED = "draw-0", "aligned-0"


def evaluate(
    clips: Sequence[LabelledClip],
    *,
    cache: WindowCache,
    settings: TrainingSettings,
    launderings: Sequence[str],
    unused: Sequence[str] = (),
    most_laundered: int = 75,
    own: Sequence[LabelledClip] = (),
    further: Sequence[LabelledClip] = (),
    progress: Progress = no_progress,
) -> Evaluation:
    """Measure a training recipe by leaving origins out.

    Args:
        clips: Labelled clips.
        cache: Where windows and features are kept.
        settings: The training recipe.
        launderings: Columns of the laundering matrix, keys of LAUNDERINGS.
        unused: Feature groups to try in addition, one at a time.
        most_laundered: Clips in the rows of the laundering matrix that training does not use; one
            an origin, evenly spread. More costs time.
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
    clips, linked = linked_lists(clips, further, cache)
    sample = _sample(clips, most_laundered)
    tables = {
        name: build_table(
            clips,
            laundering=name,
            blocks=settings.blocks,
            cache=cache,
            only=None if name in ("none", *settings.every_laundering) else sample,
            progress=progress,
        )
        for name in dict.fromkeys((*settings.every_laundering, "none", *launderings))
    }
    training = [tables[name] for name in settings.launderings]
    columns = dict.fromkeys(("none", *launderings))
    beside = further_tables(linked, cache, settings, progress)
    asked = [tables[name] for name in columns]
    scored = held_out_members(clips, training, asked, settings, beside)
    labels = np.array([clip.synthetic for clip in clips])
    groups = clip_groups(clips)
    seen = ~np.isnan(scored[0][:, 0])
    llr = _calibrated(clips, scored[0], scored[0], seen, settings)
    matrix, laundered = _matrix(clips, dict(zip(columns, scored, strict=True)), sample, settings)
    kept, kept_groups = labels[seen], groups[seen]
    probability = 1 / (1 + np.exp(-llr))
    origins = np.array([clip.origin for clip in clips])[seen]
    recipe = Recipe(
        clips=clips,
        training=training,
        settings=settings,
        stack=fitted_stack(clips, scored[0]),
        further=beside,
    )
    alone = replace(recipe, further=Further())
    qualities = clip_qualities(clips, cache, progress=progress)
    known = [quality for quality, has in zip(qualities, seen, strict=True) if has and quality]
    fold = folds(clips, groups, count=settings.fold_count, seed=settings.seeds[0])
    return Evaluation(
        recipe=RECIPE,
        recipe_id=RECIPE_ID,
        launderings=settings.launderings,
        real_clips=int((~kept).sum()),
        real_origins=len(set(origins[~kept])),
        synthetic_clips=int(kept.sum()),
        generators=len(set(origins[kept])),
        groups=len(np.unique(kept_groups)),
        further_clips=len(linked),
        further_origins=len({clip.origin for clip in linked}),
        near_duplicates=sum(bool(clip.linked) for clip in clips),
        unscored=int((~seen).sum()),
        auc=bootstrap_interval(area_under_curve, llr, kept, kept_groups),
        tpr={
            f"{rate:g}": bootstrap_interval(_tpr_at(rate), llr, kept, kept_groups)
            for rate in (0.05, 0.01)
        },
        ece=calibration_error(probability, kept),
        ece_by_chance=chance_calibration_error(probability, kept),
        brier=brier_score(probability, kept),
        per_generator=_per_generator(llr, kept, origins),
        laundering=matrix,
        laundered_clips=laundered,
        **_ablations(clips, cache, settings, unused, progress),
        alternatives=alternative_areas(alone, _aligned(clips, cache, settings, progress)),
        container_probe=probe_auc(clips, container_facts(clips), settings),
        canonical_probe=probe_auc(clips, canonical_facts(clips, cache), settings),
        real_floor=real_source_floor(clips, tables["none"], settings),
        seconds_per_window=_cost(clips, settings),
        abstentions=abstention_rows(qualities, labels),
        strata=strata(llr, kept, _measures(known)),
        tpr_shifted=shifted_by_quality(llr, kept, known, fold[seen]),
        localisation=localisation_figures(
            recipe.fitted_local(tables), settings.blocks, cache, progress=progress
        ),
        own_engines=own_engine_rows(recipe, own, cache, reals=llr[~kept]),
        roc=tuple(roc_points(llr, kept)),
        reliability=tuple(reliability_points(probability, kept)),
    )


def _measures(qualities: Sequence[Quality]) -> dict[str, NDArray[np.float64]]:
    names = ("smooth", "colours", "sharpness", "blockiness")
    return {name: np.array([getattr(quality, name) for quality in qualities]) for name in names}


def _sample(clips: Sequence[LabelledClip], most: int) -> list[int]:
    """Return the first clip of origins of either class, evenly spread over their order."""
    first: dict[tuple[str, bool], int] = {}
    for index, clip in enumerate(clips):
        first.setdefault((clip.origin, clip.synthetic), index)
    chosen = sorted(first.values())
    return chosen[:: -(-len(chosen) // most)]


def _matrix(
    clips: Sequence[LabelledClip],
    scored: dict[str, NDArray[np.float64]],
    sample: list[int],
    settings: TrainingSettings,
) -> tuple[dict[str, Interval], int]:
    """Return the area per laundering on the sampled clips that have a window in every one."""
    labels = np.array([clip.synthetic for clip in clips])
    groups = clip_groups(clips)
    clean = scored["none"]
    seen = np.zeros(len(clips), dtype=np.bool_)
    seen[sample] = True
    for members in scored.values():
        seen &= ~np.isnan(members[:, 0])
    known = ~np.isnan(clean[:, 0])
    figures = {}
    for name, members in scored.items():
        llr = _calibrated(clips, clean, members, known, settings)[seen[known]]
        figures[name] = bootstrap_interval(area_under_curve, llr, labels[seen], groups[seen])
    return figures, int(seen.sum())


def _calibrated(
    clips: Sequence[LabelledClip],
    clean: NDArray[np.float64],
    members: NDArray[np.float64],
    known: NDArray[np.bool_],
    settings: TrainingSettings,
) -> NDArray[np.float64]:
    """Return ratios of the clips in ``known``; stacks are fitted on clean clips of other folds."""
    labels = np.array([clip.synthetic for clip in clips])[known]
    weights = clip_weights(clips)[known]
    fold = folds(clips, clip_groups(clips), count=settings.fold_count, seed=settings.seeds[0])
    return cross_fitted_llr(clean[known], labels, weights, fold[known], applied_to=members[known])


def _tpr_at(rate: float) -> Any:
    def figure(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
        return true_positive_rate(scores, labels, rate)

    return figure


def _per_generator(
    llr: NDArray[np.float64], labels: NDArray[np.bool_], origins: NDArray[np.str_]
) -> tuple[GeneratorRow, ...]:
    reals = llr[~labels]
    threshold = np.sort(reals)[::-1][int(0.05 * len(reals))]
    rows = []
    for name in sorted(set(origins[labels])):
        own = llr[labels & (origins == name)]
        if len(own) < _FEWEST:
            continue
        both = np.concatenate([reals, own])
        mark = np.arange(len(both)) >= len(reals)
        rows.append(
            GeneratorRow(
                name=str(name),
                clips=len(own),
                auc=area_under_curve(both, mark),
                found=float((own > threshold).mean()),
            )
        )
    return tuple(sorted(rows, key=lambda row: row.auc))


def _aligned(
    clips: Sequence[LabelledClip],
    cache: WindowCache,
    settings: TrainingSettings,
    progress: Progress,
) -> FeatureTable | None:
    """Return the other half of one drawn real clip of each source, if any are drawn."""
    if _DRAWN not in settings.launderings:
        return None
    first: dict[str, int] = {}
    for index, clip in enumerate(clips):
        if not clip.synthetic:
            first.setdefault(clip.origin, index)
    return build_table(
        clips,
        laundering=_ALIGNED,
        blocks=settings.blocks,
        cache=cache,
        only=list(first.values()),
        progress=progress,
    )


def _ablations(
    clips: Sequence[LabelledClip],
    cache: WindowCache,
    settings: TrainingSettings,
    unused: Sequence[str],
    progress: Progress,
) -> dict[str, Any]:
    """Return areas under the curve with other feature groups; one round, clean training only."""
    used = settings.groups
    everything = replace(settings, groups=(*used, *unused), seeds=settings.seeds[:1])
    table = build_table(
        clips, laundering="none", blocks=everything.blocks, cache=cache, progress=progress
    )

    def area(groups: tuple[str, ...]) -> float:
        part = replace(everything, groups=groups)
        chosen = table.only(part.blocks)
        members = held_out_members(clips, [chosen], [chosen], part)[0]
        seen = ~np.isnan(members[:, 0])
        labels = np.array([clip.synthetic for clip in clips])[seen]
        return area_under_curve(_calibrated(clips, members, members, seen, part), labels)

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
