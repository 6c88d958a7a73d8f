"""Audits with weights of one's own, such as `vidigree classifier calibrate` makes."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vidigree.cli import main
from vidigree.detect import AuditSettings, audit
from vidigree.detect.classifier.weights_file import kept_model, save_model, shipped_model
from vidigree.media import UsageError

THRESHOLD = 7.25


def weights(path: Path, threshold: float = THRESHOLD) -> Path:
    """Write weights that differ from the shipped ones as a calibration does."""
    model = shipped_model()
    save_model(replace(model, header=replace(model.header, threshold=threshold)), path)
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["audit", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert isinstance(caught.value.code, int)
    return caught.value.code, out, err


def classifier(row: dict[str, Any]) -> dict[str, Any]:
    reading = row["readings"]["classifier"]
    assert isinstance(reading, dict)
    return reading


def test_the_classifier_judges_by_them(clip: Path, tmp_path: Path) -> None:
    own = weights(tmp_path / "own.npz")
    settings = AuditSettings(layers=("classifier",), weights=str(own))
    reading = classifier(audit(clip, settings=settings).to_dict())
    assert (reading["threshold"], reading["model_id"]) == (THRESHOLD, kept_model(own).model_id)
    shipped = classifier(audit(clip, settings=replace(settings, weights=None)).to_dict())
    assert shipped["model_id"] == shipped_model().model_id != reading["model_id"]


def test_weights_that_are_gone_meanwhile_leave_the_layer_unchecked(
    clip: Path, tmp_path: Path
) -> None:
    settings = AuditSettings(layers=("classifier",), weights=str(tmp_path / "gone.npz"))
    row = audit(clip, settings=settings).to_dict()
    assert classifier(row)["status"] == "not-checked"
    assert "gone.npz cannot be read" in classifier(row)["why"]
    assert row["finding"] != "no-evidence"


@pytest.mark.parametrize("more", [[], ["--jobs", "2"]], ids=["alone", "workers"])
def test_the_command_takes_them_from_any_folder(
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
) -> None:
    weights(tmp_path / "own.npz")
    monkeypatch.chdir(tmp_path)
    arguments = [clip, "--only", "classifier", "--json", "--weights", "own.npz"]
    _, out, _ = run(capsys, *arguments, *more)
    assert classifier(json.loads(out))["threshold"] == THRESHOLD


@pytest.mark.parametrize("fault", ["missing", "cut off", "another's header"])
def test_damage_is_told_before_anything_is_audited(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    own, output = tmp_path / "own.npz", tmp_path / "out.jsonl"
    if fault != "missing":
        weights(own)
    if fault == "cut off":
        own.write_bytes(own.read_bytes()[:1000])
    elif fault == "another's header":
        header = own.with_suffix(".json")
        header.write_text(header.read_text("utf-8").replace(f"{THRESHOLD}", "nope"), "utf-8")
    code, _, err = run(capsys, clip, "-o", output, "--weights", own)
    assert code == 2
    assert err.count("\n") == 1
    assert not output.exists()


def test_verdicts_by_other_weights_are_not_gone_on_with(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, output = weights(tmp_path / "own.npz"), tmp_path / "out.jsonl"
    arguments = [clip, "--only", "classifier", "-o", output, "--weights", own]
    run(capsys, *arguments)
    assert "1 clip was audited before." in run(capsys, *arguments)[2]
    weights(own, threshold=8.5)
    code, _, err = run(capsys, *arguments)
    assert code == 4
    assert "verdicts of other options" in err


@pytest.mark.parametrize("replaced", [(".npz", ".json"), (".json",)], ids=["both", "header"])
def test_weights_that_were_replaced_are_read_anew(
    tmp_path: Path, replaced: tuple[str, ...]
) -> None:
    """The header has the threshold: the other file may be the same to the byte."""
    own, other = weights(tmp_path / "own.npz"), weights(tmp_path / "other.npz", threshold=8.5)
    first = kept_model(own)
    assert kept_model(own) is first
    for suffix in replaced:
        other.with_suffix(suffix).replace(own.with_suffix(suffix))
    assert kept_model(own).header.threshold == 8.5


@pytest.mark.parametrize("name", ["own.npz", "own.json"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, name: str) -> None:
    own = weights(tmp_path / "own.npz")
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(UsageError, match="cannot be read"):
        kept_model(own)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold", 10**400),
        ("false_alarms", -5),
        ("false_alarms", 1.5),
        ("trained_on", "abcdef"),
    ],
)
def test_a_header_that_means_nothing_is_refused(
    tmp_path: Path, field: str, value: float | str
) -> None:
    own = weights(tmp_path / "own.npz")
    header = own.with_suffix(".json")
    row = json.loads(header.read_text("utf-8")) | {field: value}
    header.write_text(json.dumps(row), "utf-8")
    with pytest.raises(UsageError, match="not of this format"):
        kept_model(own)


def test_a_report_says_whose_weights_judged(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, report = weights(tmp_path / "own.npz"), tmp_path / "report.html"
    run(capsys, clip, "--only", "classifier", "--weights", own, "--report", report)
    page, told = report.read_text("utf-8"), f"<code>{kept_model(own).model_id}</code>"
    assert told in page
    run(capsys, clip, "--only", "credentials", "--report", report)
    assert "<dt>Classifier</dt>" not in report.read_text("utf-8")


def test_an_empty_name_is_no_name() -> None:
    with pytest.raises(UsageError):
        AuditSettings(weights="")
