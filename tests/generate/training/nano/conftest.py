"""Two drawn clips, and a model that was trained on them for two steps."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import pytest

from vidigree.generate.training import ClipSettings, draw_clips


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    pytest.importorskip("diffusers")
    from vidigree.generate.training.nano.stages import STAGES, run_stage

    folder = tmp_path_factory.mktemp("training")
    made = SimpleNamespace(**{name: folder / name for name in ("clips", "large", "work", "model")})
    draw_clips(made.clips, 2, ClipSettings())
    draw_clips(made.large, 2, ClipSettings(size=256, num_frames=2, fps=2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the ONNX exporter and of diffusers
        for stage in STAGES:
            run_stage(
                stage, made.work, clips=made.clips, large=made.large, output=made.model, steps=2
            )
    return made
