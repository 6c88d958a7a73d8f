"""Features of self-made splices, kept in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.cache_files import read_cached, write_cached
from vidigree.detect.classifier.canonical import WINDOW_FRAMES, CanonicalWindow, make_window
from vidigree.detect.classifier.dataset import LabelledClip
from vidigree.detect.classifier.extraction import Block, block_features
from vidigree.detect.classifier.features import feature_group
from vidigree.detect.classifier.geometry import content_box
from vidigree.detect.classifier.heat_map import tile_boxes
from vidigree.detect.classifier.regions import REGIONS_VERSION, Region, pasted_rectangle
from vidigree.detect.classifier.sampling import nearest_frames
from vidigree.detect.classifier.splices import Splice, draw_splices, splice_frames
from vidigree.detect.classifier.time_curve import shot_windows
from vidigree.media.progress import Progress, no_progress

__all__ = ["SplicedClip", "spliced_clips"]


@dataclass(frozen=True, kw_only=True)
class SplicedClip:
    """Features of a made clip.

    Attributes:
        splice: What it is.
        truth: See :func:`splice_frames`.
        rows: float32 (windows, columns): of the windows of the curve, or of the tiles; empty for a
            soft region.
        facts: float64 (windows, 4): start, end, shot and take of each; empty for tiles.
        region: The rectangle with the strongest borders in the first window.
    """

    splice: Splice
    truth: tuple[float, ...]
    rows: NDArray[np.float32]
    facts: NDArray[np.float64]
    region: Region | None = None


def spliced_clips(
    clips: Sequence[LabelledClip],
    fold: NDArray[np.int64],
    blocks: Sequence[Block],
    cache: WindowCache,
    *,
    kind: str,
    per_fold: int,
    second_crf: int = 0,
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
        second_crf: See :class:`Splice`.
        progress: Told how many are done.
    """
    made = []
    drawn = draw_splices(clips, fold, kind=kind, per_fold=per_fold, seed=7)
    for place, once in enumerate(drawn):
        made.append(_cached(replace(once, second_crf=second_crf), clips, blocks, cache))
        progress(f"splices ({kind})", place + 1, len(drawn))
    return made


def _cached(
    splice: Splice, clips: Sequence[LabelledClip], blocks: Sequence[Block], cache: WindowCache
) -> SplicedClip:
    host, insert = (cache.digest(clips[i])[:12] for i in (splice.host, splice.insert))
    layout = "+".join(  # in the order of the columns
        f"{block.view}-{block.group}-v{feature_group(block.group).version}" for block in blocks
    )
    layout += f"+regions-v{REGIONS_VERSION}+takes"
    second = f"-x{splice.second_crf}" if splice.second_crf else ""
    path = cache.splice_path(f"{splice.name}-{host}-{insert}{second}", layout)
    if not path.exists():
        made = _made(splice, clips, blocks)
        with write_cached(path) as stream:
            found = made.region
            region = [] if found is None else [*found.box, found.evidence]
            truth = np.array(made.truth)
            np.savez(stream, truth=truth, rows=made.rows, facts=made.facts, region=np.array(region))
    with read_cached(path) as arrays:
        *box, evidence = arrays["region"].tolist() or [0.0]
        return SplicedClip(
            splice=splice,
            truth=tuple(arrays["truth"].tolist()),
            rows=arrays["rows"],
            facts=arrays["facts"],
            region=Region(box=tuple(box), evidence=evidence) if box else None,
        )


def _made(splice: Splice, clips: Sequence[LabelledClip], blocks: Sequence[Block]) -> SplicedClip:
    kinds = tuple(sorted({block.view for block in blocks}))
    stream, truth = splice_frames(splice, clips)
    frames = list(stream)
    samples = [sample for sample in nearest_frames(frames) if sample.tick < WINDOW_FRAMES]
    facts: list[tuple[float, float, float, float]] = []
    windows: list[CanonicalWindow] = []
    if splice.kind == "space":
        content = content_box([sample.image for sample in samples])
        found = [make_window(samples, kinds, box=box) for box in tile_boxes(content)]
        windows = [window for window in found if window is not None]
    elif splice.kind != "soft":
        for part in shot_windows(frames, kinds=kinds):
            windows.append(part.window)
            facts.append((part.window.start, part.window.end, part.shot, part.take))
    return SplicedClip(
        splice=splice,
        truth=truth,
        rows=np.array([block_features(window, blocks) for window in windows], dtype=np.float32),
        facts=np.array(facts, dtype=np.float64),
        region=pasted_rectangle([sample.image for sample in samples]),
    )
