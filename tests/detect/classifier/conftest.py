from __future__ import annotations

import os
from pathlib import Path

import pytest
from fixtures.labelled_clips import write_labelled_clips
from fixtures.textures import moving_texture, write_clip

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import LabelledClip, read_dataset


@pytest.fixture(scope="session")
def texture_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "texture.mp4", moving_texture())


@pytest.fixture(scope="session")
def shared_data() -> Path:
    named = os.environ.get("VIDIGREE_SHARED_DATA")
    beside = Path(__file__).resolve().parents[3].parent / "shared" / "data"
    folder = Path(named) if named else beside
    if not (folder / "clips.csv").is_file():
        pytest.skip("the project's shared clips are not here (set VIDIGREE_SHARED_DATA)")
    return folder


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_labelled_clips(tmp_path_factory.mktemp("labelled"))


@pytest.fixture(scope="module")
def clips(table: Path) -> list[LabelledClip]:
    return read_dataset(table)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> WindowCache:
    return WindowCache(tmp_path_factory.mktemp("cache"))
