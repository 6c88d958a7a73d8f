"""Near-duplicates: clips that show the same pictures under other names must share a fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import LabelledClip, clip_groups
from vidigree.media.errors import UsageError

__all__ = ["link_near_duplicates", "linked_lists", "picture_hash"]

_SIDE = 16
_AGREEMENT = 0.9
"""Share of equal bits from which two pictures are taken for one; unrelated ones agree on half."""


def picture_hash(luma: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the difference hash of a picture: which of two neighbouring cells is brighter.

    Args:
        luma: float32 (H, W).

    Returns:
        bool (256,).
    """
    cells = cv2.resize(luma, (_SIDE + 1, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(np.diff(cells, axis=1) > 0, dtype=np.bool_).ravel()


def link_near_duplicates(clips: Sequence[LabelledClip], cache: WindowCache) -> list[LabelledClip]:
    """Return the clips, near-duplicates with a common ``linked`` name.

    The first, middle and last frame of every window are compared between all clips.

    Args:
        clips: The clips.
        cache: Where their windows are kept.

    Raises:
        MediaError: A clip cannot be read.
    """
    hashes: list[NDArray[np.bool_]] = []
    owner: list[int] = []
    for index, clip in enumerate(clips):
        for window in cache.windows(clip, "none"):
            luma = window.decode("resized").luma
            for place in (0, len(luma) // 2, len(luma) - 1):
                hashes.append(picture_hash(luma[place]))
                owner.append(index)
    if not hashes:
        return list(clips)
    signs = np.array(hashes, dtype=np.float32) * 2 - 1
    owners = np.array(owner)
    linked: dict[int, set[int]] = {}
    for row, index in zip(signs, owner, strict=True):
        equal = (signs @ row / len(row) + 1) / 2
        for other in np.unique(owners[equal >= _AGREEMENT]):
            if other != index:
                linked.setdefault(min(index, int(other)), set()).add(max(index, int(other)))
    return _named(clips, linked)


def linked_lists(
    clips: Sequence[LabelledClip], further: Sequence[LabelledClip], cache: WindowCache
) -> tuple[list[LabelledClip], list[LabelledClip]]:
    """Return both lists, near-duplicates in and between them with a common ``linked`` name.

    Where clips of the first list are in one group only by way of the second, all of that group get
    one name, so that the groups of the first list are the same with and without the second.

    Args:
        clips: The clips that are scored.
        further: Clips that are trained on beside them.
        cache: Where their windows are kept.

    Raises:
        UsageError: A file is in both lists.
        MediaError: A clip cannot be read.
    """
    listed = {cache.digest(clip) for clip in clips}
    for clip in further:
        if cache.digest(clip) in listed:
            raise UsageError(
                f"{clip.path} is among the clips and among the further ones.",
                hint="Take it out of one of the two tables.",
            )
    both = link_near_duplicates([*clips, *further], cache)
    count = len(clips)
    alone, joint = clip_groups(both[:count]), clip_groups(both)
    bridged = {
        group for group in joint[:count] if len(np.unique(alone[joint[:count] == group])) > 1
    }
    both = [
        replace(clip, linked=f"group {group}") if group in bridged else clip
        for clip, group in zip(both, joint, strict=True)
    ]
    return both[:count], both[count:]


def _named(clips: Sequence[LabelledClip], linked: dict[int, set[int]]) -> list[LabelledClip]:
    name = list(range(len(clips)))
    for first in sorted(linked):
        for second in linked[first]:
            old, new = name[second], name[first]
            name = [new if value == old else value for value in name]
    sizes = {value: name.count(value) for value in set(name)}
    return [
        replace(clip, linked=f"pictures {name[index]}") if sizes[name[index]] > 1 else clip
        for index, clip in enumerate(clips)
    ]
