"""From scores to log-likelihood ratios, and from held-out reals to a threshold."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["conformal_threshold", "cross_fitted_llr", "fit_stack", "stacked_llr"]

_STEPS = 200
_RIDGE = 1e-3
_ROUNDING = 1e-15

_HIDDEN = 0.1
"""Share of synthetic clips taken to look like footage to every member, so that no score, however
low, speaks more than tenfold for a clip. Fitted on held-out scores it comes to 0.10 to 0.16."""


def stacked_llr(members: NDArray[np.float64], stack: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return natural-log likelihood ratios (n,), synthetic over real; at least log 0.1.

    The synthetic clips are a mixture of those that the members can see and a share of
    ``_HIDDEN`` that scores like real ones: the ratio is ``_HIDDEN + (1 - _HIDDEN) * exp(l)`` with
    ``l`` linear in the scores. It rises with ``l``, so it changes no ranking.

    Args:
        members: float64 (n, m), scores.
        stack: float64 (m + 1,), by :func:`fit_stack`.
    """
    seen = members @ stack[:-1] + stack[-1]
    with np.errstate(invalid="ignore"):  # a clip without windows: NaN, and that is no accident
        return np.asarray(
            np.logaddexp(np.log(_HIDDEN), np.log1p(-_HIDDEN) + seen), dtype=np.float64
        )


def fit_stack(
    members: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit :func:`stacked_llr` to held-out member scores: logistic, by Newton's method.

    With both classes of equal total weight the log odds are log-likelihood ratios. Factors are
    kept from being negative: a member may be ignored, not believed the wrong way round.

    Args:
        members: float64 (n, m), scores by members that did not see the clip's group.
        labels: bool (n,), whether synthetic.
        weights: float64 (n,), at least 0.

    Returns:
        float64 (m + 1,): a factor per member and a constant.
    """
    spread = members.std(axis=0) + 1e-12
    columns = np.concatenate([members / spread, np.ones((len(members), 1))], axis=1)
    balanced = weights.astype(np.float64).copy()
    for label in (False, True):
        balanced[labels == label] *= 0.5 / balanced[labels == label].sum()
    active = list(range(columns.shape[1]))
    while True:
        beta = np.zeros(columns.shape[1])
        beta[active] = _newton(columns[:, active], labels, balanced)
        negative = [index for index in active[:-1] if beta[index] < 0]
        if not negative:
            break
        active.remove(min(negative, key=lambda index: beta[index]))
    beta[:-1] /= spread
    return beta


def _newton(
    columns: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Minimise :func:`_loss`; the curvature is the part of it that is never negative."""
    beta = np.zeros(columns.shape[1])
    loss = _loss(beta, columns, labels, weights)
    for _ in range(_STEPS):
        llr = stacked_llr(columns[:, :-1], beta)
        odds = 1 / (1 + np.exp(-llr))
        # How far the ratio follows its linear part: nearly not at all where most is hidden.
        follows = 1 - _HIDDEN * np.exp(-llr)
        gradient = columns.T @ (weights * follows * (odds - labels)) + _RIDGE * beta
        curvature = (columns * (weights * follows**2 * odds * (1 - odds))[:, None]).T @ columns
        step = np.linalg.solve(curvature + _RIDGE * np.eye(len(beta)), gradient)
        # Where a score tells the classes apart the loss is flat and full steps overshoot for ever.
        while (lower := _loss(beta - step, columns, labels, weights)) > loss + _ROUNDING:
            step /= 2
        beta, loss = beta - step, lower
        if np.abs(step).max() < 1e-10:
            break
    return beta


def _loss(
    beta: NDArray[np.float64],
    columns: NDArray[np.float64],
    labels: NDArray[np.bool_],
    weights: NDArray[np.float64],
) -> float:
    """Return the weighted logistic loss of ratios with ``beta``, and its penalty."""
    llr = stacked_llr(columns[:, :-1], beta)
    return float(weights @ np.logaddexp(0, np.where(labels, -llr, llr)) + _RIDGE / 2 * beta @ beta)


def cross_fitted_llr(
    members: NDArray[np.float64],
    labels: NDArray[np.bool_],
    weights: NDArray[np.float64],
    fold: NDArray[np.int64],
    *,
    applied_to: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return log-likelihood ratios (n,) whose stack was fitted without the clip's own fold.

    Args:
        members: float64 (n, m), held-out scores the stacks are fitted on.
        labels: bool (n,), whether synthetic.
        weights: float64 (n,).
        fold: int64 (n,), fold of each clip.
        applied_to: Scores (n, m) of the same clips in another state; ``None`` for ``members``.
    """
    rows = members if applied_to is None else applied_to
    llr = np.full(len(members), np.nan)
    for index in np.unique(fold):
        rest, held_out = fold != index, fold == index
        stack = fit_stack(members[rest], labels[rest], weights[rest])
        llr[held_out] = stacked_llr(rows[held_out], stack)
    return llr


def conformal_threshold(reals: NDArray[np.float64], false_alarms: float) -> float:
    """Return the score that a new real clip exceeds with at most the given probability.

    Split conformal prediction (Vovk et al., "Algorithmic learning in a random world", 2005): the
    k-th smallest of n held-out scores with k = ceil((n + 1) * (1 - false_alarms)); valid for
    clips exchangeable with those. With too few reals the threshold is infinite.

    Args:
        reals: Scores of real clips that training did not see.
        false_alarms: Probability in (0, 1).
    """
    rank = math.ceil((len(reals) + 1) * (1 - false_alarms))
    if rank > len(reals):
        return math.inf
    return float(np.sort(reals)[rank - 1])
