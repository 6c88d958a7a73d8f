"""How well the curve and the heat map find splices, with the origins of both parts held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.canonical import CanonicalWindow, make_window
from vidigree.detect.classifier.dataset import LabelledClip, clip_groups, folds
from vidigree.detect.classifier.extraction import Block, block_features
from vidigree.detect.classifier.geometry import content_box
from vidigree.detect.classifier.heat_map import CELLS, cells_of_tiles, tile_boxes
from vidigree.detect.classifier.metrics import area_under_curve
from vidigree.detect.classifier.sampling import nearest_frames
from vidigree.detect.classifier.splices import Splice, draw_splices, splice_frames
from vidigree.detect.classifier.time_curve import CurvePoint, shot_windows, stretches
from vidigree.detect.classifier.training import Recipe
from vidigree.media.output import output_file
from vidigree.media.progress import Progress, no_progress

__all__ = [
    "LocalisationFigures",
    "SplicedClip",
    "figures_of_splices",
    "localisation_figures",
    "spliced_clips",
]

_FOLDS = 5
_SPLICES = {"time": 5, "plain": 5, "space": 4}
"""Kind of splice to how many are made from each fold at most."""

_MATCH = 0.5
_LEAST_CONTRAST = 1.0
"""Cells must stand this far above the median of the map for a region to be named."""


@dataclass(frozen=True, kw_only=True)
class SplicedClip:
    """Features of a made clip.

    Attributes:
        splice: What it is.
        truth: See :func:`splice_frames`.
        rows: float32 (windows, columns): of the windows of the curve, or of the tiles.
        facts: float64 (windows, 3): start, end and shot of each; empty for tiles.
    """

    splice: Splice
    truth: tuple[float, ...]
    rows: NDArray[np.float32]
    facts: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LocalisationFigures:
    """Localisation on self-made splices, models fitted without the origins of either part.

    Attributes:
        spliced: Clips with one inserted stretch.
        plain: Real clips without one.
        time_f1: F1 of stretches that overlap the truth with an intersection over union of at
            least one half, over spliced and plain clips.
        time_precision: Share of the named stretches that do.
        time_recall: Share of the inserted stretches that are found.
        boundaries_f1: The same if every inserted stretch were called right and every other shot
            too: what the cuts alone allow.
        pasted: Clips with a pasted region.
        space_f1: F1 of regions, likewise by area.
        space_auc: Area under the curve of cells inside against cells outside the region, mean
            over clips.
    """

    spliced: int
    plain: int
    time_f1: float
    time_precision: float
    time_recall: float
    boundaries_f1: float
    pasted: int
    space_f1: float
    space_auc: float

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return asdict(self)


def spliced_clips(
    clips: Sequence[LabelledClip],
    fold: NDArray[np.int64],
    blocks: Sequence[Block],
    cache: WindowCache,
    *,
    kind: str,
    per_fold: int,
    progress: Progress = no_progress,
) -> list[SplicedClip]:
    """Make splices and their features, or load them from the cache.

    Args:
        clips: Labelled clips.
        fold: Fold of each, (clips,).
        blocks: The layout of the features.
        cache: Where features are kept.
        kind: See :class:`Splice`.
        per_fold: Most splices from one fold.
        progress: Told how many are done.
    """
    made = []
    drawn = draw_splices(clips, fold, kind=kind, per_fold=per_fold, seed=7)
    for place, splice in enumerate(drawn):
        made.append(_cached(splice, clips, blocks, cache))
        progress(f"splices ({kind})", place + 1, len(drawn))
    return made


def _cached(
    splice: Splice, clips: Sequence[LabelledClip], blocks: Sequence[Block], cache: WindowCache
) -> SplicedClip:
    host, insert = (cache.digest(clips[i])[:12] for i in (splice.host, splice.insert))
    layout = "+".join(sorted(f"{block.view}-{block.group}" for block in blocks))
    path = cache.splice_path(f"{splice.name}-{host}-{insert}", layout)
    if path.exists():
        with np.load(path, allow_pickle=False) as arrays:
            truth = tuple(arrays["truth"].tolist())
            return SplicedClip(
                splice=splice, truth=truth, rows=arrays["rows"], facts=arrays["facts"]
            )
    kinds = tuple(sorted({block.view for block in blocks}))
    frames, truth = splice_frames(splice, clips)
    facts: list[tuple[float, float, float]] = []
    windows: list[CanonicalWindow] = []
    if splice.kind == "space":
        samples = [sample for sample in nearest_frames(frames) if sample.tick < 16]
        content = content_box([sample.image for sample in samples])
        found = [make_window(samples, kinds, box=box) for box in tile_boxes(content)]
        windows = [window for window in found if window is not None]
    else:
        for part in shot_windows(frames, kinds=kinds):
            windows.append(part.window)
            facts.append((part.window.start, part.window.end, part.shot))
    rows = np.array([block_features(window, blocks) for window in windows], dtype=np.float32)
    result = SplicedClip(
        splice=splice, truth=truth, rows=rows, facts=np.array(facts, dtype=np.float64)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with output_file(path, overwrite=True) as temporary, temporary.open("wb") as stream:
        np.savez(stream, truth=np.array(truth), rows=result.rows, facts=result.facts)
    return result


def localisation_figures(
    recipe: Recipe, cache: WindowCache, *, progress: Progress = no_progress
) -> LocalisationFigures | None:
    """Measure localisation on splices whose parts the model of their fold did not see.

    Args:
        recipe: How to fit the model of a fold.
        cache: Where features of splices are kept.
        progress: Told how many splices are done.

    Returns:
        The figures; ``None`` where no clip is long enough for a splice.
    """
    fold = folds(recipe.clips, clip_groups(recipe.clips), count=_FOLDS, seed=0)
    made = {
        kind: spliced_clips(
            recipe.clips,
            fold,
            recipe.settings.blocks,
            cache,
            kind=kind,
            per_fold=count,
            progress=progress,
        )
        for kind, count in _SPLICES.items()
    }
    if not made["time"]:
        return None
    models = [recipe.without(fold == index) for index in range(_FOLDS)]

    def score(index: int, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        return models[index].llr(models[index].members(rows))

    return figures_of_splices(made["time"], made["plain"], made["space"], score)


def figures_of_splices(
    timed: Sequence[SplicedClip],
    plain: Sequence[SplicedClip],
    pasted: Sequence[SplicedClip],
    score: Callable[[int, NDArray[np.float32]], NDArray[np.float64]],
) -> LocalisationFigures:
    """Measure localisation.

    Args:
        timed: Clips with an inserted stretch.
        plain: Hosts without one.
        pasted: Clips with a pasted region.
        score: Fold and rows of features to log-likelihood ratios by a model that did not see the
            fold.
    """
    hits = named = ideal_hits = ideal_named = 0
    for clip in (*timed, *plain):
        points = _points(clip, score(clip.splice.fold, clip.rows))
        found = [(part.start, part.end) for part in stretches(points)]
        ideal = [(part.start, part.end) for part in stretches(_ideal(points, clip.truth))]
        hits += sum(_overlap(part, clip.truth) >= _MATCH for part in found if clip.truth)
        ideal_hits += sum(_overlap(part, clip.truth) >= _MATCH for part in ideal if clip.truth)
        named += len(found)
        ideal_named += len(ideal)
    regions = [_region(clip, score(clip.splice.fold, clip.rows)) for clip in pasted]
    space = [row for row in regions if row is not None]
    space_hits = sum(overlap >= _MATCH for overlap, _, _ in space)
    space_named = sum(is_named for _, is_named, _ in space)
    return LocalisationFigures(
        spliced=len(timed),
        plain=len(plain),
        time_f1=_f1(hits, named, len(timed)),
        time_precision=hits / max(1, named),
        time_recall=hits / max(1, len(timed)),
        boundaries_f1=_f1(ideal_hits, ideal_named, len(timed)),
        pasted=len(space),
        space_f1=_f1(space_hits, space_named, len(space)),
        space_auc=float(np.mean([area for _, _, area in space])) if space else float("nan"),
    )


def _f1(hits: int, named: int, wanted: int) -> float:
    return 2 * hits / max(1, named + wanted)


def _points(clip: SplicedClip, llr: NDArray[np.float64]) -> list[CurvePoint]:
    return [
        CurvePoint(start=start, end=end, shot=int(shot), llr=float(value))
        for (start, end, shot), value in zip(clip.facts.tolist(), llr, strict=True)
    ]


def _ideal(points: Sequence[CurvePoint], truth: tuple[float, ...]) -> list[CurvePoint]:
    """Return the points as if every window were judged right by its middle."""
    start, end = truth or (1.0, 0.0)
    return [
        CurvePoint(
            start=point.start,
            end=point.end,
            shot=point.shot,
            llr=5.0 if start <= (point.start + point.end) / 2 < end else -5.0,
        )
        for point in points
    ]


def _overlap(found: tuple[float, float], truth: tuple[float, ...]) -> float:
    both = max(0.0, min(found[1], truth[1]) - max(found[0], truth[0]))
    either = found[1] - found[0] + truth[1] - truth[0] - both
    return both / either


def _region(clip: SplicedClip, llr: NDArray[np.float64]) -> tuple[float, int, float] | None:
    """Return the overlap of the named region with the truth, whether one is named, the area."""
    if len(llr) != (CELLS - 1) ** 2:
        return None
    cells = np.array(cells_of_tiles(llr.reshape(CELLS - 1, CELLS - 1)))
    contrast = cells - np.median(cells)
    inside = _share_inside(clip.truth)
    area = area_under_curve(contrast.ravel(), inside.ravel() >= 0.5)
    if contrast.max() < _LEAST_CONTRAST:
        return 0.0, 0, area
    chosen = contrast >= contrast.max() / 2
    both = float(inside[chosen].sum())
    return both / float(chosen.sum() + inside.sum() - both), 1, area


def _share_inside(truth: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the share of each cell that lies in the region; the map covers the whole frame."""
    edges = np.linspace(0, 1, CELLS + 1)
    top, bottom, left, right = truth
    rows = np.clip(np.minimum(edges[1:], bottom) - np.maximum(edges[:-1], top), 0, None) * CELLS
    columns = np.clip(np.minimum(edges[1:], right) - np.maximum(edges[:-1], left), 0, None) * CELLS
    return np.asarray(np.outer(rows, columns), dtype=np.float64)
