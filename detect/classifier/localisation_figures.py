"""How well the curve and the heat map find splices, with the origins of both parts held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import LabelledClip, clip_groups, folds
from vidigree.detect.classifier.extraction import Block, block_columns
from vidigree.detect.classifier.fitting import Recipe
from vidigree.detect.classifier.map_figures import cells_area
from vidigree.detect.classifier.model import ClassifierModel
from vidigree.detect.classifier.regions import LEAST_BORDER, overlap
from vidigree.detect.classifier.spliced_clips import SplicedClip, spliced_clips
from vidigree.detect.classifier.time_curve import LEAST_EVIDENCE, CurvePoint, stretches
from vidigree.media.progress import Progress, no_progress

__all__ = ["LocalisationFigures", "SpliceRound", "figures_of_splices", "localisation_figures"]

_FOLDS = 5
_ROUNDS = 3
"""Assignments of origins to folds; the regions are of the first one alone."""

_SPLICES = {"time": 14, "plain": 14, "joined": 14, "around": 14, "space": 4, "soft": 4}
"""Kind of splice to how many are made from each fold at most."""

_STRETCHES, _ONCE = ("time", "plain", "joined"), ("space", "soft", "around")
"""Kinds that are made in every round, and in the first alone."""

_HARD = 35
"""Constant rate factor of the second encode of what is shared on with little of it left."""

_MATCH = 0.5
_EVIDENCE = (0.0, 0.25, 0.5, 0.75, LEAST_EVIDENCE, 1.25, 1.5, 1.75)
_BORDER = (0.5, 0.55, 0.6, 0.65, LEAST_BORDER, 0.8, 0.9)
"""Thresholds to choose from: of stretches, and of the borders of a region."""

_Score = Callable[[int, NDArray[np.float32]], NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class SpliceRound:
    """Splices of one assignment of origins to folds.

    Attributes:
        timed: Clips with an inserted stretch.
        plain: Hosts without one.
        joined: Hosts with a scene of another real clip.
        score: Fold and rows of features to log-likelihood ratios by a model that did not see the
            fold.
    """

    timed: Sequence[SplicedClip]
    plain: Sequence[SplicedClip]
    score: _Score
    joined: Sequence[SplicedClip] = ()


@dataclass(frozen=True)
class _Count:
    """Hits, named and wanted parts at each threshold."""

    hits: Counter[float]
    named: Counter[float]
    wanted: int

    def __add__(self, other: _Count) -> _Count:
        return _Count(self.hits + other.hits, self.named + other.named, self.wanted + other.wanted)

    def f1(self, threshold: float) -> float:
        return 2 * self.hits[threshold] / max(1, self.named[threshold] + self.wanted)


@dataclass(frozen=True, kw_only=True)
class LocalisationFigures:
    """Localisation on self-made splices, models fitted without the origins of either part.

    Attributes:
        rounds: Assignments of origins to folds; they share origins.
        spliced: Clips with one inserted stretch, over all rounds.
        plain: Real clips without one, likewise: each is counted once a round.
        time_f1: F1 of stretches that overlap the truth with an intersection over union of at
            least one half, over spliced, plain and joined clips.
        time_precision: Share of the named stretches that do.
        time_recall: Share of the inserted stretches that are found.
        use_f1: The same F1 with the evidence that use asks for.
        plain_named: Share of the plain clips in which a stretch is named with the evidence that use
            asks for.
        joined: Real clips with a scene of another real clip, over all rounds.
        joined_named: Share of these in which a stretch is named, likewise.
        around: Synthetic clips with a scene of a real clip in them, of one round.
        around_found: Share of their synthetic parts, two in each, that are found, likewise.
        around_wrong: Share of these clips in which the real scene is named, likewise.
        hard_f1: ``time_f1`` where everything was encoded once more at CRF 35.
        hard_use_f1: ``use_f1``, likewise.
        hard_named: ``plain_named`` and ``joined_named``, likewise.
        boundaries_f1: The same if every inserted stretch were called right and every other shot
            too: what the cuts alone allow.
        thresholds: Evidence asked of a stretch: what each fold's was, chosen on the splices of
            the round's other folds alone, from low to high.
        pasted: Clips with a pasted region.
        unpasted: Real clips without one beside them: the plain ones of one round.
        space_f1: F1 of regions, likewise by area and with a threshold chosen on other folds, over
            pasted and plain clips.
        space_precision: Share of the named regions that are right.
        space_recall: Share of the pasted regions that are found.
        borders: Evidence asked of a region, like ``thresholds``.
        soft_recall: Share found of the same regions with blended borders.
        whole_named: Share of clips nobody pasted anything in whose strongest rectangle has the
            evidence that use asks for: real clips, synthetic clips.
        space_auc: Area under the curve of cells of the map inside against cells outside the
            region, mean over clips; the model's word, of which regions make no use.
    """

    rounds: int
    spliced: int
    plain: int
    time_f1: float
    time_precision: float
    time_recall: float
    use_f1: float
    plain_named: float
    joined: int
    joined_named: float
    around: int
    around_found: float
    around_wrong: float
    hard_f1: float = float("nan")
    hard_use_f1: float = float("nan")
    hard_named: tuple[float, float] = (float("nan"), float("nan"))
    boundaries_f1: float
    thresholds: tuple[float, ...]
    pasted: int
    unpasted: int
    space_f1: float
    space_precision: float
    space_recall: float
    borders: tuple[float, ...]
    soft_recall: float
    whole_named: tuple[float, float] = (float("nan"), float("nan"))
    space_auc: float

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return asdict(self)


def localisation_figures(
    recipe: Recipe,
    blocks: Sequence[Block],
    cache: WindowCache,
    *,
    progress: Progress = no_progress,
) -> LocalisationFigures | None:
    """Measure localisation on splices whose parts the model of their fold did not see.

    Args:
        recipe: How to fit the model of a fold.
        blocks: The layout that features of splices are kept in, the recipe's groups among them.
        cache: Where features of splices are kept.
        progress: Told how many splices are done.

    Returns:
        The figures; ``None`` where no clip is long enough for a splice.
    """
    kept = block_columns(blocks, recipe.settings.blocks)
    rounds: list[SpliceRound] = []
    harder: list[SpliceRound] = []
    first: dict[str, list[SplicedClip]] = {}
    for seed in range(_ROUNDS):
        fold = folds(recipe.clips, clip_groups(recipe.clips), count=_FOLDS, seed=seed)
        make = partial(spliced_clips, recipe.clips, fold, blocks, cache, progress=progress)
        first = first or {kind: make(kind=kind, per_fold=_SPLICES[kind]) for kind in _ONCE}
        made = {kind: make(kind=kind, per_fold=_SPLICES[kind]) for kind in _STRETCHES}
        if not made["time"]:
            continue
        models = [recipe.without(fold == index) for index in range(_FOLDS)]
        score = partial(_llr, models, kept)
        rounds.append(_splice_round(made, score))
        hard = {
            kind: make(kind=kind, per_fold=_SPLICES[kind], second_crf=_HARD) for kind in _STRETCHES
        }
        harder.append(_splice_round(hard, score))
    if not rounds:
        return None
    figures = figures_of_splices(rounds, first["space"], soft=first["soft"], around=first["around"])
    encoded_again = figures_of_splices(harder, [])
    return replace(
        figures,
        hard_f1=encoded_again.time_f1,
        hard_use_f1=encoded_again.use_f1,
        hard_named=(encoded_again.plain_named, encoded_again.joined_named),
        whole_named=_whole_named(recipe.clips, cache, progress),
    )


def _splice_round(made: dict[str, list[SplicedClip]], score: _Score) -> SpliceRound:
    return SpliceRound(timed=made["time"], plain=made["plain"], score=score, joined=made["joined"])


def _llr(
    models: Sequence[ClassifierModel],
    kept: NDArray[np.int64],
    index: int,
    rows: NDArray[np.float32],
) -> NDArray[np.float64]:
    return models[index].llr(models[index].members(rows[:, kept]))


def _whole_named(
    clips: Sequence[LabelledClip], cache: WindowCache, progress: Progress
) -> tuple[float, float]:
    named = np.zeros(len(clips), dtype=np.bool_)
    for index, clip in enumerate(clips):
        region = cache.region(clip)
        named[index] = region is not None and region.evidence >= LEAST_BORDER
        progress("regions", index + 1, len(clips))
    synthetic = np.array([clip.synthetic for clip in clips])
    return float(named[~synthetic].mean()), float(named[synthetic].mean())


def figures_of_splices(
    rounds: Sequence[SpliceRound],
    pasted: Sequence[SplicedClip],
    *,
    soft: Sequence[SplicedClip] = (),
    around: Sequence[SplicedClip] = (),
) -> LocalisationFigures:
    """Measure localisation; the thresholds of a fold are those that did best on the round's others.

    What was encoded once more, and the shares of whole clips, are left open.

    Args:
        rounds: Stretches, by assignment to folds.
        pasted: Clips with a pasted region, of the first round.
        soft: Clips with a pasted region whose borders are blended, likewise.
        around: Synthetic clips with a scene of a real clip, likewise.
    """
    time, ideal, thresholds, in_use = _stretch_figures(rounds)
    space, borders, soft_recall = _region_figures(pasted, rounds[0].plain, soft)
    parts, scenes = _around(around, rounds[0].score)
    spliced = sum(len(part.timed) for part in rounds)
    return LocalisationFigures(
        rounds=len(rounds),
        spliced=spliced,
        plain=sum(len(part.plain) for part in rounds),
        time_f1=time.f1(_CHOSEN),
        time_precision=time.hits[_CHOSEN] / max(1, time.named[_CHOSEN]),
        time_recall=time.hits[_CHOSEN] / max(1, spliced),
        use_f1=time.f1(LEAST_EVIDENCE),
        plain_named=_mean(in_use["plain"]),
        joined=len(in_use["joined"]),
        joined_named=_mean(in_use["joined"]),
        around=len(around),
        around_found=_mean(parts),
        around_wrong=_mean(scenes),
        boundaries_f1=ideal.f1(LEAST_EVIDENCE),
        thresholds=thresholds,
        pasted=len(pasted),
        unpasted=len(rounds[0].plain),
        space_f1=space.f1(_CHOSEN),
        space_precision=space.hits[_CHOSEN] / max(1, space.named[_CHOSEN]),
        space_recall=space.hits[_CHOSEN] / max(1, space.wanted),
        borders=borders,
        soft_recall=soft_recall,
        space_auc=cells_area(pasted, rounds[0].score),
    )


_NOTHING = _Count(Counter(), Counter(), 0)
_CHOSEN = -1.0
"""Stands for the threshold of each fold in counts over all folds."""


def _stretch_figures(
    rounds: Sequence[SpliceRound],
) -> tuple[_Count, _Count, tuple[float, ...], dict[str, list[bool]]]:
    """Return counts of stretches, and of ideal ones, thresholds, and in which clips use names."""
    ideal, time = _NOTHING, _NOTHING
    chosen: set[float] = set()
    in_use: dict[str, list[bool]] = {"time": [], "plain": [], "joined": []}
    for part in rounds:
        counts: dict[int, _Count] = {}
        for clip in (*part.timed, *part.plain, *part.joined):
            fold = clip.splice.fold
            points = _points(clip, part.score(fold, clip.rows))
            count = _stretch_count(points, clip.truth, _EVIDENCE)
            counts[fold] = counts.get(fold, _NOTHING) + count
            in_use[clip.splice.kind].append(count.named[LEAST_EVIDENCE] > 0)
            ideal += _stretch_count(_ideal(points, clip.truth), clip.truth, (LEAST_EVIDENCE,))
        own, total = _cross_chosen(counts, LEAST_EVIDENCE)
        time += total
        chosen |= set(own.values())
    return time, ideal, tuple(sorted(chosen)), in_use


def _cross_chosen(counts: dict[int, _Count], usual: float) -> tuple[dict[int, float], _Count]:
    """Choose each fold's threshold on the others; where they decide nothing, the usual one."""
    total, chosen = _NOTHING, {}
    for fold, own in counts.items():
        rest = sum((count for other, count in counts.items() if other != fold), _NOTHING)
        options = sorted({*rest.named, usual}, key=lambda value: abs(value - usual))
        best = max(options, key=rest.f1)
        chosen[fold] = best
        hits = Counter({_CHOSEN: own.hits[best], usual: own.hits[usual]})
        named = Counter({_CHOSEN: own.named[best], usual: own.named[usual]})
        total += _Count(hits, named, own.wanted)
    return chosen, total


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _stretch_count(
    points: Sequence[CurvePoint], truth: tuple[float, ...], thresholds: Sequence[float]
) -> _Count:
    hits: Counter[float] = Counter()
    named: Counter[float] = Counter()
    for threshold in thresholds:
        found = [(part.start, part.end) for part in stretches(points, threshold=threshold)]
        named[threshold] = len(found)
        if truth:
            hits[threshold] = sum(_overlap(part, truth) >= _MATCH for part in found)
    return _Count(hits, named, int(bool(truth)))


def _around(clips: Sequence[SplicedClip], score: _Score) -> tuple[list[bool], list[bool]]:
    """Return which synthetic parts use finds, and in which clips it names the real scene."""
    parts: list[bool] = []
    scenes: list[bool] = []
    for clip in clips:
        points = _points(clip, score(clip.splice.fold, clip.rows))
        found = [(part.start, part.end) for part in stretches(points)]
        start, cut, again, end = clip.truth
        before, scene, after = (
            any(_overlap(part, truth) >= _MATCH for part in found)
            for truth in ((start, cut), (cut, again), (again, end))
        )
        parts += [before, after]
        scenes.append(scene)
    return parts, scenes


def _points(clip: SplicedClip, llr: NDArray[np.float64]) -> list[CurvePoint]:
    return [
        CurvePoint(start=start, end=end, shot=int(shot), take=int(take), llr=float(value))
        for (start, end, shot, take), value in zip(clip.facts.tolist(), llr, strict=True)
    ]


def _ideal(points: Sequence[CurvePoint], truth: tuple[float, ...]) -> list[CurvePoint]:
    """Return the points as if every window were judged right by its middle."""
    start, end = truth or (1.0, 0.0)
    return [
        replace(point, llr=5.0 if start <= (point.start + point.end) / 2 < end else -5.0)
        for point in points
    ]


def _overlap(found: tuple[float, float], truth: tuple[float, ...]) -> float:
    both = max(0.0, min(found[1], truth[1]) - max(found[0], truth[0]))
    either = found[1] - found[0] + truth[1] - truth[0] - both
    return both / either


def _region_figures(
    pasted: Sequence[SplicedClip], plain: Sequence[SplicedClip], soft: Sequence[SplicedClip]
) -> tuple[_Count, tuple[float, ...], float]:
    """Return the count over folds, their thresholds, and the share of soft regions found."""
    counts: dict[int, _Count] = {}
    for clip in (*pasted, *plain):
        fold = clip.splice.fold
        counts[fold] = counts.get(fold, _NOTHING) + _region_count(clip)
    chosen, total = _cross_chosen(counts, LEAST_BORDER)
    found = [_region_count(clip).hits[chosen[clip.splice.fold]] for clip in soft]
    recall = _mean(found)
    return total, tuple(sorted(set(chosen.values()))), recall


def _region_count(clip: SplicedClip) -> _Count:
    """Count the named region at each threshold; a plain clip wants none."""
    pasted = bool(clip.truth)
    if clip.region is None:
        return _Count(Counter(), Counter(), int(pasted))
    named = [value for value in _BORDER if clip.region.evidence >= value]
    hit = pasted and overlap(clip.region.box, clip.truth) >= _MATCH
    return _Count(Counter(named if hit else []), Counter(named), int(pasted))
