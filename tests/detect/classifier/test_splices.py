"""Splices are where they say, and the figures of localisation count what they should."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures.textures import moving_texture, write_clip

from vidigree.detect.classifier import localisation_figures
from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import LabelledClip
from vidigree.detect.classifier.extraction import build_table
from vidigree.detect.classifier.fitting import Recipe, TrainingSettings
from vidigree.detect.classifier.localisation_figures import (
    LocalisationFigures,
    SpliceRound,
    figures_of_splices,
)
from vidigree.detect.classifier.regions import LEAST_BORDER, Region, overlap, pasted_rectangle
from vidigree.detect.classifier.spliced_clips import SplicedClip
from vidigree.detect.classifier.splices import Splice, draw_splices, splice_frames
from vidigree.detect.classifier.time_curve import LEAST_EVIDENCE
from vidigree.media.frame import Frame


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[LabelledClip]:
    folder = tmp_path_factory.mktemp("splices")
    return [
        _labelled(write_clip(folder / f"{index}.mp4", _shaded(128, 96, index), fps=8), index)
        for index in range(4)
    ]


def _shaded(width: int, height: int, seed: int, darker: int = 1) -> Iterator[Frame]:
    """Three and a half seconds of a texture."""
    frames = moving_texture(width=width, height=height, fps=8, count=28, seed=seed)
    return (Frame(image=frame.image // darker, time=frame.time) for frame in frames)


def _labelled(path: Path, index: int) -> LabelledClip:
    return LabelledClip(
        path=path,
        synthetic=index % 2 == 1,
        origin=f"origin{index}",
        repository="",
        kind="",
        sha256="",
    )


def _splice(kind: str, fold: int = 0) -> Splice:
    return Splice(host=0, insert=1, fold=fold, kind=kind, place=(0.5, 1.0), seconds=2.0)


def test_an_inserted_stretch_is_where_the_truth_says(clips: list[LabelledClip]) -> None:
    plain = [f.image for f in splice_frames(_splice("plain"), clips)[0]]
    stream, (start, end) = splice_frames(_splice("time"), clips)
    spliced = [f.image for f in stream]
    first, last = round(start * 16), round(end * 16)
    assert len(spliced) == len(plain) + last - first
    assert end - start == 2.0
    change = [float(np.abs(a.astype(int) - b).mean()) for a, b in zip(spliced, plain, strict=False)]
    assert max(change[:first]) < 6 < min(change[first : len(plain)])


def test_another_encode_takes_detail_and_nothing_else(clips: list[LabelledClip]) -> None:
    stream, truth = splice_frames(_splice("time"), clips)
    once = [frame.image for frame in stream]
    stream, again = splice_frames(replace(_splice("time"), second_crf=45), clips)
    twice = [frame.image for frame in stream]
    assert (truth, len(once)) == (again, len(twice))
    assert np.abs(np.array(once, int) - np.array(twice)).mean() > 0.5
    assert np.corrcoef(np.ravel(once), np.ravel(twice))[0, 1] > 0.8


def test_a_pasted_region_is_where_the_truth_says(clips: list[LabelledClip]) -> None:
    plain = [f.image for f in splice_frames(_splice("plain"), clips)[0]]
    stream, truth = splice_frames(_splice("space"), clips)
    pasted = [f.image for f in stream]
    assert truth == (0.25, 0.75, 0.5, 1.0)
    change = np.abs(pasted[3].astype(int) - plain[3]).mean(axis=2)
    inside = change[24:72, 64:].mean()
    assert inside > 20 > 8 > change[:, :60].mean()


def test_a_region_is_found_by_its_borders(
    clips: list[LabelledClip],
) -> None:
    evidence = {}
    for kind in ("space", "plain"):
        splice = Splice(host=0, insert=1, fold=0, kind=kind, place=(0.4, 0.6), seconds=2.0)
        stream, truth = splice_frames(splice, clips)
        found = pasted_rectangle([frame.image for frame in stream][:32:2])
        assert found is not None
        evidence[kind] = found.evidence
        if kind == "space":
            assert overlap(found.box, truth) > 0.9
    assert evidence["space"] > LEAST_BORDER > evidence["plain"]


def test_a_soft_border_is_blended(clips: list[LabelledClip]) -> None:
    """Half of the steps across the border are left a pixel on either side of it."""
    steps = {}
    for kind in ("space", "soft", "plain"):
        frames = [f.image.astype(int) for f in splice_frames(_splice(kind), clips)[0]][:16]
        # The left border of the region lies at half the width, rows 24 to 72.
        steps[kind] = np.mean([np.abs(f[30:66, 64] - f[30:66, 63]).mean() for f in frames])
    assert steps["soft"] < (steps["space"] + steps["plain"]) / 2


def test_both_parts_come_from_one_fold(clips: list[LabelledClip]) -> None:
    fold = np.array([0, 0, 1, 1])
    drawn = draw_splices(clips, fold, kind="time", per_fold=3, seed=0)
    assert [(s.host, s.insert, s.fold) for s in drawn] == [(0, 1, 0), (2, 3, 1)]
    assert draw_splices(clips, np.array([0, 1, 0, 1]), kind="time", per_fold=3, seed=0) == []


def test_real_scenes_are_joined_with_those_of_another_origin(clips: list[LabelledClip]) -> None:
    fold = np.array([0, 0, 0, 0])
    drawn = draw_splices(clips, fold, kind="joined", per_fold=3, seed=0)
    assert sorted((s.host, s.insert) for s in drawn) == [(0, 2), (2, 0)]
    frames, truth = splice_frames(drawn[0], clips)
    alone = replace(drawn[0], kind="plain")
    assert truth == ()
    assert len(list(frames)) > len(list(splice_frames(alone, clips)[0]))
    # A lone host has no other to be joined with.
    assert draw_splices(clips, np.array([0, 0, 1, 1]), kind="joined", per_fold=3, seed=0) == []


def test_a_real_scene_in_a_synthetic_clip_has_the_truth_around_it(
    clips: list[LabelledClip],
) -> None:
    drawn = draw_splices(clips, np.array([0, 0, 1, 1]), kind="around", per_fold=3, seed=0)
    assert [(s.host, s.insert, s.fold) for s in drawn] == [(1, 0, 0), (3, 2, 1)]
    frames, (start, cut, again, end) = splice_frames(replace(drawn[0], seconds=2.0), clips)
    assert (start, again - cut) == (0.0, 2.0)
    assert 0 < cut < again < end == len(list(frames)) / 16


HOST, INSERT, REST = (0.0, 2.0, 0.0, 0.0), (2.0, 4.0, 1.0, 1.0), (4.0, 6.0, 2.0, 0.0)
"""Windows: start, end, shot and take."""


def _made(kind: str, llr: list[float], facts: list[tuple[float, ...]], *truth: float):
    return SplicedClip(
        splice=_splice(kind),
        truth=truth,
        rows=np.array(llr, dtype=np.float32)[:, None],
        facts=np.array(facts),
    )


def _score(_: int, rows: np.ndarray) -> np.ndarray:
    return rows[:, 0].astype(np.float64)


def _round(timed, plain) -> SpliceRound:
    return SpliceRound(timed=timed, plain=plain, score=_score)


def test_found_missed_and_false_stretches_are_counted() -> None:
    facts = [HOST, INSERT, REST]
    found = _made("time", [-3, 3, -3], facts, 2.0, 4.0)
    missed = _made("time", [-3, -3, -3], facts, 2.0, 4.0)
    alarm = _made("plain", [3, 3, 3], facts)
    figures = figures_of_splices([_round([found, missed], [alarm])], [])
    assert (figures.time_precision, figures.time_recall, figures.time_f1) == (0.5, 0.5, 0.5)
    assert figures.boundaries_f1 == 1.0
    assert figures.plain_named == 1.0
    assert (figures.joined, np.isnan(figures.joined_named)) == (0, True)


def test_what_use_asks_for_has_an_f1_of_its_own() -> None:
    """One fold is best served by less than use asks for, and the other gets that."""
    facts = [HOST, INSERT, REST]
    parts = [
        replace(_made("time", [0.0, 0.6, 0.0], facts, 2.0, 4.0), splice=_splice("time", fold))
        for fold in (0, 1)
    ]
    figures = figures_of_splices([_round(parts, [])], [])
    assert (figures.time_f1, figures.use_f1) == (1.0, 0.0)
    assert max(figures.thresholds) < 0.6 < LEAST_EVIDENCE


def test_named_scenes_of_another_camera_count_against_precision() -> None:
    facts = [HOST, INSERT, REST]
    found = _made("time", [-2, 3, -2], facts, 2.0, 4.0)
    quiet = _made("joined", [-2, -1, -2], facts)
    named = _made("joined", [-2, 3, -2], facts)
    part = SpliceRound(timed=[found], plain=[], joined=[quiet, named], score=_score)
    figures = figures_of_splices([part], [])
    assert (figures.time_precision, figures.time_recall) == (0.5, 1.0)
    assert (figures.joined, figures.joined_named) == (2, 0.5)


def test_synthetic_parts_around_a_real_scene_are_counted_apart() -> None:
    facts = [HOST, INSERT, REST]
    truth = (0.0, 2.0, 4.0, 6.0)
    found = _made("around", [5, -3, 5], facts, *truth)
    wrong = _made("around", [-3, 3, -3], facts, *truth)
    figures = figures_of_splices([_round([], [])], [], around=[found, wrong])
    assert (figures.around, figures.around_found, figures.around_wrong) == (2, 0.5, 0.5)
    assert figures.spliced == 0


@pytest.mark.slow
def test_models_of_the_folds_judge_the_splices_without_what_leans_on_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [
        _labelled(
            write_clip(tmp_path / f"{index}.mp4", _shaded(320, 240, index, 1 + index % 2), fps=8),
            index,
        )
        for index in range(8)
    ]
    monkeypatch.setattr(localisation_figures, "_FOLDS", 2)
    monkeypatch.setattr(localisation_figures, "_ROUNDS", 2)
    settings = TrainingSettings(
        groups=("palette", "temporal"),
        local_further=("noise",),
        launderings=("none",),
        local_launderings=("none",),
        fold_count=2,
        seeds=(0,),
    )
    cache = WindowCache(tmp_path / "cache")
    table = build_table(clips, laundering="none", blocks=settings.every_block, cache=cache)
    whole = [table.only(settings.blocks)]
    recipe = Recipe(clips=clips, training=whole, settings=settings, stack=np.array([1.0, 0.0]))
    local = recipe.fitted_local({"none": table})
    assert local.settings.groups == ("noise", "temporal")

    def figures(of: Recipe) -> LocalisationFigures:
        found = localisation_figures.localisation_figures(of, settings.every_block, cache)
        assert found is not None
        return found

    found = figures(local)
    assert (found.rounds, found.spliced, found.plain, found.joined) == (2, 8, 8, 8)
    assert (found.pasted, found.unpasted, found.around) == (4, 4, 4)
    assert found.boundaries_f1 == 1.0
    assert 0 <= found.hard_use_f1 <= 1
    assert 0 <= found.hard_f1 <= 1
    assert found.space_auc != figures(recipe).space_auc


def test_no_round_with_a_splice_is_no_figure(
    clips: list[LabelledClip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = localisation_figures._SPLICES
    monkeypatch.setattr(localisation_figures, "_SPLICES", dict.fromkeys(kinds, 0))
    recipe = Recipe(
        clips=clips, training=[], settings=TrainingSettings(), stack=np.array([1.0, 0.0])
    )
    blocks = recipe.settings.blocks
    assert localisation_figures.localisation_figures(recipe, blocks, WindowCache(tmp_path)) is None


def _pasted(kind: str, evidence: float, *truth: float) -> SplicedClip:
    tiles = np.full((9, 1), -1.0, dtype=np.float32)
    tiles[0] = 4.0
    return SplicedClip(
        splice=_splice(kind),
        truth=truth,
        rows=tiles,
        facts=np.zeros((0, 3)),
        region=Region(box=(0.0, 0.5, 0.0, 0.5), evidence=evidence),
    )


def test_found_misplaced_and_false_regions_are_counted() -> None:
    found = _pasted("space", 1.0, 0.0, 0.5, 0.0, 0.5)
    misplaced = _pasted("space", 1.0, 0.5, 1.0, 0.5, 1.0)
    unnamed = _pasted("space", 0.1, 0.0, 0.5, 0.0, 0.5)
    facts = [HOST]
    quiet, alarm = _made("plain", [-3], facts), _made("plain", [-3], facts)
    alarm = replace(alarm, region=Region(box=(0.0, 0.5, 0.0, 0.5), evidence=1.0))
    figures = figures_of_splices(
        [_round([], [quiet, alarm])], [found, misplaced, unnamed], soft=[found, unnamed]
    )
    assert figures.pasted == 3
    assert figures.space_precision == pytest.approx(1 / 3)
    assert figures.space_recall == pytest.approx(1 / 3)
    assert figures.space_f1 == pytest.approx(1 / 3)
    assert figures.soft_recall == 0.5
    # The map is warm at the upper left: right for two of three.
    assert 0.5 < figures.space_auc < 1.0


def test_a_folds_threshold_is_chosen_on_the_other_folds() -> None:
    facts = [HOST, INSERT, REST]

    def made(fold: int, inserted: float, alarm: float) -> list[SplicedClip]:
        """A spliced clip and a plain one; all else lies at even odds."""
        clips = []
        for kind, llr, truth in (("time", inserted, (2.0, 4.0)), ("plain", alarm, ())):
            rows = np.array([[0.0], [llr], [0.0]], dtype=np.float32)
            splice = _splice(kind, fold)
            clips.append(SplicedClip(splice=splice, truth=truth, rows=rows, facts=np.array(facts)))
        return clips

    # Fold 0 is best served by a high threshold, fold 1 by a low one: each gets the other's.
    timed, plain = zip(made(0, 3.0, 1.1), made(1, 0.8, 0.0), strict=True)
    figures = figures_of_splices([_round(timed, plain)], [])
    assert len(figures.thresholds) == 2
    assert figures.thresholds[0] < 0.8 < 1.1 < figures.thresholds[1]
    assert figures.time_recall == 0.5
    assert figures.time_precision == 0.5
    # In two rounds each serves itself alone: every fold is the only one of its round.
    alone = [_round(timed[:1], plain[:1]), _round(timed[1:], plain[1:])]
    apart = figures_of_splices(alone, [])
    assert apart.spliced == apart.plain == 2
    assert apart.thresholds == (LEAST_EVIDENCE,)
