"""Weights on disk: read as they were written, those of before as well, and refused if damaged."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures.labelled_clips import SETTINGS, WITH_CONTENT, local_kernel_width

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import LabelledClip
from vidigree.detect.classifier.model import load_model, save_model
from vidigree.detect.classifier.reading import score_video
from vidigree.detect.classifier.training import train
from vidigree.media.errors import UsageError

pytest.importorskip("sklearn")

LOCAL_DAMAGES = {
    "no names": {"local_groups": ()},
    "unknown name": {"local_groups": ("noise", "surprise")},
    "no name but a word": {"local_groups": "noise"},
    "half": {"local_stack": None},
    "wrong length": {"local_dual": np.zeros(3, np.float32)},
    "not a number": {"local_stack": np.array([1.0, np.nan])},
    "no width": {"local_gamma": 0.0},
    "endless width": {"local_gamma": np.inf},
}


def test_weights_round_trip_and_score(
    clips: list[LabelledClip], cache: WindowCache, tmp_path: Path
) -> None:
    model = train(clips, cache=cache, settings=SETTINGS)
    save_model(model, tmp_path / "w.npz")
    loaded = load_model(tmp_path / "w.npz")
    assert loaded.model_id == model.model_id
    real = score_video(clips[0].path, model=loaded)
    fake = score_video(clips[1].path, model=loaded)
    assert real.llr is not None
    assert fake.llr is not None
    assert fake.llr > real.llr
    assert real == score_video(clips[0].path, model=model)


def test_weights_without_a_member_that_says_where_are_still_read(
    clips: list[LabelledClip], cache: WindowCache, tmp_path: Path
) -> None:
    model = train(clips, cache=cache, settings=SETTINGS)
    save_model(model, tmp_path / "w.npz")
    header = json.loads((tmp_path / "w.json").read_text())
    del header["local_groups"]
    (tmp_path / "w.json").write_text(json.dumps({**header, "format": 2}))
    loaded = load_model(tmp_path / "w.npz")
    assert loaded.local is loaded
    assert loaded.model_id == model.model_id


def test_what_says_where_in_weights_of_before_has_the_kernel_of_the_whole(
    clips: list[LabelledClip], cache: WindowCache, tmp_path: Path
) -> None:
    model = train(clips, cache=cache, settings=WITH_CONTENT)
    save_model(replace(model, local_gamma=None), tmp_path / "w.npz")
    header = json.loads((tmp_path / "w.json").read_text())
    (tmp_path / "w.json").write_text(json.dumps({**header, "format": 3}))
    loaded = load_model(tmp_path / "w.npz")
    assert local_kernel_width(loaded.local) == pytest.approx(WITH_CONTENT.kernel_width)
    assert local_kernel_width(model.local) == pytest.approx(WITH_CONTENT.local_kernel_width)


@pytest.mark.parametrize("damage", LOCAL_DAMAGES)
def test_what_says_where_is_there_whole_or_not_at_all(
    clips: list[LabelledClip], cache: WindowCache, tmp_path: Path, damage: str
) -> None:
    model = train(clips, cache=cache, settings=WITH_CONTENT)
    change = dict(LOCAL_DAMAGES[damage])
    names = change.pop("local_groups", model.header.local_groups)
    damaged = replace(model, header=replace(model.header, local_groups=names), **change)
    save_model(damaged, tmp_path / "w.npz")
    with pytest.raises(UsageError, match="not of this format"):
        load_model(tmp_path / "w.npz")


@pytest.mark.parametrize("damage", ["byte", "recipe", "version", "field", "absent"])
def test_weights_that_do_not_fit_are_refused(
    clips: list[LabelledClip], cache: WindowCache, tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "w.npz"
    save_model(train(clips, cache=cache, settings=SETTINGS), path)
    header = json.loads(path.with_suffix(".json").read_text())
    if damage == "byte":
        path.write_bytes(path.read_bytes()[:-1] + b"\x00\x00")
    elif damage == "recipe":
        header["recipe_id"] = "000000000000"
    elif damage == "version":
        header["blocks"][0][2] = 99
    elif damage == "field":
        header["surprise"] = 1
    else:
        path.unlink()
    path.with_suffix(".json").write_text(json.dumps(header))
    with pytest.raises(UsageError):
        load_model(path)


def test_weights_that_hold_objects_are_never_unpickled(
    clips: list[LabelledClip], cache: WindowCache, tmp_path: Path
) -> None:
    path = tmp_path / "w.npz"
    save_model(train(clips, cache=cache, settings=SETTINGS), path)
    with np.load(path, allow_pickle=False) as arrays:
        parts = {name: arrays[name] for name in arrays.files}
    trap = tmp_path / "opened"
    np.savez(path, **{**parts, "reals": np.array([_Trap(trap)], dtype=object)})
    header = json.loads(path.with_suffix(".json").read_text())
    header["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".json").write_text(json.dumps(header))
    with pytest.raises(UsageError):
        load_model(path)
    assert not trap.exists()


class _Trap:
    """Leaves a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))
