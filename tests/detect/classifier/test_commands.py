"""Training and evaluation on the command line, with clips that are in no figure."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner, Result
from fixtures.textures import moving_texture, write_clip

from vidigree.detect.classifier import fitting
from vidigree.detect.classifier.commands import classifier
from vidigree.detect.classifier.laundering import DRAWN, LAUNDERINGS
from vidigree.media.errors import UsageError
from vidigree.media.frame import Frame

pytest.importorskip("sklearn")

FEW = fitting.TrainingSettings(
    groups=("temporal", "noise"), launderings=("none",), fold_count=3, seeds=(0,)
)


def _table(path: Path, numbers: range) -> Path:
    rows = ["file,label,origin"]
    for index in numbers:
        frames = moving_texture(width=160, height=160, fps=8, count=16, seed=index)
        label = "real"
        if index % 2:  # "synthetic" here: over-smooth
            label = "synthetic"
            frames = (
                Frame(image=cv2.GaussianBlur(frame.image, (0, 0), 3), time=frame.time)
                for frame in frames
            )
        write_clip(path.parent / f"{index}.mp4", iter(frames), fps=8)
        rows.append(f"{index}.mp4,{label},origin{index}")
    path.write_text("\n".join(rows) + "\n")
    return path


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(classifier, [str(argument) for argument in arguments])


@pytest.mark.slow
def test_further_clips_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "TrainingSettings", lambda: FEW)
    clips = _table(tmp_path / "clips.csv", range(8))
    more = _table(tmp_path / "more.csv", range(8, 11))
    weights, cache = tmp_path / "w.npz", ("--cache", tmp_path / "cache")

    trained = _run("train", clips, *cache, "--further", more, "-o", weights)
    assert trained.exit_code == 0, trained.output
    header = json.loads(weights.with_suffix(".json").read_text())
    assert header["sha256"] in trained.output
    assert (header["real_clips"], header["synthetic_clips"]) == (6, 5)
    scored = _run("score", tmp_path / "0.mp4", "--weights", weights, "--json")
    assert json.loads(scored.stdout)["llr"] is not None

    asked = ("--laundering", "none", "--first-seed", "9", "--json")
    evaluated = _run("evaluate", clips, *cache, "--further", more, *asked)
    assert evaluated.exit_code == 0, evaluated.output
    figures = json.loads(evaluated.stdout)
    assert (figures["real_clips"], figures["synthetic_clips"]) == (4, 4)
    assert (figures["further_clips"], figures["further_origins"]) == (3, 3)
    assert figures["seeds"] == list(range(9, 9 + len(FEW.seeds)))


def test_a_table_beside_itself_leaves_no_weights(tmp_path: Path) -> None:
    clips, weights = _table(tmp_path / "clips.csv", range(2)), tmp_path / "w.npz"
    done = _run("train", clips, "--cache", tmp_path / "cache", "--further", clips, "-o", weights)
    assert "among the clips and among the further ones" in str(done.exception)
    assert not list(tmp_path.glob("w.*"))


def test_an_unknown_laundering_is_refused_and_the_known_ones_are_named(tmp_path: Path) -> None:
    clips = _table(tmp_path / "clips.csv", range(2))
    done = _run("evaluate", clips, "--cache", tmp_path / "cache", "--laundering", "wash")
    assert isinstance(done.exception, UsageError)
    assert "no laundering called 'wash'" in str(done.exception)
    assert all(name in done.exception.hint for name in (*LAUNDERINGS, DRAWN))
