from __future__ import annotations

import math

import numpy as np
import pytest

from vidigree.detect.classifier.calibration import (
    conformal_threshold,
    cross_fitted_llr,
    fit_stack,
    stacked_llr,
)
from vidigree.detect.classifier.metrics import calibration_error


def _two_gaussians(count: int, gap: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores of two classes, one in ten of the synthetic ones drawn like the real ones."""
    rng = np.random.default_rng(seed)
    labels = rng.random(count) < 0.3
    seen = labels & (rng.random(count) < 0.9)
    return (rng.normal(size=count) + gap * seen)[:, None], labels


def test_stack_finds_the_likelihood_ratio_of_two_gaussians() -> None:
    gap = 1.5
    members, labels = _two_gaussians(20_000, gap, 0)
    slope, constant = fit_stack(members, labels, np.ones(len(labels)))
    # log N(x; gap, 1) / N(x; 0, 1) = gap * x - gap ** 2 / 2, whatever the share of either class.
    assert slope == pytest.approx(gap, abs=0.08)
    assert constant == pytest.approx(-(gap**2) / 2, abs=0.08)


def test_a_low_score_never_speaks_more_than_tenfold_for_a_clip() -> None:
    llr = stacked_llr(np.array([[-1e6], [-5.0], [0.0], [5.0]]), np.array([1.0, 0.0]))
    assert llr[0] == pytest.approx(math.log(0.1))
    assert (np.diff(llr) > 0).all()
    assert llr[3] == pytest.approx(math.log(0.1 + 0.9 * math.exp(5.0)))


@pytest.mark.parametrize("gap", [0.8, 0.9, 1.0])
def test_stack_of_a_score_that_tells_the_classes_apart_is_the_least_loss(gap: float) -> None:
    """Full Newton steps went round in circles there; where they were stopped was anyone's guess."""
    rng = np.random.default_rng(3)
    labels = np.arange(12) % 2 == 1
    members = np.where(labels, gap, -gap)[:, None] + rng.normal(0, 0.04, (12, 1))
    slope, constant = fit_stack(members, labels, np.ones(12))
    moved = fit_stack(members + 1e-9, labels, np.ones(12))
    np.testing.assert_allclose(moved, [slope, constant], atol=1e-4)
    # The middle of two classes that mirror each other, but for the share that is hidden.
    assert slope * gap > 3
    assert abs(constant) < 1.5


def test_member_that_points_the_wrong_way_is_ignored() -> None:
    members, labels = _two_gaussians(2000, 1.0, 1)
    rng = np.random.default_rng(2)
    wrong = -members + rng.normal(size=members.shape)
    stack = fit_stack(np.concatenate([members, wrong], axis=1), labels, np.ones(len(labels)))
    alone = fit_stack(wrong, labels, np.ones(len(labels)))
    assert stack[0] > 0
    assert stack[1] >= 0
    assert alone[0] == 0


def test_cross_fitted_ratios_are_calibrated_and_do_not_see_their_own_label() -> None:
    members, labels = _two_gaussians(4000, 1.2, 3)
    fold = np.arange(4000) % 5
    llr = cross_fitted_llr(members, labels, np.ones(4000), fold)
    assert calibration_error(1 / (1 + np.exp(-llr)), labels) < 0.03
    flipped = labels.copy()
    flipped[fold == 0] = ~flipped[fold == 0]
    again = cross_fitted_llr(members, flipped, np.ones(4000), fold)
    np.testing.assert_allclose(llr[fold == 0], again[fold == 0])


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_conformal_threshold_keeps_its_promise_on_average(rate: float) -> None:
    rng = np.random.default_rng(4)
    exceeded = [rng.normal() > conformal_threshold(rng.normal(size=215), rate) for _ in range(6000)]
    assert np.mean(exceeded) <= rate + 3 * math.sqrt(rate / 6000)
    assert np.mean(exceeded) >= rate / 3


def test_too_few_reals_promise_nothing() -> None:
    assert conformal_threshold(np.zeros(50), 0.01) == math.inf
