"""Figures of merit from scores and labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FALSE_POSITIVE_RATES",
    "Interval",
    "OperatingPoint",
    "area_under_curve",
    "bootstrap_interval",
    "brier_score",
    "calibration_error",
    "chance_calibration_error",
    "change_of_area",
    "operating_point",
    "threshold_exceeded_by",
    "true_positive_rate",
]

FALSE_POSITIVE_RATES = (0.05, 0.01)
"""Shares of real clips above a threshold that figures are given for."""


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """What is above a threshold.

    Attributes:
        false_alarms: Share of real clips above it.
        found: Share of synthetic clips above it.
    """

    false_alarms: float
    found: float


def area_under_curve(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    """Return the probability that a synthetic clip scores above a real one, ties half.

    Args:
        scores: float64 (n,).
        labels: bool (n,), whether synthetic; both classes present.
    """
    reals, fakes = np.sort(scores[~labels]), scores[labels]
    below = np.searchsorted(reals, fakes, side="left")
    not_above = np.searchsorted(reals, fakes, side="right")
    return float((below + not_above).mean() / (2 * len(reals)))


def change_of_area(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    """Return by how much the area under the curve of the second scores is above that of the first.

    Args:
        scores: float64 (n, 2), two scores of each clip.
        labels: bool (n,), whether synthetic; both classes present.
    """
    return area_under_curve(scores[:, 1], labels) - area_under_curve(scores[:, 0], labels)


def true_positive_rate(
    scores: NDArray[np.float64], labels: NDArray[np.bool_], false_positive_rate: float
) -> float:
    """Return the share of synthetic clips above the threshold that so many real ones exceed."""
    threshold = threshold_exceeded_by(scores[~labels], false_positive_rate)
    return float((scores[labels] > threshold).mean())


def threshold_exceeded_by(reals: NDArray[np.float64], share: float) -> float:
    """Return the lowest score of a real clip that keeps those above it at or under a share.

    Args:
        reals: float64 (n,), scores of real clips, at least one.
        share: In [0, 1).
    """
    allowed = int(np.floor(share * len(reals) + 1e-9))
    return float(np.sort(reals)[::-1][allowed])


def operating_point(
    scores: NDArray[np.float64], labels: NDArray[np.bool_], threshold: float
) -> OperatingPoint:
    """Return what is above a threshold.

    Args:
        scores: float64 (n,).
        labels: bool (n,), whether synthetic; both classes present.
        threshold: In the units of the scores.
    """
    above = scores > threshold
    return OperatingPoint(
        false_alarms=float(above[~labels].mean()), found=float(above[labels].mean())
    )


def brier_score(probability: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    """Return the mean squared error of probabilities, both classes of equal weight."""
    errors = (probability - labels) ** 2
    return float((errors[labels].mean() + errors[~labels].mean()) / 2)


def calibration_error(
    probability: NDArray[np.float64], labels: NDArray[np.bool_], *, bins: int = 10
) -> float:
    """Return the expected calibration error over bins of equal weight, both classes alike.

    Args:
        probability: float64 (n,) in [0, 1], at even prior odds.
        labels: bool (n,).
        bins: Number of bins.
    """
    weights = np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())
    order = np.argsort(probability, kind="stable")
    reached = np.cumsum(weights[order]) - weights[order] / 2
    bin_of = np.minimum((reached * bins).astype(int), bins - 1)
    error = 0.0
    for index in range(bins):
        chosen = order[bin_of == index]
        if len(chosen):
            gap = (weights[chosen] * (probability[chosen] - labels[chosen])).sum()
            error += abs(gap)
    return float(error)


def chance_calibration_error(
    probability: NDArray[np.float64], labels: NDArray[np.bool_], *, draws: int = 500, seed: int = 0
) -> tuple[float, float]:
    """Return what :func:`calibration_error` comes to if the probabilities were right.

    Few clips in a bin are never exactly as many of a class as expected, so the error is not zero
    then. Labels are drawn by the probabilities, at the odds of the classes in ``labels``.

    Args:
        probability: float64 (n,) in [0, 1], at even prior odds.
        labels: bool (n,), both values present; only their numbers count.
        draws: Number of drawn sets of labels.
        seed: Seed of the draws.

    Returns:
        The mean, and what 95 of 100 draws stay under.
    """
    share = labels.mean()
    synthetic, real = probability * share, (1 - probability) * (1 - share)
    rng = np.random.default_rng(seed)
    drawn = rng.random((draws, len(labels))) < synthetic / (synthetic + real)
    errors = [calibration_error(probability, one) for one in drawn if 0 < one.sum() < len(one)]
    return float(np.mean(errors)), float(np.quantile(errors, 0.95))


def bootstrap_interval(
    figure: Callable[[NDArray[np.float64], NDArray[np.bool_]], float],
    scores: NDArray[np.float64],
    labels: NDArray[np.bool_],
    groups: NDArray[np.int64],
    *,
    rounds: int = 1000,
    seed: int = 0,
) -> Interval:
    """Return a figure and the middle 95 % of it when whole groups are drawn with replacement.

    Clips of one origin are not independent, so groups are drawn and not clips.

    Args:
        figure: Of scores and labels.
        scores: float64 (n,), or (n, k) for a figure that compares several scores of each clip.
        labels: bool (n,), whether synthetic; both classes present.
        groups: int64 (n,).
        rounds: How often groups are drawn.
        seed: Seed of the draws.
    """
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    values = []
    for _ in range(rounds):
        drawn = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        picked = labels[drawn]
        if picked.any() and not picked.all():
            values.append(figure(scores[drawn], picked))
    low, high = np.quantile(values, (0.025, 0.975))
    return Interval(figure(scores, labels), float(low), float(high))
