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
from vidigree.detect.classifier.canonical import RECIPE, RECIPE_ID, canonical_windows
from vidigree.detect.classifier.dataset import LabelledClip, clip_groups, folds
from vidigree.detect.classifier.duplicates import link_near_duplicates
from vidigree.detect.classifier.extraction import block_features, build_table
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
from vidigree.media.reading import open_video

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
        near_duplicates: Clips that show the same pictures as another one.
        unscored: Clips without a window.
        auc: Area under the curve, leave-origin-out.
        tpr: False positive rate to true positive rate, with intervals.
        ece: Expected calibration error, the calibration fitted on other folds.
        brier: Brier score at even prior odds, likewise.
        per_generator: One row for each generator with enough clips, worst first.
        laundering: Laundering to area under the curve, all on the same clips.
        laundered_clips: Number of those clips.
        clean_auc: Area under the curve of the whole recipe trained on clean windows, one round:
            what the next three are to be compared with.
        group_alone: Feature group to area under the curve with that group only.
        group_left_out: Feature group to area under the curve without it.
        group_added: Feature group that the recipe does not use to area under the curve with it.
        container_probe: Area under the curve from container facts of the source files.
        canonical_probe: The same from what is left of them in canonical form.
        real_floor: Separability of the largest real source from the other real clips;
            ``None`` where no source has enough clips.
        seconds_per_window: CPU seconds from file to features for one two-second window.
    """

    recipe: str
    recipe_id: str
    launderings: tuple[str, ...]
    real_clips: int
    real_origins: int
    synthetic_clips: int
    generators: int
    groups: int
    near_duplicates: int
    unscored: int
    auc: Interval
    tpr: dict[str, Interval]
    ece: float
    brier: float
    per_generator: tuple[GeneratorRow, ...]
    laundering: dict[str, Interval]
    laundered_clips: int
    clean_auc: float
    group_alone: dict[str, float]
    group_left_out: dict[str, float]
    group_added: dict[str, float]
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
    unused: Sequence[str] = (),
    per_origin: int = 1,
    progress: Progress = no_progress,
) -> Evaluation:
    """Measure a training recipe by leaving origins out.

    Args:
        clips: Labelled clips.
        cache: Where windows and features are kept.
        settings: The training recipe.
        launderings: Columns of the laundering matrix, keys of LAUNDERINGS.
        unused: Feature groups to try in addition, one at a time.
        per_origin: Clips of each origin that are laundered; more costs time.
        progress: Told how far it is.

    Raises:
        UsageError: Too few origins to hold any out.
        MediaError: A clip cannot be read.
        OutputError: The cache cannot be written.
    """
    clips = link_near_duplicates(clips, cache)
    sample = _sample(clips, per_origin)
    tables = {
        name: build_table(
            clips,
            laundering=name,
            blocks=settings.blocks,
            cache=cache,
            only=None if name in ("none", *settings.launderings) else sample,
            progress=progress,
        )
        for name in dict.fromkeys((*settings.launderings, "none", *launderings))
    }
    training = [tables[name] for name in settings.launderings]
    columns = dict.fromkeys(("none", *launderings))
    scored = held_out_members(clips, training, [tables[name] for name in columns], settings)
    labels = np.array([clip.synthetic for clip in clips])
    groups = clip_groups(clips)
    seen = ~np.isnan(scored[0][:, 0])
    llr = _calibrated(clips, scored[0], scored[0], seen, settings)
    matrix, laundered = _matrix(clips, dict(zip(columns, scored, strict=True)), sample, settings)
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
        near_duplicates=sum(bool(clip.linked) for clip in clips),
        unscored=int((~seen).sum()),
        auc=bootstrap_interval(area_under_curve, llr, kept, kept_groups),
        tpr={
            f"{rate:g}": bootstrap_interval(_tpr_at(rate), llr, kept, kept_groups)
            for rate in (0.05, 0.01)
        },
        ece=calibration_error(probability, kept),
        brier=brier_score(probability, kept),
        per_generator=_per_generator(llr, kept, origins),
        laundering=matrix,
        laundered_clips=laundered,
        **_ablations(clips, cache, settings, unused, progress),
        container_probe=probe_auc(clips, container_facts(clips), settings),
        canonical_probe=probe_auc(clips, canonical_facts(clips, cache), settings),
        real_floor=real_source_floor(clips, tables["none"], settings),
        seconds_per_window=_cost(clips, settings),
    )


def _sample(clips: Sequence[LabelledClip], per_origin: int) -> list[int]:
    """Return the first clips of every origin and class."""
    taken: dict[tuple[str, bool], int] = {}
    chosen = []
    for index, clip in enumerate(clips):
        key = (clip.origin, clip.synthetic)
        taken[key] = taken.get(key, 0) + 1
        if taken[key] <= per_origin:
            chosen.append(index)
    return chosen


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
