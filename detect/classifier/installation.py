"""A fixed list of clips that shows whether weights, codec and features are as shipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import LabelledClip
from vidigree.detect.classifier.metrics import area_under_curve
from vidigree.detect.classifier.model import ClassifierModel
from vidigree.detect.classifier.reading import score_video

__all__ = ["InstallationCheck", "check_installation", "made_of"]

_EVERY = 17


@dataclass(frozen=True, kw_only=True)
class InstallationCheck:
    """Scores of weights on every 17th clip of the list they were trained on.

    In-sample: it says that an installation works, nothing about how good the classifier is.

    Attributes:
        model_id: The weights.
        clips: Clips scored.
        auc: Area under the curve on them.
        mean_llr: Mean of their log-likelihood ratios.
    """

    model_id: str
    clips: int
    auc: float
    mean_llr: float

    def to_dict(self) -> dict[str, Any]:
        """Return the check as JSON values."""
        return {
            "model_id": self.model_id,
            "clips": self.clips,
            "auc": round(self.auc, 4),
            "mean_llr": round(self.mean_llr, 3),
        }


def check_installation(clips: Sequence[LabelledClip], model: ClassifierModel) -> InstallationCheck:
    """Score the fixed list.

    Args:
        clips: The clips the weights were trained on, in the order of their table.
        model: The weights.

    Raises:
        MediaError: A clip cannot be read.
    """
    labels, scores = [], []
    for clip in clips[::_EVERY]:
        reading = score_video(clip.path, model=model)
        if reading.llr is not None:
            labels.append(clip.synthetic)
            scores.append(reading.llr)
    return InstallationCheck(
        model_id=model.model_id,
        clips=len(scores),
        auc=area_under_curve(np.array(scores), np.array(labels)),
        mean_llr=float(np.mean(scores)),
    )


def made_of(model: ClassifierModel, clips: Sequence[LabelledClip], cache: WindowCache) -> bool:
    """Return whether weights were trained on just these clips."""
    digests = {cache.digest(clip)[:16] for clip in clips}
    return digests == set(model.header.trained_on)
