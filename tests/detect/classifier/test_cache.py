"""What is kept of clips: used again as it was written, and told by name where it is damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import LabelledClip
from vidigree.detect.classifier.extraction import Block, build_table
from vidigree.media.errors import MediaError, OutputError

Use = Callable[[WindowCache, LabelledClip], object]


def _windows(cache: WindowCache, clip: LabelledClip) -> object:
    return [window.views for window in cache.windows(clip, "none")]


def _features(cache: WindowCache, clip: LabelledClip) -> object:
    blocks = (Block("resized", "noise"),)
    return build_table([clip], laundering="none", blocks=blocks, cache=cache).values.tolist()


USES: dict[str, tuple[str, Use]] = {
    "windows": (
        "none/*.npz",
        _windows,
    ),
    "features": ("none/resized-noise-*/*.npy", _features),
    "quality": ("quality-*/*.npy", lambda cache, clip: cache.quality(clip)),
    "region": ("regions-*/*.npy", lambda cache, clip: cache.region(clip)),
}


@pytest.fixture
def clip(texture_clip: Path) -> LabelledClip:
    return LabelledClip(
        path=texture_clip, synthetic=False, origin="own", repository="", kind="", sha256=""
    )


@pytest.mark.parametrize(("where", "use"), USES.values(), ids=USES.keys())
def test_what_is_kept_is_used_again_and_told_by_name_where_it_is_damaged(
    tmp_path: Path, clip: LabelledClip, where: str, use: Use
) -> None:
    cache = WindowCache(tmp_path / "cache")
    first = use(cache, clip)
    gone = replace(clip, path=tmp_path / "gone.mp4", sha256=cache.digest(clip))
    assert use(cache, gone) == first
    (path,) = (tmp_path / "cache").glob(f"*/{where}")
    whole = path.read_bytes()
    for damage in (b"", b"garbage", whole[: len(whole) // 2]):
        path.write_bytes(damage)
        with pytest.raises(MediaError, match=f"{path.name} in the cache .* is damaged"):
            use(cache, gone)
    path.unlink()
    assert use(cache, clip) == first


def test_features_of_other_columns_and_objects_are_damage(
    tmp_path: Path, clip: LabelledClip
) -> None:
    cache = WindowCache(tmp_path / "cache")
    _features(cache, clip)
    (path,) = (tmp_path / "cache").glob("*/none/resized-noise-*/*.npy")
    for other in (np.load(path)[:, :-1], np.array([{}], dtype=object)):
        np.save(path, other)
        with pytest.raises(MediaError, match="is damaged"):
            _features(cache, clip)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, clip: LabelledClip) -> None:
    (tmp_path / "file").touch()
    for _, use in USES.values():
        with pytest.raises(OutputError, match=r"cannot be made\. Give another --cache"):
            use(WindowCache(tmp_path / "file"), clip)
