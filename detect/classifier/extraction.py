"""From canonical windows to rows of features, one layout for training and for use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.cache_files import read_cached, write_cached
from vidigree.detect.classifier.canonical import CanonicalWindow
from vidigree.detect.classifier.dataset import LabelledClip
from vidigree.detect.classifier.features import feature_group
from vidigree.media.progress import Progress, no_progress

__all__ = [
    "Block",
    "FeatureTable",
    "block_columns",
    "block_features",
    "block_versions",
    "blocks_width",
    "build_table",
]


@dataclass(frozen=True, order=True)
class Block:
    """One feature group looked at through one view; a row is a sequence of blocks.

    Attributes:
        view: A name of ``geometry.VIEWS``.
        group: A name of the registry of feature groups.
    """

    view: str
    group: str


def block_features(window: CanonicalWindow, blocks: Sequence[Block]) -> NDArray[np.float32]:
    """Compute one row; what a window holds of it already is taken from there.

    Args:
        window: A canonical window; it keeps the features of each block.
        blocks: The layout.

    Returns:
        float32 (columns,), NaN in the blocks that have nothing to say about this window.
    """
    wanted = [block for block in blocks if block not in window.features]
    for view in sorted({block.view for block in wanted}):
        decoded = window.decode(view)
        for block in wanted:
            if block.view == view:
                window.features[block] = feature_group(block.group).extract(decoded)
    return np.concatenate([window.features[block] for block in blocks])


@dataclass(frozen=True)
class FeatureTable:
    """Features of all windows of a list of clips.

    Attributes:
        blocks: The layout of the columns.
        values: float32 (windows, columns), NaN where a block has nothing to say.
        clip: int64 (windows,), index of the clip in the list the table was built from.
    """

    blocks: tuple[Block, ...]
    values: NDArray[np.float32]
    clip: NDArray[np.int64]

    def only(self, blocks: Sequence[Block]) -> FeatureTable:
        """Return the table with some of its blocks, in the order they are given.

        Raises:
            KeyError: The table has no such block.
        """
        columns = block_columns(self.blocks, blocks)
        return FeatureTable(tuple(blocks), self.values[:, columns], self.clip)


def block_columns(blocks: Sequence[Block], kept: Sequence[Block]) -> NDArray[np.int64]:
    """Return the columns of a layout that belong to some of its blocks, in the order of these.

    Args:
        blocks: The layout.
        kept: The blocks, at least one.

    Raises:
        KeyError: The layout has no such block.
    """
    ends = np.cumsum([blocks_width((block,)) for block in blocks])
    place = {
        block: np.arange(end - blocks_width((block,)), end)
        for block, end in zip(blocks, ends, strict=True)
    }
    return np.concatenate([place[block] for block in kept])


def blocks_width(blocks: Sequence[Block]) -> int:
    """Return how many columns a layout has."""
    return sum(len(feature_group(block.group).names()) for block in blocks)


def block_versions(blocks: Sequence[Block]) -> tuple[tuple[str, str, int], ...]:
    """Return view, group and the group's version of each block."""
    return tuple((block.view, block.group, feature_group(block.group).version) for block in blocks)


def build_table(
    clips: Sequence[LabelledClip],
    *,
    laundering: str,
    blocks: Sequence[Block],
    cache: WindowCache,
    only: Sequence[int] | None = None,
    progress: Progress = no_progress,
) -> FeatureTable:
    """Compute or load the features of every window of every clip.

    Args:
        clips: The clips.
        laundering: What was done to them, see :meth:`WindowCache.windows`.
        blocks: The layout.
        cache: Where windows and features are kept.
        only: Indices of the clips to take, ascending; ``None`` for all.
        progress: Told how many clips are done.

    Raises:
        MediaError: A clip cannot be read.
        OutputError: The cache cannot be written.
    """
    rows: list[NDArray[np.float32]] = []
    owner: list[int] = []
    chosen = range(len(clips)) if only is None else only
    for place, index in enumerate(chosen):
        parts = [_clip_block(clips[index], laundering, block, cache) for block in blocks]
        values = np.concatenate(parts, axis=1)
        rows.append(values)
        owner += [index] * len(values)
        progress(f"features of {laundering!r}", place + 1, len(chosen))
    return FeatureTable(tuple(blocks), np.concatenate(rows), np.array(owner, dtype=np.int64))


def _clip_block(
    clip: LabelledClip, laundering: str, block: Block, cache: WindowCache
) -> NDArray[np.float32]:
    extractor = feature_group(block.group)
    kind = f"{block.view}-{block.group}-v{extractor.version}"
    path = cache.feature_path(clip, laundering, kind)
    width = len(extractor.names())
    if path.exists():
        with read_cached(path) as kept:
            if kept.ndim != 2 or kept.shape[1] != width:
                raise ValueError(kept.shape)
            return np.asarray(kept, dtype=np.float32)
    rows = [
        extractor.extract(window.decode(block.view)) for window in cache.windows(clip, laundering)
    ]
    values = np.array(rows, dtype=np.float32).reshape(-1, width)
    with write_cached(path) as stream:
        np.save(stream, values)
    return values
