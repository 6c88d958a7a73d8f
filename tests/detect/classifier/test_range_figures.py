"""Clips of like frame rate against each other: what a rate alone gives away is not in it."""

from __future__ import annotations

import numpy as np
import pytest

from vidigree.detect.classifier.metrics import area_under_curve
from vidigree.detect.classifier.range_figures import rate_rows


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
