"""What the classifier was to reach, beside what it does reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vidigree.detect.classifier.evaluation import Evaluation
from vidigree.detect.classifier.laundering import LAUNDERINGS

__all__ = ["GOALS", "Goal", "goal_rows"]


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One figure with the value set for it before anything was measured.

    Attributes:
        name: The figure.
        value: What was wanted.
        at_least: Whether more is better.
        reached: The figure of an evaluation; ``None`` where it was not measured.
    """

    name: str
    value: float
    at_least: bool
    reached: Callable[[Evaluation], float | None]

    def met(self, figure: float) -> bool:
        """Whether a figure, rounded as it is printed, is as wanted."""
        shown = round(figure, 3)
        return shown >= self.value if self.at_least else shown <= self.value


def _worst_generator(result: Evaluation) -> float | None:
    return min((row.auc for row in result.per_generator), default=None)


def _largest_drop(result: Evaluation) -> float | None:
    """Return the largest of all rows: fewer may leave out the one that counts."""
    if not result.laundering.keys() >= LAUNDERINGS.keys():
        return None
    return max(-change.value for change in result.laundering_change.values())


def _real_floor(result: Evaluation) -> float | None:
    return None if result.real_floor is None else result.real_floor[1]


def _time_f1(result: Evaluation) -> float | None:
    return None if result.localisation is None else result.localisation.time_f1


def _space_f1(result: Evaluation) -> float | None:
    return None if result.localisation is None else result.localisation.space_f1


GOALS = (
    Goal(name="AUC", value=0.88, at_least=True, reached=lambda r: r.auc.value),
    Goal(name="TPR at 5% FPR", value=0.6, at_least=True, reached=lambda r: r.tpr["0.05"].value),
    Goal(name="TPR at 1% FPR", value=0.35, at_least=True, reached=lambda r: r.tpr["0.01"].value),
    Goal(name="AUC of the worst generator", value=0.65, at_least=True, reached=_worst_generator),
    Goal(name="largest drop of a laundering", value=0.03, at_least=False, reached=_largest_drop),
    Goal(name="real source floor", value=0.65, at_least=False, reached=_real_floor),
    Goal(
        name="probe of canonical facts",
        value=0.55,
        at_least=False,
        reached=lambda r: r.canonical_probe,
    ),
    Goal(name="expected calibration error", value=0.05, at_least=False, reached=lambda r: r.ece),
    Goal(
        name="CPU seconds per 2-s window",
        value=1.0,
        at_least=False,
        reached=lambda r: r.seconds_per_window,
    ),
    Goal(name="F1 of stretches in time", value=0.6, at_least=True, reached=_time_f1),
    Goal(name="F1 of regions", value=0.6, at_least=True, reached=_space_f1),
)


def goal_rows(result: Evaluation) -> list[list[str]]:
    """Return rows for a table: figure, goal, reached, and whether that is enough."""
    rows = []
    for goal in GOALS:
        figure = goal.reached(result)
        wanted = f"{'at least' if goal.at_least else 'at most'} {goal.value:g}"
        if figure is None:
            rows.append([goal.name, wanted, "not measured", ""])
        else:
            word = "met" if goal.met(figure) else "**missed**"
            rows.append([goal.name, wanted, f"{figure:.3f}", word])
    return rows
