"""The project's own engines with their marks off: reported apart, never in the headline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import LabelledClip
from vidigree.detect.classifier.evaluation import OwnEngineRow
from vidigree.detect.classifier.extraction import build_table
from vidigree.detect.classifier.fitting import Recipe, clip_members
from vidigree.detect.classifier.metrics import area_under_curve
from vidigree.detect.classifier.quality import outside_range
from vidigree.detect.classifier.range_figures import clip_qualities

__all__ = ["own_engine_rows"]


def own_engine_rows(
    recipe: Recipe,
    own: Sequence[LabelledClip],
    cache: WindowCache,
    *,
    reals: NDArray[np.float64],
) -> tuple[OwnEngineRow, ...]:
    """Score the project's own engines by a model fitted on everything but them.

    Args:
        recipe: How to fit.
        own: Clips that the engines made without marks; ``origin`` is the engine.
        cache: Where windows and features are kept.
        reals: float64 (n,), held-out ratios of real clips.
    """
    if not own:
        return ()
    model = recipe.without(np.zeros(len(recipe.clips), dtype=np.bool_))
    table = build_table(own, laundering="none", blocks=recipe.settings.blocks, cache=cache)
    llr = model.llr(clip_members(model, table, len(own)))
    outside = np.array([bool(q and outside_range(q)) for q in clip_qualities(own, cache)])
    threshold = np.sort(reals)[::-1][int(0.05 * len(reals))]
    rows = []
    for name in sorted({clip.origin for clip in own}):
        mine = np.array([clip.origin == name for clip in own]) & ~np.isnan(llr)
        both = np.concatenate([reals, llr[mine]])
        rows.append(
            OwnEngineRow(
                name=name,
                clips=int(mine.sum()),
                abstained=float(outside[mine].mean()),
                auc=area_under_curve(both, np.arange(len(both)) >= len(reals)),
                found=float((llr[mine] > threshold).mean()),
            )
        )
    return tuple(rows)
