"""An encoder of the user's own, here tiny ones with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.textures import moving_texture

from vidigree.detect.classifier.backbone import Backbone, rgb_frames
from vidigree.detect.classifier.canonical import canonical_windows
from vidigree.detect.classifier.coding import DecodedView
from vidigree.detect.classifier.extraction import Block, block_features
from vidigree.detect.classifier.features import feature_group
from vidigree.detect.classifier.features.backbone import (
    FOLDER_VARIABLE,
    BackboneGeometry,
    path_geometry,
)
from vidigree.detect.classifier.fitting import TrainingSettings
from vidigree.media.errors import UsageError

pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

_SMALL: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "image_size": 32,
    "patch_size": 16,
}


def _model(kind: str) -> Any:
    if kind == "dinov2":
        return transformers.Dinov2Model(transformers.Dinov2Config(**_SMALL))
    if kind == "clip":
        return transformers.CLIPVisionModel(transformers.CLIPVisionConfig(**_SMALL))
    config = transformers.VideoMAEConfig(**_SMALL, num_frames=16, tubelet_size=2)
    return transformers.VideoMAEModel(config)


def _saved(kind: str, folder: Path) -> Path:
    transformers.set_seed(0)
    _model(kind).save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.fixture(scope="module")
def view() -> DecodedView:
    return next(canonical_windows(moving_texture(count=48))).decode("resized")


@pytest.mark.parametrize(("kind", "points"), [("dinov2", 16), ("clip", 16), ("videomae", 8)])
def test_each_kind_gives_a_path_and_its_geometry(
    kind: str, points: int, view: DecodedView, tmp_path: Path
) -> None:
    backbone = Backbone(_saved(kind, tmp_path / kind))
    assert backbone.embed(rgb_frames(view)).shape == (points, 16)
    group = BackboneGeometry(backbone)
    row = group.extract(view)
    assert row.shape == (len(group.names()),)
    assert np.isfinite(row).all()
    np.testing.assert_array_equal(row, group.extract(view))


def test_other_weights_are_another_version(tmp_path: Path) -> None:
    first = Backbone(_saved("dinov2", tmp_path / "a"))
    transformers.set_seed(1)
    _model("dinov2").save_pretrained(tmp_path / "b", safe_serialization=True)
    assert first.version == Backbone(tmp_path / "a").version != Backbone(tmp_path / "b").version


def test_it_is_off_unless_a_folder_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    with pytest.raises(UsageError, match="encoder of your own"):
        feature_group("backbone")
    assert "backbone" not in TrainingSettings().groups
    monkeypatch.setenv(FOLDER_VARIABLE, str(_saved("dinov2", tmp_path / "m")))
    window = next(canonical_windows(moving_texture(count=48)))
    row = block_features(window, [Block("resized", "backbone")])
    assert np.isfinite(row).all()
    assert TrainingSettings().with_groups(("backbone",)).groups[-1] == "backbone"


def test_pickled_weights_and_wrong_folders_are_refused(tmp_path: Path) -> None:
    folder = _saved("dinov2", tmp_path / "m")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UsageError, match="safetensors"):
        Backbone(folder)
    with pytest.raises(UsageError):
        Backbone(tmp_path / "none")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "config.json").write_text('{"model_type": "nothing"}')
    (tmp_path / "odd" / "model.safetensors").write_bytes(b"")
    with pytest.raises(UsageError):
        Backbone(tmp_path / "odd")


def test_a_straight_path_has_no_angle_and_a_zigzag_has() -> None:
    along = np.arange(8, dtype=np.float32)[:, None] * np.ones((1, 4), np.float32) + 1
    names = {name: place for place, name in enumerate(_names())}
    straight = path_geometry(along)
    assert straight[names["angle-highest"]] < 0.01
    assert straight[names["straightness"]] == pytest.approx(1, abs=1e-4)
    zigzag = along.copy()
    zigzag[::2, 0] += 5
    assert path_geometry(zigzag)[names["angle-mean"]] > 1
    np.testing.assert_allclose(path_geometry(along * 7), straight, atol=1e-5)


def _names() -> tuple[str, ...]:
    return BackboneGeometry.names(object.__new__(BackboneGeometry))
