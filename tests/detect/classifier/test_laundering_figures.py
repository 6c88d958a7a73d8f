from __future__ import annotations

import numpy as np
import pytest
from fixtures.labelled_clips import alternating_clips

from vidigree.detect.classifier.fitting import TrainingSettings
from vidigree.detect.classifier.laundering_figures import laundering_figures
from vidigree.detect.classifier.metrics import area_under_curve

COUNT = 64
LABELS = np.arange(COUNT) % 2 == 1
CLIPS = alternating_clips(COUNT)


def _members(noise: float, seed: int) -> np.ndarray:
    scores = LABELS + noise * np.random.default_rng(seed).normal(size=COUNT)
    return np.asarray(scores[:, None])


def test_what_a_laundering_takes_is_of_clips_with_a_window_after_all() -> None:
    scored = {"none": _members(0.4, 0), "half": _members(0.9, 1), "crf35": _members(2.0, 2)}
    scored["half"][3] = scored["crf35"][[8, 9]] = scored["none"][20] = np.nan
    figures = laundering_figures(CLIPS, scored, TrainingSettings(fold_count=4))
    assert figures["laundered_clips"] == COUNT - 4
    assert set(figures["laundering"]) == set(scored)
    assert set(figures["laundering_change"]) == {"half", "crf35"}
    kept = np.setdiff1d(np.arange(COUNT), [3, 8, 9, 20])
    area = area_under_curve(scored["none"][kept, 0], LABELS[kept])
    assert figures["laundering"]["none"].value == pytest.approx(area, abs=0.02)
    for name, change in figures["laundering_change"].items():
        lost = figures["laundering"]["none"].value - figures["laundering"][name].value
        assert change.value == pytest.approx(-lost)
        assert change.value < 0
    assert figures["laundering_change"]["crf35"].high < 0


def test_thresholds_stay_where_clips_as_they_are_have_them() -> None:
    louder = _members(0.4, 0) + 0.3
    scored = {"none": _members(0.4, 0), "half": louder, "crf35": _members(2.0, 2)}
    figures = laundering_figures(CLIPS, scored, TrainingSettings(fold_count=4))
    rates = figures["laundering_rates"]
    assert set(rates) == set(scored)
    # One of 32 real clips is the most under 5 %, and none under 1 %.
    assert rates["none"]["0.05"].false_alarms == 1 / 32
    assert rates["none"]["0.01"].false_alarms == 0
    # All are higher by the same: the area stays, and false alarms do not.
    assert figures["laundering_change"]["half"].value == pytest.approx(0, abs=0.01)
    assert rates["half"]["0.05"].false_alarms > rates["none"]["0.05"].false_alarms
    assert rates["half"]["0.05"].found > rates["none"]["0.05"].found
    for row in rates.values():
        assert row["0.05"].found >= row["0.01"].found
