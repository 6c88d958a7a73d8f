"""The clips that have a held-out score, and what the scores reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.calibration import cross_fitted_llr
from vidigree.detect.classifier.dataset import LabelledClip, clip_groups, folds
from vidigree.detect.classifier.evaluation import GeneratorRow
from vidigree.detect.classifier.fitting import TrainingSettings, clip_weights
from vidigree.detect.classifier.metrics import (
    FALSE_POSITIVE_RATES,
    area_under_curve,
    bootstrap_interval,
    brier_score,
    calibration_error,
    chance_calibration_error,
    threshold_exceeded_by,
    true_positive_rate,
)
from vidigree.detect.classifier.plots import reliability_points, roc_points

__all__ = ["HeldOut", "calibrated", "headline", "held_out"]

_FEWEST = 4
"""Clips a generator needs for a figure of its own."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """The clips that have a score, each scored by models that saw no clip of its group.

    Attributes:
        seen: bool, which of all clips these are; the others below are of these alone.
        llr: float64, log-likelihood ratios.
        labels: bool, whether a clip is synthetic.
        groups: int64, what is held out together.
        origins: Generators and real sources.
    """

    seen: NDArray[np.bool_]
    llr: NDArray[np.float64]
    labels: NDArray[np.bool_]
    groups: NDArray[np.int64]
    origins: NDArray[np.str_]


def held_out(
    clips: Sequence[LabelledClip], members: NDArray[np.float64], settings: TrainingSettings
) -> HeldOut:
    """Return the clips that have a score.

    Args:
        clips: All clips.
        members: float64 (clips, members), held-out scores on clips as they are; NaN for none.
        settings: The training recipe.
    """
    seen = ~np.isnan(members[:, 0])
    return HeldOut(
        seen=seen,
        llr=calibrated(clips, members, members, seen, settings),
        labels=np.array([clip.synthetic for clip in clips])[seen],
        groups=clip_groups(clips)[seen],
        origins=np.array([clip.origin for clip in clips])[seen],
    )


def calibrated(
    clips: Sequence[LabelledClip],
    clean: NDArray[np.float64],
    members: NDArray[np.float64],
    known: NDArray[np.bool_],
    settings: TrainingSettings,
) -> NDArray[np.float64]:
    """Return ratios of the clips in ``known``; stacks are fitted on clean clips of other folds.

    Args:
        clips: All clips.
        clean: float64 (clips, members), held-out scores on clips as they are.
        members: The same of the clips that get a ratio, after what was done to them.
        known: bool, which clips.
        settings: The training recipe.
    """
    labels = np.array([clip.synthetic for clip in clips])[known]
    weights = clip_weights(clips)[known]
    fold = folds(clips, clip_groups(clips), count=settings.fold_count, seed=settings.seeds[0])
    return cross_fitted_llr(clean[known], labels, weights, fold[known], applied_to=members[known])


def headline(held: HeldOut) -> dict[str, Any]:
    """Return on how many clips of how many origins, what the scores reach, and their curves."""
    llr, labels, groups = held.llr, held.labels, held.groups
    probability = 1 / (1 + np.exp(-llr))
    return {
        "real_clips": int((~labels).sum()),
        "real_origins": len(set(held.origins[~labels])),
        "synthetic_clips": int(labels.sum()),
        "generators": len(set(held.origins[labels])),
        "groups": len(np.unique(groups)),
        "unscored": int((~held.seen).sum()),
        "auc": bootstrap_interval(area_under_curve, llr, labels, groups),
        "tpr": {
            f"{rate:g}": bootstrap_interval(_tpr_at(rate), llr, labels, groups)
            for rate in FALSE_POSITIVE_RATES
        },
        "ece": calibration_error(probability, labels),
        "ece_by_chance": chance_calibration_error(probability, labels),
        "brier": brier_score(probability, labels),
        "per_generator": _per_generator(llr, labels, held.origins),
        "roc": tuple(roc_points(llr, labels)),
        "reliability": tuple(reliability_points(probability, labels)),
    }


def _tpr_at(rate: float) -> Any:
    def figure(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
        return true_positive_rate(scores, labels, rate)

    return figure


def _per_generator(
    llr: NDArray[np.float64], labels: NDArray[np.bool_], origins: NDArray[np.str_]
) -> tuple[GeneratorRow, ...]:
    reals = llr[~labels]
    threshold = threshold_exceeded_by(reals, 0.05)
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
