"""A user's data folder, and a tiny pipeline that makes frames large enough for the real mark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.generate import ClipRequest, engine_registry
from vidigree.watermark.credentials import init_identity


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data folder of a user who has run `vidigree keys init`."""
    folder = tmp_path / "home"
    monkeypatch.setenv("VIDIGREE_HOME", str(folder))
    init_identity(folder / "identity")
    return folder


@pytest.fixture(scope="session")
def drawn() -> NDArray[np.uint8]:
    """Four frames (4, 192, 192, 3) from the renderer."""
    request = ClipRequest(
        prompt="a red ball rolling left on grass", width=192, height=192, num_frames=4, seed=1
    )
    return np.stack(list(engine_registry.get("render")().generate(request).frames))


class Fake:
    """A pipeline in the shape of diffusers' own that returns the frames it was given."""

    def __init__(self, frames: NDArray[np.uint8]) -> None:
        self.frames = frames
        self.device = "cpu"

    def to(self, device: str) -> Fake:
        self.device = device
        return self

    def __call__(
        self, prompt: str, output_type: str = "pil", return_dict: bool = True, batch: int = 1
    ) -> Any:
        import torch
        from diffusers.pipelines.wan.pipeline_output import WanPipelineOutput

        if output_type == "latent":
            return WanPipelineOutput(frames=torch.zeros(1, 16, 2, 8, 8))
        assert output_type == "pt", "the wrapper asks for floats whatever the caller asked for"
        floats = torch.from_numpy(self.frames.astype(np.float32) / 255 + 0.0004).clamp(0, 1)
        return WanPipelineOutput(frames=floats.permute(0, 3, 1, 2)[None].repeat(batch, 1, 1, 1, 1))


@pytest.fixture
def fake(drawn: NDArray[np.uint8]) -> Fake:
    pytest.importorskip("diffusers")
    return Fake(drawn)


@pytest.fixture
def wan(tiny_pipeline: Callable[[str], Path]) -> Any:
    from diffusers import DiffusionPipeline

    return DiffusionPipeline.from_pretrained(tiny_pipeline("wan"), local_files_only=True)
