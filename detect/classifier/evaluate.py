"""The audit table: what the classifier reaches on clips whose origins training did not see."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.calibration import cross_fitted_llr
from vidigree.detect.classifier.canonical import RECIPE, RECIPE_ID
from vidigree.detect.classifier.dataset import LabelledClip, clip_groups, folds
from vidigree.detect.classifier.extraction import FeatureTable, block_features, build_table
from vidigree.detect.classifier.metrics import (
    Interval,
    area_under_curve,
    bootstrap_interval,
    brier_score,
    calibration_error,
    true_positive_rate,
)
from vidigree.detect.classifier.probes import (
    canonical_facts,
    container_facts,
    probe_auc,
    real_source_floor,
)
from vidigree.detect.classifier.training import (
    TrainingSettings,
    clip_weights,
    held_out_members,
)
from vidigree.media.progress import Progress, no_progress

__all__ = ["Evaluation", "GeneratorRow", "evaluate"]

_FEWEST = 4
"""Clips a generator needs for a figure of its own."""


@dataclass(frozen=True, kw_only=True)
class GeneratorRow:
    """One generator against all real clips.

    Attributes:
        name: The generator.
        clips: Its clips with a score.
        auc: Area under the curve, its clips against all real ones.
        found: Share of its clips above the threshold of 5 % false alarms.
    """

    name: str
    clips: int
    auc: float
    found: float


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Every figure of the audit table. All scores are of models that saw no clip of the group.

    Attributes:
        recipe: The canonical form in words.
        recipe_id: Its short name.
        launderings: What training clips went through.
        real_clips: Real clips with a score.
        real_origins: Their sources.
        synthetic_clips: Synthetic clips with a score.
        generators: Their generators.
        groups: Groups that were held out whole.
        unscored: Clips without a window.
        auc: Area under the curve, leave-origin-out.
        tpr: False positive rate to true positive rate, with intervals.
        ece: Expected calibration error, the calibration fitted on other folds.
        brier: Brier score at even prior odds, likewise.
        per_generator: One row for each generator with enough clips, worst first.
        laundering: Laundering to area under the curve.
        group_alone: Feature group to area under the curve with that group only.
        group_left_out: Feature group to area under the curve without it.
        container_probe: Area under the curve from container facts of the source files.
        canonical_probe: The same from what is left of them in canonical form.
        real_floor: Separability of the largest real source from the other real clips;
            ``None`` where no source has enough clips.
        seconds_per_window: CPU seconds for features and score of one two-second window.
    """

    recipe: str
    recipe_id: str
    launderings: tuple[str, ...]
    real_clips: int
    real_origins: int
    synthetic_clips: int
    generators: int
    groups: int
    unscored: int
    auc: Interval
    tpr: dict[str, Interval]
    ece: float
    brier: float
    per_generator: tuple[GeneratorRow, ...]
    laundering: dict[str, Interval]
    group_alone: dict[str, float]
    group_left_out: dict[str, float]
    container_probe: float
    canonical_probe: float
    real_floor: float | None
    seconds_per_window: float

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return asdict(self)


def evaluate(
    clips: Sequence[LabelledClip],
    *,
    cache: WindowCache,
    settings: TrainingSettings,
    launderings: Sequence[str],
    progress: Progress = no_progress,
) -> Evaluation:
    """Measure a training recipe by leaving origins out.

    Args:
        clips: Labelled clips.
        cache: Where windows and features are kept.
        settings: The training recipe.
        launderings: Columns of the laundering matrix, keys of LAUNDERINGS.
        progress: Told how far it is.

    Raises:
        UsageError: Too few origins to hold any out.
        MediaError: A clip cannot be read.
        OutputError: The cache cannot be written.
    """
    names = dict.fromkeys((*settings.launderings, "none", *launderings))
    tables = {
        name: build_table(
            clips, laundering=name, blocks=settings.blocks, cache=cache, progress=progress
        )
        for name in names
    }
    training = [tables[name] for name in settings.launderings]
    columns = dict.fromkeys(("none", *launderings))
    scored = held_out_members(clips, training, [tables[name] for name in columns], settings)
    labels = np.array([clip.synthetic for clip in clips])
    groups = clip_groups(clips)
    missing = np.isnan(np.stack([member[:, 0] for member in scored]))
    seen = np.asarray(~missing.any(axis=0), dtype=np.bool_)
    llrs = _calibrated(clips, scored, seen, settings)
    llr = llrs[0]
    kept, kept_groups = labels[seen], groups[seen]
    probability = 1 / (1 + np.exp(-llr))
    origins = np.array([clip.origin for clip in clips])[seen]
    return Evaluation(
        recipe=RECIPE,
        recipe_id=RECIPE_ID,
        launderings=settings.launderings,
        real_clips=int((~kept).sum()),
        real_origins=len(set(origins[~kept])),
        synthetic_clips=int(kept.sum()),
        generators=len(set(origins[kept])),
        groups=len(np.unique(kept_groups)),
        unscored=int((~seen).sum()),
        auc=bootstrap_interval(area_under_curve, llr, kept, kept_groups),
        tpr={
            f"{rate:g}": bootstrap_interval(_tpr_at(rate), llr, kept, kept_groups)
            for rate in (0.05, 0.01)
        },
        ece=calibration_error(probability, kept),
        brier=brier_score(probability, kept),
        per_generator=_per_generator(llr, kept, origins),
        laundering={
            name: bootstrap_interval(area_under_curve, column, kept, kept_groups)
            for name, column in zip(columns, llrs, strict=True)
        },
        group_alone=_ablation(clips, training, tables["none"], settings, alone=True),
        group_left_out=_ablation(clips, training, tables["none"], settings, alone=False),
        container_probe=probe_auc(clips, container_facts(clips), settings),
        canonical_probe=probe_auc(clips, canonical_facts(clips, cache), settings),
        real_floor=real_source_floor(clips, tables["none"], settings),
        seconds_per_window=_cost(clips, cache, settings),
    )


def _calibrated(
    clips: Sequence[LabelledClip],
    scored: Sequence[NDArray[np.float64]],
    seen: NDArray[np.bool_],
    settings: TrainingSettings,
) -> list[NDArray[np.float64]]:
    """Return calibrated ratios per table; stacks are fitted on clean clips of other folds."""
    labels = np.array([clip.synthetic for clip in clips])[seen]
    weights = clip_weights(clips)[seen]
    fold = folds(clips, clip_groups(clips), count=settings.fold_count, seed=settings.seeds[0])[seen]
    return [
        cross_fitted_llr(scored[0][seen], labels, weights, fold, applied_to=members[seen])
        for members in scored
    ]


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


def _ablation(
    clips: Sequence[LabelledClip],
    training: Sequence[FeatureTable],
    clean: FeatureTable,
    settings: TrainingSettings,
    *,
    alone: bool,
) -> dict[str, float]:
    """Return the area under the curve with one group only, or with all others; one round."""
    labels = np.array([clip.synthetic for clip in clips])
    figures = {}
    for name in settings.groups:
        groups = tuple(group for group in settings.groups if (group == name) == alone)
        part = replace(settings, groups=groups, seeds=settings.seeds[:1])
        members = held_out_members(
            clips,
            [table.only(part.blocks) for table in training],
            [clean.only(part.blocks)],
            part,
        )
        llr = _calibrated(clips, members, seen := ~np.isnan(members[0][:, 0]), part)[0]
        figures[name] = area_under_curve(llr, labels[seen])
    return figures


def _cost(clips: Sequence[LabelledClip], cache: WindowCache, settings: TrainingSettings) -> float:
    windows = [
        window
        for clip in clips[:: max(1, len(clips) // 12)]
        for window in cache.windows(clip, "none")[:1]
    ]
    start = time.process_time()
    for window in windows:
        block_features(window, settings.blocks)
    return (time.process_time() - start) / max(1, len(windows))
