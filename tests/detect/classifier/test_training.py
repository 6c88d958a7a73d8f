"""Training, weights and evaluation on clips of two kinds that the features can tell apart."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from fixtures.labelled_clips import SETTINGS, WITH_CONTENT, local_kernel_width
from fixtures.textures import moving_texture, write_clip

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.card import figures_markdown
from vidigree.detect.classifier.dataset import LabelledClip, clip_groups, folds
from vidigree.detect.classifier.duplicates import linked_lists
from vidigree.detect.classifier.evaluate import evaluate
from vidigree.detect.classifier.extraction import FeatureTable, build_table
from vidigree.detect.classifier.features import feature_group
from vidigree.detect.classifier.fitting import Further, held_out_members, row_weights
from vidigree.detect.classifier.laundering import DRAWN
from vidigree.detect.classifier.localisation import locate
from vidigree.detect.classifier.model import ClassifierModel
from vidigree.detect.classifier.plots import audit_plots
from vidigree.detect.classifier.training import train
from vidigree.detect.classifier.weights_file import load_model, save_model
from vidigree.media.errors import UsageError

pytest.importorskip("sklearn")


@pytest.mark.slow
def test_same_training_gives_the_same_weights(
    clips: list[LabelledClip], cache: WindowCache
) -> None:
    first, second = (train(clips, cache=cache, settings=SETTINGS) for _ in range(2))
    assert first.model_id == second.model_id


def test_numpy_scores_agree_with_scikit_learn(
    clips: list[LabelledClip], cache: WindowCache
) -> None:
    from sklearn.kernel_ridge import KernelRidge

    model = train(clips, cache=cache, settings=SETTINGS)
    values = build_table(clips, laundering="none", blocks=model.blocks, cache=cache).values
    labels = np.array([clip.synthetic for clip in clips])
    points = model.prepared(values).astype(np.float16).astype(np.float64)
    ridge = KernelRidge(alpha=SETTINGS.ridge, kernel="rbf", gamma=model.gamma)
    ridge.fit(points, np.where(labels, 1.0, -1.0))  # one window a clip, one clip an origin
    np.testing.assert_allclose(model.members(values)[:, 0], ridge.predict(points), atol=0.02)


def test_every_group_has_the_same_say_in_a_distance(
    clips: list[LabelledClip], cache: WindowCache
) -> None:
    model = train(clips, cache=cache, settings=SETTINGS)
    widths = [len(feature_group(block.group).names()) for block in model.blocks]
    first, second = np.split(model.balance, widths[:1])
    assert len(second) == widths[1] != widths[0]
    assert (first**2).sum() == pytest.approx(0.5)
    assert (second**2).sum() == pytest.approx(0.5)


def test_a_clips_own_label_never_reaches_its_held_out_score(
    clips: list[LabelledClip], cache: WindowCache
) -> None:
    table = build_table(clips, laundering="none", blocks=SETTINGS.blocks, cache=cache)
    before = held_out_members(clips, [table], [table], SETTINGS)[0]
    shuffled = replace_values(table, clip=0)
    after = held_out_members(clips, [shuffled], [table], SETTINGS)[0]
    np.testing.assert_allclose(before[0], after[0])
    assert np.abs(before[1:] - after[1:]).max() > 1e-6


def test_further_clips_are_trained_on_but_never_beside_their_own_group(
    clips: list[LabelledClip], cache: WindowCache
) -> None:
    table = build_table(clips, laundering="none", blocks=SETTINGS.blocks, cache=cache)

    def beside(origin: str) -> Further:
        clip = replace(clips[0], origin=origin, synthetic=True)
        own = replace(table, values=table.values[:1], clip=np.zeros(1, np.int64))
        return Further(clips=[clip], tables={"none": own})

    def score(further: Further) -> np.ndarray:
        return held_out_members(clips, [table], [table], SETTINGS, further)[0]

    alone, stranger, kin = score(Further()), score(beside("elsewhere")), score(beside("origin0"))
    assert stranger[0] > alone[0]  # its own picture, called synthetic, under another name
    assert kin[0] == pytest.approx(alone[0])
    assert np.abs(kin[1:] - alone[1:]).max() > 1e-6


def test_a_group_that_only_further_clips_hold_together_is_one(
    clips: list[LabelledClip], cache: WindowCache
) -> None:
    bridge = [
        replace(clips[10], origin="origin0", repository="bridge"),
        replace(clips[11], origin="origin1", repository="bridge"),
    ]
    apart, _ = linked_lists(clips[:4], clips[10:], cache)
    assert len(set(clip_groups(apart))) == 4
    joined, further = linked_lists(clips[:4], bridge, cache)
    assert clip_groups(joined).tolist() == [0, 0, 1, 2]
    assert clip_groups([*joined, *further]).tolist() == [0, 0, 1, 2, 0, 0]


def test_a_bridge_keeps_twins_together(clips: list[LabelledClip], cache: WindowCache) -> None:
    again = replace(clips[0], origin="elsewhere", repository="bridge", linked="")
    copy = clips[0].path.with_name("copy.mp4")
    copy.write_bytes(clips[0].path.read_bytes() + b"\0\0\0\x08free")
    bridge = [replace(again, path=copy), replace(clips[11], origin="origin1", repository="bridge")]
    joined, further = linked_lists(clips[:4], bridge, cache)
    assert clip_groups(joined).tolist() == [0, 0, 1, 2]
    assert clip_groups([*joined, further[0]])[-1] == 0  # the twin alone, without its kin


def test_a_clip_in_both_lists_is_refused(clips: list[LabelledClip], cache: WindowCache) -> None:
    with pytest.raises(UsageError, match=r"3\.mp4 is among the clips and among the further ones"):
        linked_lists(clips[:4], clips[3:5], cache)


def test_other_seeds_make_other_folds_and_as_many_rounds(clips: list[LabelledClip]) -> None:
    settings = replace(SETTINGS, seeds=(0, 1, 2)).with_seeds_from(9)
    assert settings.seeds == (9, 10, 11)
    made = {tuple(folds(clips, clip_groups(clips), count=3, seed=seed)) for seed in (0, 9, 10)}
    assert len(made) == 3


def test_all_launderings_of_a_clip_count_as_one_clip() -> None:
    clips = [_named("a", synthetic=False), _named("b", synthetic=True)]
    none, hard = (
        FeatureTable((), np.zeros((len(owner), 0), np.float32), np.array(owner))
        for owner in ([0, 0, 1], [0, 1])
    )
    found = row_weights(clips, [none, hard])
    np.testing.assert_allclose(found, [1 / 3, 1 / 3, 1 / 2, 1 / 3, 1 / 2])


def _named(origin: str, *, synthetic: bool) -> LabelledClip:
    return LabelledClip(
        path=Path(origin),
        synthetic=synthetic,
        origin=origin,
        repository="",
        kind="",
        sha256="",
    )


def test_a_group_that_leans_on_content_has_half_a_say(
    clips: list[LabelledClip], cache: WindowCache
) -> None:
    model = train(clips, cache=cache, settings=WITH_CONTENT)
    widths = [len(feature_group(block.group).names()) for block in model.blocks]
    palette, noise = np.split(model.balance, widths[:1])
    assert (palette**2).sum() == pytest.approx(1 / 3)
    assert (noise**2).sum() == pytest.approx(2 / 3)


def test_what_says_where_leaves_out_what_leans_on_content(
    clips: list[LabelledClip], cache: WindowCache, tmp_path: Path
) -> None:
    save_model(train(clips, cache=cache, settings=WITH_CONTENT), tmp_path / "w.npz")
    local = load_model(tmp_path / "w.npz").local
    assert [block.group for block in local.blocks] == ["noise"]
    # The same as weights that were trained on that group alone with its ridge and kernel, but for
    # rounding.
    settings = WITH_CONTENT.local
    assert settings.kernel_width != WITH_CONTENT.kernel_width
    alone = train(clips, cache=cache, settings=settings)
    assert local_kernel_width(local) == pytest.approx(alone.gamma)
    rows = build_table(clips, laundering="none", blocks=alone.blocks, cache=cache).values
    assert np.ptp(alone.members(rows)) > 0.5
    np.testing.assert_allclose(local.members(rows), alone.members(rows), atol=0.02)
    np.testing.assert_allclose(local.stack, alone.stack, atol=0.3)


def test_where_nothing_else_is_there_content_says_where() -> None:
    assert replace(SETTINGS, groups=("palette",)).local.groups == ("palette",)
    assert WITH_CONTENT.local.groups == ("noise",)


def test_what_says_where_may_look_at_groups_of_its_own(
    clips: list[LabelledClip], cache: WindowCache, tmp_path: Path
) -> None:
    plain = replace(SETTINGS, groups=("noise",))
    settings = replace(plain, local_further=("palette", "motion"))
    assert settings.local.groups == ("motion", "noise")  # palette leans on content
    further = [replace(clips[0], origin="elsewhere", sha256="")]
    model = train(clips[1:], cache=cache, settings=settings, further=further)
    save_model(model, tmp_path / "w.npz")
    loaded = load_model(tmp_path / "w.npz")
    assert [block.group for block in loaded.blocks] == ["noise"]
    assert [block.group for block in loaded.local.blocks] == ["motion", "noise"]
    alone = train(clips[1:], cache=cache, settings=plain, further=further)
    np.testing.assert_array_equal(loaded.dual, alone.dual)  # whole clips are judged without them
    asked = train(clips[1:], cache=cache, settings=settings.local, further=further)
    np.testing.assert_array_equal(loaded.local.dual, asked.dual)


@pytest.mark.slow
def test_what_says_where_is_asked_where(clips: list[LabelledClip], cache: WindowCache) -> None:
    model = train(clips, cache=cache, settings=WITH_CONTENT)
    whole = replace(model, local_member=None, header=replace(model.header, local_blocks=()))
    curve, same, other = (_curve(clips[0].path, one) for one in (model, model.local, whole))
    assert curve == same != other


def _curve(path: Path, model: ClassifierModel) -> list[float]:
    where = locate(path, model=model)
    assert where is not None
    return [point.llr for point in where.curve]


def test_further_clips_are_named_as_trained_on_and_leave_the_threshold_its_clips(
    clips: list[LabelledClip], cache: WindowCache
) -> None:
    model = train(clips[:10], cache=cache, settings=SETTINGS, further=clips[10:])
    assert model.header.real_clips == 6
    assert len(model.header.trained_on) == 12
    assert len(model.reals) == 5


def replace_values(table, *, clip: int):
    """The table with another picture in place of one clip's."""
    values = table.values.copy()
    values[table.clip == clip] += 5
    return replace(table, values=values)


@pytest.mark.slow
def test_evaluation_reports_every_row(clips: list[LabelledClip], cache: WindowCache) -> None:
    result = evaluate(
        clips,
        cache=cache,
        settings=SETTINGS,
        launderings=("none", "crf35", DRAWN),
        unused=("spectrum",),
        own=[replace(clip, origin="engine") for clip in clips[1:6:2]],
    )
    assert result.auc.value > 0.9
    assert set(result.laundering) == {"none", "crf35", DRAWN}
    assert set(result.group_left_out) == set(SETTINGS.groups)
    assert set(result.group_added) == {"spectrum"}
    assert set(result.group_alone) == {*SETTINGS.groups, "spectrum"}
    assert result.laundered_clips == len(clips)
    assert result.laundering["none"].value == pytest.approx(result.auc.value)
    change = result.laundering_change["crf35"]
    assert set(result.laundering_change) == {"crf35", DRAWN}
    assert change.value == pytest.approx(result.laundering["crf35"].value - result.auc.value)
    assert change.low <= change.value <= change.high
    assert result.laundering_rates["none"]["0.05"].found == result.tpr["0.05"].value
    assert set(result.tpr_shifted) == set(result.tpr)
    shipped, *others = result.alternatives.values()
    assert shipped > 0.9
    assert len(others) == 7
    assert result.alternatives["linear ridge regression"] > 0.8
    assert result.canonical_probe == pytest.approx(0.5, abs=0.15)
    json.dumps(result.to_dict())
    assert {row.reason for row in result.abstentions} == {"drawing", "screen", "too-compressed"}
    assert {row.quality for row in result.strata} >= {"smooth", "blockiness"}
    assert sum(row.real_clips + row.synthetic_clips for row in result.rates) == len(clips)
    (own,) = result.own_engines
    assert (own.name, own.clips, own.abstained) == ("engine", 3, 0.0)
    assert own.auc > 0.9
    assert result.localisation is None  # no clip is long enough for a splice
    assert result.roc[0] == (0.0, 0.0)
    assert result.roc[-1] == (1.0, 1.0)
    markdown = figures_markdown(result)
    for heading in (
        "Against the goals",
        "After laundering",
        "Where: ",
        "Outside the range",
        "By picture quality",
        "By frame rate of the file",
    ):
        assert f"### {heading}" in markdown
    for name, text in audit_plots(result).items():
        assert ET.fromstring(text).tag.endswith("svg"), name


@pytest.mark.slow
def test_an_own_engine_that_is_not_given_is_not_made_up(
    clips: list[LabelledClip], cache: WindowCache
) -> None:
    result = evaluate(clips, cache=cache, settings=SETTINGS, launderings=("none",))
    assert result.own_engines == ()
    assert "Not measured" in figures_markdown(result)
    assert "Trained on as well" not in figures_markdown(result)


@pytest.mark.slow
def test_further_clips_are_in_no_figure_and_said_to_be_there(
    clips: list[LabelledClip], cache: WindowCache
) -> None:
    settings = replace(SETTINGS, fold_count=2)
    result = evaluate(
        clips[:8], cache=cache, settings=settings, launderings=("none",), further=clips[8:]
    )
    assert (result.real_clips, result.synthetic_clips) == (4, 4)
    assert "in no figure: 4 clips from 4 other sources" in figures_markdown(result)


def test_too_few_origins_are_refused(clips: list[LabelledClip], cache: WindowCache) -> None:
    same = [replace(clip, origin="one" if clip.synthetic else clip.origin) for clip in clips]
    gone = [replace(clip, path=Path("gone.mp4")) for clip in same]  # told before any is opened
    with pytest.raises(UsageError, match="1 independent origins of synthetic clips; 3 folds"):
        train(gone, cache=cache, settings=SETTINGS)


def test_origins_without_a_window_are_none(
    clips: list[LabelledClip], cache: WindowCache, tmp_path: Path
) -> None:
    short = []
    for index in range(6):
        frames = moving_texture(width=160, height=160, fps=10, count=3, seed=index)
        path = write_clip(tmp_path / f"{index}.mp4", frames, fps=10)
        short.append(replace(clips[1], path=path, origin=f"short{index}", sha256=""))
    with pytest.raises(UsageError, match="0 independent origins of synthetic clips"):
        train([*clips[::2], *short], cache=cache, settings=SETTINGS)


def test_an_unknown_group_is_told_at_once() -> None:
    with pytest.raises(UsageError, match="no feature group called 'nonsense'"):
        SETTINGS.with_groups(["nonsense"])
