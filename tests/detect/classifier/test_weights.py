"""Weights on disk: read as they were written, those of before as well, and refused if damaged."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures.labelled_clips import SETTINGS, WITH_CONTENT

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import LabelledClip
from vidigree.detect.classifier.features import feature_group
from vidigree.detect.classifier.reading import score_video
from vidigree.detect.classifier.training import train
from vidigree.detect.classifier.weights_file import load_model, save_model, shipped_model
from vidigree.media.errors import UsageError

pytest.importorskip("sklearn")

NOISE, PALETTE = (
    ("resized", group, feature_group(group).version) for group in ("noise", "palette")
)
DAMAGES = {
    "no names": {"names": ()},
    "no name but a word": {"names": "noise"},
    "no member": {"member": None},
    "other columns": {"names": (PALETTE,)},
    "wrong length": {"dual": np.zeros(3, np.float32)},
    "not a number": {"stack": np.array([1.0, np.nan])},
    "no width": {"gamma": 0.0},
    "endless width": {"gamma": np.inf},
    "no width within a group": {"additive_gamma": 0.0},
    "more than all": {"additive_share": 1.5},
}


@pytest.mark.slow
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


@pytest.mark.parametrize("before", [2, 5])
def test_weights_of_other_formats_are_refused(
    clips: list[LabelledClip], cache: WindowCache, tmp_path: Path, before: int
) -> None:
    save_model(train(clips, cache=cache, settings=SETTINGS), tmp_path / "w.npz")
    header = json.loads((tmp_path / "w.json").read_text())
    (tmp_path / "w.json").write_text(json.dumps({**header, "format": before}))
    with pytest.raises(UsageError, match=f"are of format {before}; this version reads 6"):
        load_model(tmp_path / "w.npz")


@pytest.mark.slow
def test_what_says_where_is_kept_with_the_rest_and_is_part_of_the_id(
    clips: list[LabelledClip], cache: WindowCache, tmp_path: Path
) -> None:
    settings = replace(WITH_CONTENT, local_launderings=("none", "half"))
    model = train(clips, cache=cache, settings=settings)
    save_model(model, tmp_path / "w.npz")
    loaded = load_model(tmp_path / "w.npz")
    assert loaded.model_id == model.model_id
    local = loaded.local
    assert local.header.launderings == ("none", "half")
    assert loaded.header.launderings == ("none",)
    assert [group for _, group, _ in local.header.blocks] == ["noise"]
    assert len(local.support) > len(loaded.support)
    assert local.gamma == pytest.approx(settings.local_kernel_width)
    rows = np.zeros((1, len(local.median)), np.float32)
    np.testing.assert_array_equal(local.members(rows), model.local.members(rows))
    one = replace(model, local_member=replace(local, dual=-local.dual))
    other = replace(model, header=replace(model.header, local_launderings=("none",)))
    assert len({model.model_id, one.model_id, other.model_id}) == 3


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_says_where_is_there_whole_or_not_at_all(
    clips: list[LabelledClip], cache: WindowCache, tmp_path: Path, damage: str
) -> None:
    model = train(clips, cache=cache, settings=WITH_CONTENT)
    assert model.local_member is not None
    change = dict(DAMAGES[damage])
    names = change.pop("names", model.header.local_blocks)
    member = None if "member" in change else replace(model.local_member, **change)
    header = replace(model.header, local_blocks=names)
    save_model(replace(model, header=header, local_member=member), tmp_path / "w.npz")
    with pytest.raises(UsageError, match="not of this format"):
        load_model(tmp_path / "w.npz")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("byte", "do not match their header"),
        ("recipe", "belong to canonical form 000000000000"),
        ("version", "use version 99 of the features"),
        ("version where", "use version 99 of the features"),
        ("encoder", "VIDIGREE_BACKBONE"),
        ("group", "'no such'"),
        ("group where", "'no such'"),
        ("field", "are not of this format"),
        ("absent", "cannot be read"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    clips: list[LabelledClip],
    cache: WindowCache,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: str,
    says: str,
) -> None:
    monkeypatch.delenv("VIDIGREE_BACKBONE", raising=False)
    path = tmp_path / "w.npz"
    save_model(train(clips, cache=cache, settings=WITH_CONTENT), path)
    header = json.loads(path.with_suffix(".json").read_text())
    if damage == "byte":
        path.write_bytes(path.read_bytes()[:-1] + b"\x00\x00")
    elif damage == "recipe":
        header["recipe_id"] = "000000000000"
    elif damage == "version":
        header["blocks"][0][2] = 99
    elif damage in ("encoder", "group"):
        header["blocks"][0][1] = {"encoder": "backbone", "group": "no such"}[damage]
    elif damage == "version where":
        header["local_blocks"][0][2] = 99
    elif damage == "group where":
        header["local_blocks"][0][1] = "no such"
    elif damage == "field":
        header["surprise"] = 1
    else:
        path.unlink()
    path.with_suffix(".json").write_text(json.dumps(header))
    with pytest.raises(UsageError, match=says):
        load_model(path)


def _forged(path: Path, header: object, arrays: dict[str, np.ndarray], cut: slice) -> None:
    """Write weights whose header speaks for them, whatever they are."""
    np.savez(path, **arrays)
    path.write_bytes(path.read_bytes()[cut])
    if isinstance(header, dict):
        header["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".json").write_text(json.dumps(header))


@pytest.mark.parametrize(
    "damage",
    [
        {"cut": slice(0)},
        {"cut": slice(100_000)},
        {"cut": slice(1, None)},
        {"header": []},
        {"threshold": None},
        {"threshold": "high"},
        {"threshold": float("nan")},
        {"threshold": True},
        {"false_alarms": "few"},
        {"trained_on": None},
        {"trained_on": [1]},
        {"view": "sideways"},
        {"reals": np.zeros(0, np.float32)},
        {"reals": np.zeros((1, 9), np.float32)},
        {"reals": np.full(9, np.nan, np.float32)},
        {"reals": np.arange(9, 0, -1).astype(np.float32)},
        {"dual": "complex64"},
        {"scale": "zero"},
    ],
    ids=str,
)
def test_weights_without_a_meaning_are_refused(tmp_path: Path, damage: dict[str, object]) -> None:
    model = shipped_model()
    save_model(model, tmp_path / "w.npz")
    header = json.loads((tmp_path / "w.json").read_text())
    arrays, (name, value) = model.arrays(), next(iter(damage.items()))
    if name == "view":
        header["blocks"][0][0] = value
    elif name in header:
        header[name] = value
    elif isinstance(value, np.ndarray):
        arrays[name] = value
    elif value == "zero":
        arrays[name] = arrays[name] * 0
    elif isinstance(value, str):
        arrays[name] = arrays[name].astype(value)
    cut = damage.get("cut", slice(None))
    assert isinstance(cut, slice)
    _forged(tmp_path / "w.npz", damage.get("header", header), arrays, cut)
    with pytest.raises(UsageError, match="are not of this format"):
        load_model(tmp_path / "w.npz")


def test_a_header_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.npz").write_bytes(b"")
    (tmp_path / "w.json").write_text("[" * 100_000)
    with pytest.raises(UsageError, match="cannot be read"):
        load_model(tmp_path / "w.npz")


def test_weights_and_their_header_take_the_place_of_no_other_file(tmp_path: Path) -> None:
    for name in ("own.csv", "own.json", "own"):
        path = tmp_path / name
        path.write_text("a table")
        with pytest.raises(UsageError, match=r"Give one that ends in \.npz"):
            save_model(shipped_model(), path)
        assert path.read_text() == "a table"


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
    with pytest.raises(UsageError, match="are not of this format"):
        load_model(path)
    assert not trap.exists()


class _Trap:
    """Leaves a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))
