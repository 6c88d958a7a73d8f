"""What launderings take: areas under the curve and rates after each, on the same clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.dataset import LabelledClip, clip_groups
from vidigree.detect.classifier.fitting import TrainingSettings
from vidigree.detect.classifier.held_out import calibrated
from vidigree.detect.classifier.metrics import (
    FALSE_POSITIVE_RATES,
    Interval,
    OperatingPoint,
    area_under_curve,
    bootstrap_interval,
    change_of_area,
    operating_point,
    threshold_exceeded_by,
)

__all__ = ["laundering_figures"]


def laundering_figures(
    clips: Sequence[LabelledClip],
    scored: Mapping[str, NDArray[np.float64]],
    settings: TrainingSettings,
) -> dict[str, Any]:
    """Return areas, their changes and the rates at fixed thresholds, both classes laundered alike.

    Args:
        clips: Labelled clips.
        scored: Laundering to held-out members (clips, 1), NaN for a clip without windows; "none"
            among them.
        settings: The training recipe.

    Returns:
        The figures of an Evaluation: ``laundering``, ``laundering_change``, ``laundering_rates``
        and ``laundered_clips``, of the clips with a window after every one of the launderings.
    """
    labels = np.array([clip.synthetic for clip in clips])
    groups = clip_groups(clips)
    clean = scored["none"]
    known = ~np.isnan(clean[:, 0])
    seen = np.all([~np.isnan(members[:, 0]) for members in scored.values()], axis=0)
    llr = {
        name: calibrated(clips, clean, members, known, settings)[seen[known]]
        for name, members in scored.items()
    }

    def interval(
        figure: Callable[[NDArray[np.float64], NDArray[np.bool_]], float],
        scores: NDArray[np.float64],
    ) -> Interval:
        return bootstrap_interval(figure, scores, labels[seen], groups[seen])

    return {
        "laundering": {name: interval(area_under_curve, scores) for name, scores in llr.items()},
        "laundering_change": {
            name: interval(change_of_area, np.stack([llr["none"], scores], axis=1))
            for name, scores in llr.items()
            if name != "none"
        },
        "laundering_rates": _rates(llr, labels[seen]),
        "laundered_clips": int(seen.sum()),
    }


def _rates(
    llr: Mapping[str, NDArray[np.float64]], labels: NDArray[np.bool_]
) -> dict[str, dict[str, OperatingPoint]]:
    """Return laundering to false positive rate to what is above the threshold for it.

    The thresholds are those of clips as they are, in every row.
    """
    thresholds = {
        f"{rate:g}": threshold_exceeded_by(llr["none"][~labels], rate)
        for rate in FALSE_POSITIVE_RATES
    }
    return {
        name: {
            rate: operating_point(scores, labels, threshold)
            for rate, threshold in thresholds.items()
        }
        for name, scores in llr.items()
    }
