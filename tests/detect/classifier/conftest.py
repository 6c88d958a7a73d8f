from __future__ import annotations

import os
from pathlib import Path

import pytest
from fixtures.textures import moving_texture, write_clip


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
