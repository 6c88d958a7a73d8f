"""What launderings take: areas under the curve after each, and their changes, on the same clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.dataset import LabelledClip, clip_groups
from vidigree.detect.classifier.fitting import TrainingSettings
from vidigree.detect.classifier.held_out import calibrated
from vidigree.detect.classifier.metrics import (
    Interval,
    area_under_curve,
    bootstrap_interval,
    change_of_area,
)

__all__ = ["laundering_figures"]


def laundering_figures(
    clips: Sequence[LabelledClip],
    scored: Mapping[str, NDArray[np.float64]],
    settings: TrainingSettings,
) -> dict[str, Any]:
    """Return the area per laundering and its change, both classes laundered alike.

    Args:
        clips: Labelled clips.
        scored: Laundering to held-out members (clips, 1), NaN for a clip without windows; "none"
            among them.
        settings: The training recipe.

    Returns:
        The figures of an Evaluation: ``laundering``, ``laundering_change`` and ``laundered_clips``,
        of the clips with a window after every one of the launderings.
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
        "laundered_clips": int(seen.sum()),
    }
