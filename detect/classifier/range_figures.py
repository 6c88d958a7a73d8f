"""How often the classifier would not answer, and whether its threshold holds across qualities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import LabelledClip
from vidigree.detect.classifier.metrics import (
    FALSE_POSITIVE_RATES,
    area_under_curve,
    threshold_exceeded_by,
    true_positive_rate,
)
from vidigree.detect.classifier.quality import Quality, outside_range
from vidigree.media.progress import Progress, no_progress

__all__ = [
    "AbstentionRow",
    "RateRow",
    "StratumRow",
    "abstention_rows",
    "clip_qualities",
    "rate_rows",
    "shifted_by_quality",
    "strata",
]

_REASONS = ("drawing", "screen", "too-compressed")
_RIDGE = 50.0
_RATES = (12.5, 20.0, 24.5, 27.5)
"""Frame rates between one row and the next, in frames a second."""

_FEWEST = 4
"""Clips of either class in a row of a rate."""


@dataclass(frozen=True, kw_only=True)
class AbstentionRow:
    """How often one detector of pictures outside the range fires.

    Attributes:
        reason: Code of ABSTENTIONS.
        real: Share of real clips.
        synthetic: Share of synthetic clips.
    """

    reason: str
    real: float
    synthetic: float


@dataclass(frozen=True, kw_only=True)
class StratumRow:
    """Clips of one third of a quality, under the one threshold that all clips share.

    Attributes:
        quality: Name of the measure.
        low: Lowest value in the third.
        high: Highest value in it.
        real_clips: Real clips in it.
        false_alarms: Share of them above the threshold of 5 % false alarms over all.
        found: Share of the synthetic clips in it above that threshold.
    """

    quality: str
    low: float
    high: float
    real_clips: int
    false_alarms: float
    found: float


@dataclass(frozen=True, kw_only=True)
class RateRow:
    """Clips whose files have about the same frame rate, compared with each other alone.

    Attributes:
        low: Lowest frame rate, in frames a second.
        high: Highest.
        real_clips: Real clips of these rates.
        synthetic_clips: Synthetic clips of them.
        auc: Area under the curve, these against those.
    """

    low: float
    high: float
    real_clips: int
    synthetic_clips: int
    auc: float


def clip_qualities(
    clips: Sequence[LabelledClip], cache: WindowCache, *, progress: Progress = no_progress
) -> list[Quality | None]:
    """Measure the first window of every clip, or load it; ``None`` for a clip without a window."""
    found = []
    for index, clip in enumerate(clips):
        found.append(cache.quality(clip))
        progress("quality", index + 1, len(clips))
    return found


def abstention_rows(
    qualities: Sequence[Quality | None], labels: NDArray[np.bool_]
) -> tuple[AbstentionRow, ...]:
    """Return how often each detector fires on clips that it should let pass.

    Args:
        qualities: Of the clips.
        labels: bool (clips,), whether synthetic.
    """
    reasons = np.array(["" if q is None else outside_range(q) for q in qualities])
    return tuple(
        AbstentionRow(
            reason=reason,
            real=float((reasons[~labels] == reason).mean()),
            synthetic=float((reasons[labels] == reason).mean()),
        )
        for reason in _REASONS
    )


def strata(
    llr: NDArray[np.float64], labels: NDArray[np.bool_], measures: dict[str, NDArray[np.float64]]
) -> tuple[StratumRow, ...]:
    """Return false alarms and finds in thirds of each measure.

    Args:
        llr: float64 (n,), held-out ratios.
        labels: bool (n,).
        measures: Name to float64 (n,).
    """
    threshold = threshold_exceeded_by(llr[~labels], 0.05)
    rows = []
    for name, values in measures.items():
        edges = np.quantile(values[~labels], (1 / 3, 2 / 3))
        third = np.searchsorted(edges, values, side="right")
        for index in range(3):
            inside = third == index
            real, fake = inside & ~labels, inside & labels
            if not real.any() or not fake.any():
                continue
            rows.append(
                StratumRow(
                    quality=name,
                    low=float(values[inside].min()),
                    high=float(values[inside].max()),
                    real_clips=int(real.sum()),
                    false_alarms=float((llr[real] > threshold).mean()),
                    found=float((llr[fake] > threshold).mean()),
                )
            )
    return tuple(rows)


def rate_rows(
    llr: NDArray[np.float64], labels: NDArray[np.bool_], rates: NDArray[np.float64]
) -> tuple[RateRow, ...]:
    """Return how well clips of like frame rate are told apart, where the rate helps little.

    Rates between 12.5, 20, 24.5 and 27.5 frames a second are alike; four clips of either class make
    a row.

    Args:
        llr: float64 (n,), held-out ratios.
        labels: bool (n,).
        rates: float64 (n,), frames a second of the files.
    """
    rows = []
    for index in range(len(_RATES) + 1):
        inside = np.searchsorted(_RATES, rates, side="right") == index
        real, fake = int((inside & ~labels).sum()), int((inside & labels).sum())
        if min(real, fake) < _FEWEST:
            continue
        rows.append(
            RateRow(
                low=float(rates[inside].min()),
                high=float(rates[inside].max()),
                real_clips=real,
                synthetic_clips=fake,
                auc=area_under_curve(llr[inside], labels[inside]),
            )
        )
    return tuple(rows)


def shifted_by_quality(
    llr: NDArray[np.float64],
    labels: NDArray[np.bool_],
    qualities: Sequence[Quality],
    fold: NDArray[np.int64],
) -> dict[str, float]:
    """Return false to true positive rate if the expected ratio of a real clip were taken off.

    The expectation is a ridge regression of real clips' ratios on their quality, fitted on other
    folds: a threshold conditioned on quality.

    Args:
        llr: float64 (n,).
        labels: bool (n,).
        qualities: Of the clips.
        fold: int64 (n,).
    """
    measures = np.array([astuple(quality) for quality in qualities])
    measures[:, 1] = np.log(measures[:, 1])
    measures = (measures - measures.mean(axis=0)) / (measures.std(axis=0) + 1e-9)
    columns = np.concatenate([measures, np.ones((len(llr), 1))], axis=1)
    penalty = np.diag([_RIDGE] * measures.shape[1] + [0.0])
    shifted = np.zeros(len(llr))
    for index in np.unique(fold):
        fitted = (fold != index) & ~labels
        gram = columns[fitted].T @ columns[fitted] + penalty
        beta = np.linalg.solve(gram, columns[fitted].T @ llr[fitted])
        held_out = fold == index
        shifted[held_out] = llr[held_out] - columns[held_out] @ beta
    return {f"{rate:g}": true_positive_rate(shifted, labels, rate) for rate in FALSE_POSITIVE_RATES}
