from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidigree.detect.classifier.metrics import (
    area_under_curve,
    bootstrap_interval,
    brier_score,
    calibration_error,
    chance_calibration_error,
    change_of_area,
    true_positive_rate,
)

sklearn_metrics = pytest.importorskip("sklearn.metrics")


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=4, max_size=60))
@settings(max_examples=60, deadline=None)
def test_area_agrees_with_scikit_learn_ties_included(rows: list[tuple[int, bool]]) -> None:
    scores = np.array([float(score) for score, _ in rows])
    labels = np.array([label for _, label in rows])
    labels[0], labels[1] = True, False
    expected = sklearn_metrics.roc_auc_score(labels, scores)
    assert area_under_curve(scores, labels) == pytest.approx(expected)


def test_true_positive_rate_allows_no_more_false_alarms_than_asked() -> None:
    scores = np.array([0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 8.5, 9.5])
    labels = np.array([False] * 10 + [True] * 2)
    assert true_positive_rate(scores, labels, 0.05) == 0.5
    assert true_positive_rate(scores, labels, 0.1) == 1.0


def test_calibration_error_of_right_and_wrong_probabilities() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(50_000)
    labels = rng.random(50_000) < probability
    assert calibration_error(probability, labels) < 0.02
    assert calibration_error(np.full(50_000, 0.9), labels) == pytest.approx(0.4, abs=0.02)
    assert brier_score(np.full(50_000, 0.5), labels) == pytest.approx(0.25)


def test_calibration_error_by_chance_is_that_of_right_probabilities() -> None:
    """Two normal distributions two deviations apart, three synthetic clips to two real ones."""

    def clips(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % 5 < 3
        scores = np.random.default_rng(seed).normal(np.where(labels, 1.0, -1.0))
        return 1 / (1 + np.exp(-2 * scores)), labels

    probability, labels = clips(500)
    mean, most = chance_calibration_error(probability, labels)
    assert mean < most < 2 * mean
    seen = [calibration_error(*clips(500, seed)) for seed in range(100)]
    assert np.mean(seen) == pytest.approx(mean, rel=0.1)
    assert np.mean(np.array(seen) < most) == pytest.approx(0.95, abs=0.06)
    assert calibration_error(1 - probability, labels) > 3 * most
    assert calibration_error(probability**0.3, labels) > 2 * most
    more, _ = chance_calibration_error(*clips(12_500), draws=50)
    assert more == pytest.approx(mean / 5, rel=0.3)


def test_interval_covers_the_figure_and_widens_when_groups_are_few() -> None:
    rng = np.random.default_rng(1)
    labels = np.arange(200) % 2 == 0
    scores = rng.normal(size=200) + labels
    many = bootstrap_interval(area_under_curve, scores, labels, np.arange(200), rounds=200)
    few = bootstrap_interval(area_under_curve, scores, labels, np.arange(200) // 20, rounds=200)
    assert many.low < many.value < many.high
    assert many.value == few.value


def test_a_change_is_measured_on_the_same_draws_and_is_negative_where_the_second_is_worse() -> None:
    rng = np.random.default_rng(2)
    labels = np.arange(400) % 2 == 0
    first = rng.normal(size=400) + 1.5 * labels
    second = first + rng.normal(size=400)
    both, groups = np.stack([first, second], axis=1), np.arange(400)
    change = bootstrap_interval(change_of_area, both, labels, groups, rounds=300)
    areas = [bootstrap_interval(area_under_curve, one, labels, groups) for one in (first, second)]
    assert change.value == pytest.approx(areas[1].value - areas[0].value)
    assert change.low < change.value < change.high < 0
    apart = sum((area.high - area.low) ** 2 for area in areas) ** 0.5  # of independent clips
    assert change.high - change.low < 0.8 * apart
