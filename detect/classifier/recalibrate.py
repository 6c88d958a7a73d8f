"""Fit threshold and likelihood ratio to a platform's own traffic, without training again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.calibration import conformal_threshold, fit_stack, stacked_llr
from vidigree.detect.classifier.dataset import LabelledClip, file_sha256
from vidigree.detect.classifier.model import ClassifierModel
from vidigree.detect.classifier.reading import clip_member_scores
from vidigree.media.errors import UsageError
from vidigree.media.progress import Progress, no_progress

__all__ = ["FEWEST_OF_EITHER_CLASS", "recalibrate"]

FEWEST_OF_EITHER_CLASS = 10
"""Clips of each class that are needed to fit the likelihood ratio anew; the threshold alone needs
real clips only."""

_LEAST_SHARE = 1e-9
"""One in a billion; a smaller share would ask for more clips than there are."""


def recalibrate(
    clips: Sequence[LabelledClip],
    model: ClassifierModel,
    *,
    false_alarms: float,
    name: str,
    progress: Progress = no_progress,
) -> ClassifierModel:
    """Return the model with a threshold, and if possible a likelihood ratio, for these clips.

    Real clips set the threshold by split conformal prediction: of further clips like them at most
    the share ``false_alarms`` is called likely synthetic. With at least FEWEST_OF_EITHER_CLASS
    clips of both classes a monotone map of the old ratio is fitted as well.

    Args:
        clips: Clips of the platform's own, labelled; none that the weights were trained on.
        model: Weights to start from.
        false_alarms: Share in (0, 1).
        name: What the new weights say they were calibrated on.
        progress: Told how many clips are done.

    Raises:
        UsageError: A clip was trained on or stands in the list twice, the share is none, or there
            are too few real clips for it.
        MediaError: A clip cannot be read.
    """
    if not _LEAST_SHARE <= false_alarms < 1:  # not a number is neither
        raise UsageError(
            f"The share of false alarms is {false_alarms:g}; it must be from {_LEAST_SHARE:g} to"
            " below 1.",
            hint="Give one such as 0.01.",
        )
    _require_unseen(clips, model)
    members, marks = _scored(clips, model, progress)
    needed = int(np.ceil(1 / false_alarms)) - 1
    if int((~marks).sum()) < needed:
        raise UsageError(
            f"{int((~marks).sum())} real clips have a score; a false alarm share of"
            f" {false_alarms:g} needs at least {needed}.",
            hint="Give more real clips, or allow more false alarms.",
        )
    stack = _stack(members, marks, model)
    reals = np.sort(stacked_llr(members[~marks], stack)).astype(np.float32)
    return model.calibrated(
        stack=stack,
        reals=reals,
        threshold=conformal_threshold(reals.astype(np.float64), false_alarms),
        false_alarms=false_alarms,
        on=name,
    )


def _require_unseen(clips: Sequence[LabelledClip], model: ClassifierModel) -> None:
    """Refuse clips that the weights were trained on, and those that count twice."""
    trained_on = set(model.header.trained_on)
    first: dict[str, LabelledClip] = {}
    for clip in clips:
        digest = file_sha256(clip.path)
        if digest[:16] in trained_on:
            raise UsageError(
                f"The weights were trained on {clip.path}; its score is not held out.",
                hint="Give clips that were not in the training table.",
            )
        if (same := first.setdefault(digest, clip)) is not clip:
            # The threshold would be one of more clips than there are.
            raise UsageError(
                f"{same.path} and {clip.path} are the same clip.", hint="List every clip once."
            )


def _scored(
    clips: Sequence[LabelledClip], model: ClassifierModel, progress: Progress
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return member scores and labels of the clips that have a score."""
    scores, labels = [], []
    for index, clip in enumerate(clips):
        members = clip_member_scores(clip.path, model)
        if members is not None:
            scores.append(members)
            labels.append(clip.synthetic)
        progress("calibration", index + 1, len(clips))
    return np.array(scores), np.array(labels, dtype=np.bool_)


def _stack(
    members: NDArray[np.float64], labels: NDArray[np.bool_], model: ClassifierModel
) -> NDArray[np.float64]:
    """Return the old stack, scaled and shifted where both classes are there."""
    if min(labels.sum(), (~labels).sum()) < FEWEST_OF_EITHER_CLASS:
        return model.stack
    score = (members @ model.stack[:-1])[:, None]
    slope, constant = fit_stack(score, labels, np.ones(len(labels)))
    return np.array([*(slope * model.stack[:-1]), constant])
