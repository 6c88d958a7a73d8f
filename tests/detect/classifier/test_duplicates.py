from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.textures import moving_texture, write_clip

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import LabelledClip, clip_groups
from vidigree.detect.classifier.duplicates import link_near_duplicates
from vidigree.media.frame import Frame


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[LabelledClip]:
    """Two unrelated clips, and one that shows the first again: longer, darker, under a new name."""
    folder = tmp_path_factory.mktemp("twins")
    darker = (
        Frame(image=(frame.image * 0.8).astype("uint8"), time=frame.time)
        for frame in moving_texture(fps=8, count=20, seed=1)
    )
    frames = (moving_texture(fps=8, count=16, seed=1), moving_texture(fps=8, count=16, seed=2))
    paths = [
        write_clip(folder / f"{index}.mp4", given, fps=8)
        for index, given in enumerate((*frames, darker))
    ]
    return [
        LabelledClip(
            path=path, synthetic=False, origin=path.name, repository="", kind="", sha256=""
        )
        for path in paths
    ]


def test_same_pictures_are_linked_and_others_are_not(
    clips: list[LabelledClip], tmp_path: Path
) -> None:
    linked = link_near_duplicates(clips, WindowCache(tmp_path))
    assert linked[1].linked == ""
    assert linked[0].linked == linked[2].linked != ""
    assert clip_groups(linked).tolist() == [0, 1, 0]
