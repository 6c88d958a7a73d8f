"""A goal that is missed is called missed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from vidigree.detect.classifier.goals import GOALS, goal_rows
from vidigree.detect.classifier.laundering import LAUNDERINGS
from vidigree.detect.classifier.metrics import Interval


def _result(**changes: Any) -> Any:
    def interval(value: float) -> Interval:
        return Interval(value, value, value)

    figures: dict[str, Any] = {
        "auc": interval(0.9),
        "tpr": {"0.05": interval(0.7), "0.01": interval(0.4)},
        "per_generator": (SimpleNamespace(auc=0.8), SimpleNamespace(auc=0.7)),
        "laundering": dict.fromkeys(LAUNDERINGS, interval(0.9)),
        "laundering_change": {"half": interval(-0.02), "crf35": interval(0.01)},
        "real_floor": (0.5, 0.6, 0.7),
        "canonical_probe": 0.5,
        "ece": 0.03,
        "seconds_per_window": 0.4,
        "localisation": SimpleNamespace(time_f1=0.7, space_f1=0.7),
    }
    return SimpleNamespace(**{**figures, **changes})


def test_all_goals_can_be_met() -> None:
    rows = goal_rows(_result())
    assert [row[0] for row in rows] == [goal.name for goal in GOALS]
    assert {row[3] for row in rows} == {"met"}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("AUC", {"auc": Interval(0.879, 0.8, 0.9)}),
        ("AUC of the worst generator", {"per_generator": (SimpleNamespace(auc=0.35),)}),
        (
            "largest drop of a laundering",
            {"laundering_change": {"half": Interval(-0.04, -0.1, 0), "crf35": Interval(0, 0, 0)}},
        ),
        ("real source floor", {"real_floor": (0.6, 0.668, 0.7)}),
        ("F1 of regions", {"localisation": SimpleNamespace(time_f1=0.7, space_f1=0.06)}),
    ],
)
def test_a_missed_goal_is_called_missed(name: str, changes: dict[str, Any]) -> None:
    rows = goal_rows(_result(**changes))
    assert [row[0] for row in rows if row[3] == "**missed**"] == [name]


def test_what_was_not_measured_is_not_called_met() -> None:
    rows = {row[0]: row for row in goal_rows(_result(real_floor=None, localisation=None))}
    assert rows["real source floor"][2:] == ["not measured", ""]
    assert rows["F1 of regions"][2:] == ["not measured", ""]


@pytest.mark.parametrize("left", ["none", "crf35"])
def test_a_drop_is_the_largest_only_of_all_rows(left: str) -> None:
    part = {name: Interval(0.9, 0.9, 0.9) for name in LAUNDERINGS if name != left}
    rows = {row[0]: row for row in goal_rows(_result(laundering=part))}
    assert rows["largest drop of a laundering"][2] == "not measured"
