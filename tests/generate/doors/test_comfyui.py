"""The node answers ComfyUI's questions, and what it saves is stamped."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.generate.doors.comfyui import (
    NODE_CLASS_MAPPINGS,
    NODE_DISPLAY_NAME_MAPPINGS,
    SaveStampedVideo,
)
from vidigree.media.errors import UsageError
from vidigree.watermark.credentials import TrustSettings, read_credentials


def test_the_contract_of_a_node() -> None:
    assert NODE_CLASS_MAPPINGS.keys() == NODE_DISPLAY_NAME_MAPPINGS.keys()
    for node in NODE_CLASS_MAPPINGS.values():
        inputs: dict[str, Any] = node.INPUT_TYPES()
        assert set(inputs) <= {"required", "optional", "hidden"}
        assert all(isinstance(kind, tuple) for kind in inputs["required"].values())
        assert isinstance(node.RETURN_TYPES, tuple)
        assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES)
        assert callable(getattr(node(), node.FUNCTION))
        assert isinstance(node.CATEGORY, str)
        assert node.OUTPUT_NODE is True


def test_saved_videos_are_stamped_and_numbered(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn: NDArray[np.uint8]
) -> None:
    torch = pytest.importorskip("torch")
    folder_paths: Any = types.ModuleType("folder_paths")
    folder_paths.__spec__ = types.SimpleNamespace()
    folder_paths.get_output_directory = lambda: str(tmp_path)
    monkeypatch.setitem(sys.modules, "folder_paths", folder_paths)
    images = torch.from_numpy(drawn.astype(np.float32) / 255)
    names = []
    for _ in range(2):
        answer = SaveStampedVideo().save(images=images, fps=8.0, filename_prefix="ball")
        (path,) = answer["result"]
        names.append(Path(path).name)
        reading = read_credentials(Path(path), trust=TrustSettings())
        assert (reading.status, reading.integrity) == ("present", "intact")
    assert names == ["ball_00001.mp4", "ball_00002.mp4"]


@pytest.mark.parametrize("prefix", ["", "../up", "a/b", ".hidden"])
def test_prefixes_stay_in_the_folder(prefix: str) -> None:
    with pytest.raises(UsageError, match="prefix"):
        SaveStampedVideo().save(images=None, fps=8.0, filename_prefix=prefix)
