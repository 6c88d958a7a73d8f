"""Training and evaluation on the command line, with clips that are in no figure."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner, Result
from fixtures.textures import moving_texture, write_clip

from vidigree.detect.classifier import fitting, shipped_model, training
from vidigree.detect.classifier.commands import classifier
from vidigree.detect.classifier.laundering import DRAWN, LAUNDERINGS
from vidigree.media.errors import OutputError, UsageError
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


def test_a_table_beside_itself_leaves_no_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "TrainingSettings", lambda: FEW)
    clips, weights = _table(tmp_path / "clips.csv", range(6)), tmp_path / "w.npz"
    done = _run("train", clips, "--cache", tmp_path / "cache", "--further", clips, "-o", weights)
    assert "among the clips and among the further ones" in str(done.exception)
    assert not list(tmp_path.glob("w.*"))


def test_an_unknown_laundering_is_refused_and_the_known_ones_are_named(tmp_path: Path) -> None:
    clips = _table(tmp_path / "clips.csv", range(2))
    done = _run("evaluate", clips, "--cache", tmp_path / "cache", "--laundering", "wash")
    assert isinstance(done.exception, UsageError)
    assert "no laundering called 'wash'" in str(done.exception)
    assert all(name in done.exception.hint for name in (*LAUNDERINGS, DRAWN))


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("train", "--cache", "cache", "-o", "clips.json"), UsageError, "ends in .npz"),
        (("train", "--cache", "cache", "-o", "none/w.npz"), OutputError, "no folder"),
        (("train", "--cache", "cache", "-o", "w.npz", "--group", "x"), UsageError, "called 'x'"),
        (("calibrate", "-o", "clips.csv"), UsageError, "ends in .npz"),
        (("calibrate", "-o", "none/w.npz"), OutputError, "no folder"),
        (("calibrate", "-o", "w.npz", "--false-alarms", "nan"), UsageError, "is nan"),
        (("evaluate", "--cache", "cache", "--card", "none/card.md"), OutputError, "no folder"),
        (("evaluate", "--cache", "cache", "--plots", "clips.csv"), OutputError, "cannot be made"),
    ],
    ids=str,
)
def test_what_cannot_be_written_or_meant_is_told_before_a_clip_is_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    error: type[Exception],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = (f"gone{n}.mp4,{('real', 'synthetic')[n % 2]},origin{n}" for n in range(20))
    table = "\n".join(["file,label,origin", *rows]) + "\n"
    Path("clips.csv").write_text(table)
    done = _run(arguments[0], "clips.csv", *arguments[1:])
    assert isinstance(done.exception, error), done.output
    assert says in str(done.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["clips.csv"]
    assert Path("clips.csv").read_text() == table


def test_weights_that_can_say_nothing_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = shipped_model()
    header = replace(shipped.header, threshold=math.inf)
    mute = replace(shipped, header=header, reals=shipped.reals[:4])
    monkeypatch.setattr(training, "train", lambda *_, **__: mute)
    (tmp_path / "clips.csv").write_text("file,label,origin\na.mp4,real,phone\n")
    arguments = ("--cache", tmp_path / "cache", "-o", tmp_path / "w.npz")
    done = _run("train", tmp_path / "clips.csv", *arguments)
    assert done.exit_code == 0, done.output
    assert "4 real clips set no threshold for 1% false alarms" in done.stderr
