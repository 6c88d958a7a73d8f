"""Mandatory baselines: what can be told from facts that are no traces of synthesis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import LabelledClip, clip_groups, folds
from vidigree.detect.classifier.extraction import FeatureTable
from vidigree.detect.classifier.fitting import TrainingSettings, held_out_members
from vidigree.detect.classifier.metrics import area_under_curve
from vidigree.detect.classifier.trees import extra_trees
from vidigree.media.reading import probe

__all__ = ["canonical_facts", "container_facts", "probe_auc", "real_source_floor"]


def container_facts(clips: Sequence[LabelledClip]) -> NDArray[np.float64]:
    """Return rate, width, height, frames, bytes a second and sound of the files, (clips, 6)."""
    rows = []
    for clip in clips:
        info = probe(clip.path)
        frames = info.num_frames or 0
        seconds = float(info.duration or 0) or 1.0
        size = clip.path.stat().st_size / seconds
        rows.append(
            [float(info.fps), info.width, info.height, frames, np.log(size), info.has_audio]
        )
    return np.array(rows, dtype=np.float64)


def canonical_facts(clips: Sequence[LabelledClip], cache: WindowCache) -> NDArray[np.float64]:
    """Return what the canonical files of each clip still tell: frames in a window, (clips, 1).

    Rate, size, aspect, codec, sound and position are the same for all by construction, and the
    number of windows is not used by any score.
    """
    rows = []
    for clip in clips:
        windows = cache.windows(clip, "none")
        rows.append([float(np.mean([w.num_frames for w in windows])) if windows else 0.0])
    return np.array(rows)


def probe_auc(
    clips: Sequence[LabelledClip], facts: NDArray[np.float64], settings: TrainingSettings
) -> float:
    """Return the leave-origin-out area under the curve of a forest on facts, (clips, k).

    Raises:
        UsageError: scikit-learn is not installed.
    """
    trees = extra_trees()
    labels = np.array([clip.synthetic for clip in clips])
    fold = folds(clips, clip_groups(clips), count=settings.fold_count, seed=settings.seeds[0])
    scores = np.zeros(len(clips))
    for index in range(settings.fold_count):
        forest = trees(200, min_samples_leaf=5, random_state=0)
        forest.fit(facts[fold != index], labels[fold != index])
        scores[fold == index] = forest.predict_proba(facts[fold == index])[:, 1]
    return area_under_curve(scores, labels)


def real_source_floor(
    clips: Sequence[LabelledClip], table: FeatureTable, settings: TrainingSettings
) -> tuple[float, float, float] | None:
    """Return how well the same recipe tells the largest real source from the other real clips.

    The least, the mean and the most of the rounds, trained on clips as they are. Which sources
    share a fold with which decides more than a tenth, so one round alone says little.

    Nothing synthetic is involved, so what is above 0.5 is the part of any figure that source
    identity alone could explain. The clips of the one source are spread over the folds; those of
    the others stay together by group. ``None`` where no source has a clip for every fold.
    """
    reals = [index for index, clip in enumerate(clips) if not clip.synthetic]
    origins = [clips[index].origin for index in reals]
    largest = max(sorted(set(origins)), key=origins.count)
    if origins.count(largest) < settings.fold_count:
        return None
    relabelled = []
    for place, index in enumerate(reals):
        own = origins[place] == largest
        relabelled.append(
            replace(
                clips[index],
                synthetic=own,
                origin=f"{largest} {place}" if own else clips[index].origin,
                repository="" if own else clips[index].repository,
            )
        )
    number = {index: place for place, index in enumerate(reals)}
    keep = np.isin(table.clip, reals)
    part = FeatureTable(
        table.blocks,
        table.values[keep],
        np.array([number[int(index)] for index in table.clip[keep]], dtype=np.int64),
    )
    areas = []
    for seed in settings.seeds:
        one_round = replace(settings, launderings=("none",), seeds=(seed,))
        members = held_out_members(relabelled, [part], [part], one_round)[0]
        seen = ~np.isnan(members[:, 0])
        labels = np.array([clip.synthetic for clip in relabelled])[seen]
        areas.append(area_under_curve(members[seen, 0], labels))
    return min(areas), float(np.mean(areas)), max(areas)
