"""The figures of the audit table, as data."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from vidigree.detect.classifier.localisation_figures import LocalisationFigures
from vidigree.detect.classifier.metrics import Interval, OperatingPoint
from vidigree.detect.classifier.range_figures import AbstentionRow, RateRow, StratumRow

__all__ = ["Evaluation", "GeneratorRow", "OwnEngineRow"]


@dataclass(frozen=True, kw_only=True)
class GeneratorRow:
    """One generator against all real clips.

    Attributes:
        name: The generator.
        clips: Its clips with a score.
        auc: Area under the curve, its clips against all real ones.
        found: Share of its clips above the threshold of 5 % false alarms.
    """

    name: str
    clips: int
    auc: float
    found: float


@dataclass(frozen=True, kw_only=True)
class OwnEngineRow:
    """One of the project's own engines with its marks off; never part of the headline.

    Attributes:
        name: The engine.
        clips: Its clips.
        abstained: Share of them that are outside the classifier's range.
        auc: Area under the curve, all its clips against held-out real ones.
        found: Share of its clips above the threshold of 5 % false alarms.
    """

    name: str
    clips: int
    abstained: float
    auc: float
    found: float


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Every figure of the audit table. All scores are of models that saw no clip of the group.

    Attributes:
        recipe: The canonical form in words.
        recipe_id: Its short name.
        launderings: What training clips went through.
        real_clips: Real clips with a score.
        real_origins: Their sources.
        synthetic_clips: Synthetic clips with a score.
        generators: Their generators.
        groups: Groups that were held out whole.
        seeds: Of the assignments of groups to folds; scores are means over these.
        further_clips: Clips that were trained on as well and are in no figure.
        further_origins: Their sources.
        near_duplicates: Clips that show the same pictures as another one, a further one included.
        unscored: Clips without a window.
        auc: Area under the curve, leave-origin-out.
        tpr: False positive rate to true positive rate, with intervals.
        ece: Expected calibration error, the calibration fitted on other folds.
        ece_by_chance: What that comes to on as many clips if every probability were right: the
            mean, and what 95 of 100 draws stay under.
        brier: Brier score at even prior odds, likewise.
        per_generator: One row for each generator with enough clips, worst first.
        laundering: Laundering to area under the curve, all on the same clips.
        laundering_change: Its change by each laundering, the intervals of the same draws of groups.
        laundering_rates: Laundering to false positive rate to what is above the threshold that so
            many real clips exceed as they are.
        laundered_clips: Number of those clips.
        clean_auc: Area under the curve of the whole recipe trained on clean windows: what the next
            three are to be compared with.
        group_alone: Feature group to area under the curve with that group only.
        group_left_out: Feature group to area under the curve without it.
        group_added: Feature group that the recipe does not use to area under the curve with it.
        alternatives: Other members on the same features to area under the curve, trained as the
            shipped one, which comes first, and scored on clean windows; one round.
        container_probe: Area under the curve from container facts of the source files.
        canonical_probe: The same from what is left of them in canonical form.
        real_floor: Separability of the largest real source from the other real clips: the least,
            the mean and the most of the rounds; ``None`` where no source has enough clips.
        seconds_per_window: CPU seconds from file to features for one two-second window.
        abstentions: How often clips are taken for pictures outside the range.
        strata: False alarms and finds in thirds of the picture's quality.
        rates: Clips of like frame rate against each other.
        tpr_shifted: As ``tpr``, with the threshold conditioned on quality.
        localisation: Figures on self-made splices; ``None`` where no clip is long enough.
        own_engines: The project's own engines, marks off; empty where no clips were given.
        roc: Points of the curve of false against true positive rate.
        reliability: Mean probability and share of synthetic clips, by bin.
    """

    recipe: str
    recipe_id: str
    launderings: tuple[str, ...]
    real_clips: int
    real_origins: int
    synthetic_clips: int
    generators: int
    groups: int
    seeds: tuple[int, ...]
    further_clips: int
    further_origins: int
    near_duplicates: int
    unscored: int
    auc: Interval
    tpr: dict[str, Interval]
    ece: float
    ece_by_chance: tuple[float, float]
    brier: float
    per_generator: tuple[GeneratorRow, ...]
    laundering: dict[str, Interval]
    laundering_change: dict[str, Interval]
    laundering_rates: dict[str, dict[str, OperatingPoint]]
    laundered_clips: int
    clean_auc: float
    group_alone: dict[str, float]
    group_left_out: dict[str, float]
    group_added: dict[str, float]
    alternatives: dict[str, float]
    container_probe: float
    canonical_probe: float
    real_floor: tuple[float, float, float] | None
    seconds_per_window: float
    abstentions: tuple[AbstentionRow, ...]
    strata: tuple[StratumRow, ...]
    rates: tuple[RateRow, ...]
    tpr_shifted: dict[str, float]
    localisation: LocalisationFigures | None
    own_engines: tuple[OwnEngineRow, ...]
    roc: tuple[tuple[float, float], ...]
    reliability: tuple[tuple[float, float], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values; ``None`` for one that nothing was there to measure."""
        row: dict[str, Any] = _without_nan(asdict(self))
        return row


def _without_nan(value: Any) -> Any:
    """Return JSON values with ``None`` for what is not a number, which JSON has no word for."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
