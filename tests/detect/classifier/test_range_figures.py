"""Figures of parts of the clips: of like frame rate, and of like quality."""

from __future__ import annotations

import numpy as np
import pytest

from vidigree.detect.classifier.metrics import area_under_curve, true_positive_rate
from vidigree.detect.classifier.quality import Quality
from vidigree.detect.classifier.range_figures import rate_rows, shifted_by_quality, strata


def test_a_score_that_only_knows_the_rate_tells_nothing_within_one() -> None:
    rng = np.random.default_rng(0)
    labels = rng.random(4000) < 0.5
    slow = rng.random(4000) < np.where(labels, 0.8, 0.2)
    rates = np.where(slow, 8.0, 25.0)
    llr = np.where(slow, 1.0, -1.0) + 0.1 * rng.normal(size=4000)
    assert area_under_curve(llr, labels) > 0.75
    rows = rate_rows(llr, labels, rates)
    assert [(row.low, row.high) for row in rows] == [(8.0, 8.0), (25.0, 25.0)]
    assert [row.auc for row in rows] == pytest.approx([0.5, 0.5], abs=0.04)
    assert sum(row.real_clips for row in rows) == int((~labels).sum())
    assert sum(row.synthetic_clips for row in rows) == int(labels.sum())


def test_rates_that_hardly_any_clip_of_a_class_has_get_no_row() -> None:
    labels = np.arange(16) < 8
    rates = np.where(labels, 30.0, 60.0)
    rates[:4] = 8
    (row,) = rate_rows(labels.astype(float), labels, rates)
    assert (row.low, row.high, row.real_clips, row.synthetic_clips) == (30.0, 60.0, 8, 4)
    assert row.auc == 1
    assert rate_rows(labels.astype(float)[1:], labels[1:], rates[1:])[-1].synthetic_clips == 4
    assert rate_rows(labels.astype(float)[:-5], labels[:-5], rates[:-5]) == ()


def test_a_threshold_by_quality_finds_more_where_scores_lean_on_it() -> None:
    rng = np.random.default_rng(0)
    labels = rng.random(2000) < 0.5
    blockiness = rng.uniform(1, 2, 2000)
    llr = labels + 4 * blockiness + 0.3 * rng.normal(size=2000)
    qualities = [
        Quality(flat=0, colours=50, sharpness=0, still=0, smooth=0, blockiness=value)
        for value in blockiness
    ]
    found = shifted_by_quality(llr, labels, qualities, np.arange(2000) % 5)
    assert found["0.05"] > 0.9 > true_positive_rate(llr, labels, 0.05)
    assert found["0.01"] > 0.7 > true_positive_rate(llr, labels, 0.01)
    rows = strata(llr, labels, {"blockiness": blockiness})
    assert [row.quality for row in rows] == ["blockiness"] * 3
    assert sum(row.real_clips for row in rows) == int((~labels).sum())
    # One threshold for all: its false alarms are those of the third that scores high.
    assert [row.false_alarms for row in rows[:2]] == [0, 0]
    assert rows[2].false_alarms == pytest.approx(0.15, abs=0.02)
