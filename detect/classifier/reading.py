"""Score one file: what the classifier says, or why it will not say anything."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.canonical import (
    SHORTEST_WINDOW,
    SMALLEST_SIDE,
    WINDOW_FRAMES,
    CanonicalWindow,
    WindowCutter,
)
from vidigree.detect.classifier.localisation import Localisation, locate
from vidigree.detect.classifier.model import ClassifierModel
from vidigree.detect.classifier.quality import mean_quality, outside_range
from vidigree.detect.classifier.sampling import SAMPLE_RATE
from vidigree.detect.classifier.weights_file import shipped_model
from vidigree.media.frame import Frame
from vidigree.media.reading import VideoInfo, open_video

__all__ = [
    "ABSTENTIONS",
    "ClassifierReading",
    "ClipScorer",
    "WindowScore",
    "clip_member_scores",
    "score_video",
]

ABSTENTIONS = {
    "too-short": f"Less than {SHORTEST_WINDOW / SAMPLE_RATE:g} s of video.",
    "too-small": f"The central part of the picture is smaller than {SMALLEST_SIDE} pixels.",
    "too-little-detail": "Flat, blank or compressed so hard that no texture is left.",
    "drawing": "Flat areas of few colours between sharp edges: a drawing or animation.",
    "screen": "Sharp and still like a recording of a screen.",
    "too-compressed": "Compressed so hard that blocks are repeated instead of coded.",
    "repeated-frames": "Most frames repeat the one before (a slide show, or under 7 frames a"
    " second), so motion cannot be judged.",
}
"""Reasons for which the classifier abstains: code to sentence."""

_MOST_WINDOWS = 60
_MOST_REPEATED = 0.3


@dataclass(frozen=True, kw_only=True)
class WindowScore:
    """The score of one window.

    Attributes:
        start: Seconds from the first frame.
        end: Seconds from the first frame, exclusive.
        llr: Natural-log likelihood ratio, synthetic over real; less certain than the clip's.
    """

    start: float
    end: float
    llr: float


@dataclass(frozen=True, kw_only=True)
class ClassifierReading:
    """What the classifier says about a clip. It never proves a clip authentic.

    Attributes:
        status: ``"scored"``, or ``"abstained"`` if the clip is outside what was trained for.
        reason: Code of ABSTENTIONS; empty when scored.
        llr: Natural-log likelihood ratio, synthetic over real; ``None`` when abstained.
        probability: Probability of synthetic at even prior odds, [0, 1]; ``None`` when abstained.
        p_value: Share of held-out real clips that score as high, in (0, 1]; ``None`` when
            abstained.
        threshold: The ratio above which a clip is called likely synthetic.
        likely_synthetic: Whether ``llr`` is above ``threshold``; ``False`` says nothing.
        windows: Scores over time, in order.
        where: Where in the clip, if that was asked for; ``None`` otherwise and when abstained.
        model_id: Canonical form and weights the score belongs to.
    """

    status: Literal["scored", "abstained"]
    reason: str
    llr: float | None
    probability: float | None
    p_value: float | None
    threshold: float
    likely_synthetic: bool
    windows: tuple[WindowScore, ...]
    model_id: str
    where: Localisation | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the reading as JSON values; an infinite threshold as ``None``."""
        row = asdict(self)
        row["threshold"] = self.threshold if math.isfinite(self.threshold) else None
        row["windows"] = [asdict(window) for window in self.windows]
        row["where"] = None if self.where is None else self.where.to_dict()
        return row


class ClipScorer:
    """Scores a clip by frames that it is given one by one, so that others may look at them too.

    Memory does not grow with the clip. Of clips longer than two minutes, evenly spread windows
    are scored: 60, or up to 120 where the container says nothing of the length or too little.

    Args:
        info: What the container says of the clip; of it, only length and size are used.
        model: Weights; ``None`` takes those that come with the package.

    Raises:
        UsageError: The shipped weights are damaged.
    """

    def __init__(self, info: VideoInfo, *, model: ClassifierModel | None = None) -> None:
        self._info = info
        self._model = model or shipped_model()
        kinds = tuple(sorted({block.view for block in self._model.blocks}))
        self._cutter = WindowCutter(kinds=kinds, every=_stride(info))
        self._windows: list[CanonicalWindow] = []

    def feed(self, frame: Frame) -> None:
        """Take the next frame, in display order."""
        self._windows += self._cutter.feed(frame)
        # The clip is longer than the container says, or that says nothing.
        if len(self._windows) >= 2 * _MOST_WINDOWS:
            self._windows = self._windows[::2]
            self._cutter.halve()

    def finish(self, *, where: bool | None = False) -> ClassifierReading:
        """Return what the frames say.

        Args:
            where: Whether to find where in the clip as well, which reads the file again, at about
                three times the cost; ``None`` for only where the clip is likely synthetic.

        Raises:
            MediaError: The file cannot be read again.
        """
        model = self._model
        usable, reason = self._usable()
        if reason:
            return _abstained(reason, model)
        members = model.windows_members(usable)
        llr = float(model.llr(members.mean(axis=0, keepdims=True))[0])
        likely = llr > model.header.threshold
        wanted = likely if where is None else where
        return ClassifierReading(
            status="scored",
            reason="",
            llr=llr,
            probability=float(1 / (1 + np.exp(-llr))),
            p_value=model.p_value(llr),
            threshold=model.header.threshold,
            likely_synthetic=likely,
            windows=tuple(
                WindowScore(start=window.start, end=window.end, llr=float(score))
                for window, score in zip(usable, model.llr(members), strict=True)
            ),
            model_id=model.model_id,
            where=locate(self._info.path, model=model, made=usable) if wanted else None,
        )

    def members(self) -> NDArray[np.float64] | None:
        """Return the mean scores (1,) of the model's members, ``None`` where it would abstain."""
        usable, reason = self._usable()
        if reason:
            return None
        scores = self._model.windows_members(usable).mean(axis=0)
        return np.asarray(scores, dtype=np.float64)

    def _usable(self) -> tuple[list[CanonicalWindow], str]:
        """Return the windows that can be judged, or none and the reason."""
        self._windows += self._cutter.finish()
        if not self._windows:
            small = min(self._info.width, self._info.height) * 0.8 < SMALLEST_SIDE
            return [], "too-small" if small else "too-short"
        usable, reason = _judgeable(self._windows)
        if not usable and not any(window.has_detail for window in self._windows):
            later = self._cutter.past_blank()
            usable, reason = ([], reason) if later is None else _judgeable([later])
        return usable, reason


def _judgeable(windows: list[CanonicalWindow]) -> tuple[list[CanonicalWindow], str]:
    """Return which of some windows can be judged, or none and the reason."""
    detailed = [window for window in windows if window.has_detail]
    # Blank windows are flat and of one colour, as drawings are; they do not make one of the rest.
    outside = _outside(windows)
    if outside and detailed:
        outside = _outside(detailed)
    if outside:
        return [], outside
    if not detailed:
        return [], "too-little-detail"
    usable = [window for window in detailed if window.repeated <= _MOST_REPEATED]
    return usable, "" if usable else "repeated-frames"


def _outside(windows: list[CanonicalWindow]) -> str:
    """Return why pictures like those of some windows cannot be judged; empty if they can."""
    return outside_range(mean_quality([one.quality for one in windows if one.quality is not None]))


def score_video(
    path: Path | str, *, model: ClassifierModel | None = None, where: bool | None = False
) -> ClassifierReading:
    """Score a video file by its pixels; nothing about its container is used.

    Args:
        path: A local video file.
        model: Weights; ``None`` takes those that come with the package.
        where: See :meth:`ClipScorer.finish`.

    Raises:
        MediaError: The file cannot be read.
        UsageError: The shipped weights are damaged.
    """
    return _fed(path, model).finish(where=where)


def clip_member_scores(path: Path, model: ClassifierModel) -> NDArray[np.float64] | None:
    """Return the mean scores (1,) of the model's members, ``None`` where it would abstain.

    Raises:
        MediaError: The file cannot be read.
    """
    return _fed(path, model).members()


def _fed(path: Path | str, model: ClassifierModel | None) -> ClipScorer:
    with open_video(path) as reader:
        scorer = ClipScorer(reader.info, model=model)
        for frame in reader:
            scorer.feed(frame)
    return scorer


def _stride(info: VideoInfo) -> int:
    """Return how many windows to go forward, so that about _MOST_WINDOWS are scored."""
    seconds = float(info.duration or 0)
    return max(1, math.ceil(seconds / (_MOST_WINDOWS * WINDOW_FRAMES / SAMPLE_RATE)))


def _abstained(reason: str, model: ClassifierModel) -> ClassifierReading:
    return ClassifierReading(
        status="abstained",
        reason=reason,
        llr=None,
        probability=None,
        p_value=None,
        threshold=model.header.threshold,
        likely_synthetic=False,
        windows=(),
        model_id=model.model_id,
    )
