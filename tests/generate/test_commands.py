"""The command line of the generator, as a user types it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from vidigree.generate.batch import BatchRow
from vidigree.generate.checking import CheckReport, Claim
from vidigree.generate.commands import generate
from vidigree.media.errors import OutputError
from vidigree.watermark.issue_options import IssueOptions


def test_engines_are_listed(vidigree: Callable[..., Any]) -> None:
    done = vidigree("engines", "--json")
    assert done.code == 0, done.err
    rows = {row["name"]: row for row in json.loads(done.out)}
    assert rows["render"]["tasks"] == ["text-to-video"]
    assert "render" in vidigree("engines").out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["", "-o", "clip.mp4"], 2, "empty"),
        (["x" * 10_000, "-o", "clip.mp4"], 2, "10,000"),
        (["a ball", "-o", "clip.mp4", "--width", "8"], 2, "width"),
        (["a ball", "-o", "clip.mp4", "--fps", "fast"], 2, "frame rate"),
        (["a ball", "-o", "clip.mp4", "--fps", "1e9999999999"], 2, "frame rate"),
        (["a ball", "-o", "clip.mp4", "--set", "steps"], 2, "KEY=VALUE"),
        (["a ball", "-o", "clip.mp4", "--set", "x=" + "[" * 100_000], 2, "nested too deeply"),
        (["a ball " * 280, "-o", "clip.mp4"], 5, "at most 120"),
        (["a ball", "-o", "clip.mp4", "--engine", "rendr"], 2, "'render'"),
        (["a ball", "-o", "absent/clip.mp4"], 4, "absent"),
        (["a ball", "-o", "x" * 252 + ".mp4"], 4, "too long"),
        (["a ball", "-o", "x" * 251 + ".mp4", "--check"], 4, "too long"),
        (["a ball", "-o", "x" * 251 + ".mp4", "--preview"], 4, "too long"),
        (["a cat", "-o", "clip.mp4"], 5, "'cat'"),
        (["a ball"], 2, "--output"),
        (["-o", "clip.mp4"], 2, "PROMPT or --batch"),
        (["a ball", "--batch", "list.txt", "-o", "clips"], 2, "PROMPT or --batch"),
        (["--batch", "absent.txt", "-o", "clips"], 3, "absent.txt"),
        (["--batch", __file__, "-o", "clip.mp4"], 2, "names the folder"),
        (["a ball", "-o", "."], 2, "'.'"),
        (["--batch", "/", "-o", "clips"], 3, "directory"),
        (["--batch", "x" * 300, "-o", "clips"], 3, "too long"),
        (["--batch", sys.executable, "-o", "clips"], 3, "UTF-8"),
        (["--batch", "", "-o", "clips"], 2, "empty"),
        (["a ball", "-o", "clip.mp4", "--image", __file__], 3, "picture"),
        (["a ball", "-o", "clip.mp4", "--image", __file__, "--engine", "flow-gan"], 3, "picture"),
        (["a ball", "-o", "clip.mp4", "--image", "/"], 3, "is a folder. Give a picture file."),
        (["a ball", "-o", "clip.mp4", "--image", "/dev/null"], 3, "not a regular file"),
        (["a ball", "-o", "clip.mp4", "--image", "x" * 300], 2, "too long"),
        (["a ball", "-o", "clip.mp4", "--image", ""], 2, "empty"),
        (["a ball", "-o", "clip.mp4", "--video", "/"], 3, "is a folder. Give a video file."),
        (["a ball", "-o", "clip.mp4", "--policy", "x" * 300], 2, "no policy file"),
        (["a ball", "-o", "clip.mp4", "--policy", ""], 2, "policy has an empty name"),
        (["--batch", __file__, "-o", "clips", "--policy", " "], 2, "no policy file"),
        (["a ball", "-o", "clip.mp4", "--check-weights", "/"], 3, "is a folder"),
        (["a ball", "-o", ""], 2, "empty"),
        (["a ball", "-o", "clip.mp4", "--negative-prompt", "\udcff"], 2, "Unicode"),
        (["a ball", "-o", "clip.mp4", "--model", "\udcff"], 2, "Unicode"),
        (["a ball", "-o", "clip.mp4", "--provider", "\udcff"], 2, "Unicode"),
        (["a ball", "-o", "clip.mp4", "--label", "\udcff"], 2, "Unicode"),
        (
            ["a ball", "-o", "clip.mp4", "--engine", "diffusers", "--model", "x" * 300],
            3,
            "no folder",
        ),
        (["a ball", "-o", "clip.mp4", "--engine", "diffusers", "--model", "/nope"], 3, "/nope"),
        (["a ball", "-o", "clip.mp4", "--policy", "absent.txt"], 2, "absent.txt"),
    ],
)
def test_wrong_calls_are_one_line_and_leave_nothing(
    vidigree: Callable[..., Any], tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    done = vidigree("generate", *arguments, cwd=tmp_path)
    assert done.code == code, done.err
    assert says in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_dry_run_tells_and_leaves_nothing(vidigree: Callable[..., Any], tmp_path: Path) -> None:
    done = vidigree("generate", "a red ball", "--dry-run", "--json", "--width", "160", cwd=tmp_path)
    assert done.code == 0, done.err
    assert json.loads(done.out)["width"] == 160
    assert list(tmp_path.iterdir()) == []


def test_dry_run_refuses_a_size_that_no_file_can_have(
    vidigree: Callable[..., Any], tmp_path: Path
) -> None:
    done = vidigree("generate", "a red ball", "--dry-run", "--width", "641", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "641 x 480 pixels; H.264 in 4:2:0 needs even sizes. Ask for an even width" in done.err


@pytest.mark.parametrize("engine", ["render", "nano", "gan"])
def test_dry_run_refuses_a_size_that_cannot_carry_the_mark(
    vidigree: Callable[..., Any], engine: str, tmp_path: Path
) -> None:
    call = ("generate", "a red ball", "--dry-run", "--engine", engine, "--height")
    done = vidigree(*call, "126", "--width", "640", cwd=tmp_path)
    assert (done.code, done.out) == (6, "")
    assert "640 x 126 pixels is too small to carry the mark. Both sides must be" in done.err
    assert vidigree(*call, "128", "--width", "128", cwd=tmp_path).code == 0


def test_a_check_that_cannot_be_written_does_not_stop_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = [BatchRow(number=n, path=tmp_path / f"{n}.mp4", status="issued") for n in (1, 2)]
    monkeypatch.setattr("vidigree.generate.batch.generate_batch", lambda *a, **k: iter(issued))
    monkeypatch.setattr(IssueOptions, "settings", lambda self, **stamp: None)
    checked: list[Path] = []

    def check(path: Path, prompt: str, run: object) -> None:
        checked.append(path)
        raise OutputError(f"{path.name} cannot be checked.")

    monkeypatch.setattr("vidigree.generate.commands._checked", check)
    (tmp_path / "list.txt").write_text("a ball\na cube\n")
    options = ["--batch", str(tmp_path / "list.txt"), "-o", str(tmp_path), "--check"]
    done = CliRunner().invoke(generate, options, standalone_mode=False)
    assert done.return_value == 4
    assert checked == [tmp_path / "1.mp4", tmp_path / "2.mp4"]
    assert done.stderr.splitlines() == [
        "vidigree: request 1: 1.mp4 cannot be checked.",
        "vidigree: request 2: 2.mp4 cannot be checked.",
    ]
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["issued", "issued"]


def test_a_check_that_was_interrupted_is_made_when_the_batch_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = [BatchRow(number=n, path=tmp_path / f"{n}.mp4", status="skipped") for n in (1, 2)]
    there.append(BatchRow(number=3, path=tmp_path / "3.mp4", status="failed"))
    kept = {"path": "1.mp4", "holds": True, "claims": []}
    (tmp_path / "1.check.json").write_text(json.dumps(kept))
    monkeypatch.setattr("vidigree.generate.batch.generate_batch", lambda *a, **k: iter(there))
    monkeypatch.setattr(IssueOptions, "settings", lambda self, **stamp: None)
    checked: list[Path] = []

    def check(path: Path, prompt: str, run: object) -> CheckReport:
        checked.append(path)
        return CheckReport(path=path, claims=(Claim(about="colour", expected="red", holds=False),))

    monkeypatch.setattr("vidigree.generate.commands._checked", check)
    (tmp_path / "list.txt").write_text("a ball\na cube\na cone\n")
    options = ["--batch", str(tmp_path / "list.txt"), "-o", str(tmp_path), "--check", "--json"]
    done = CliRunner().invoke(generate, options, standalone_mode=False)
    assert done.return_value == 0
    assert checked == [tmp_path / "2.mp4"]
    first, second, failed = (json.loads(line)["check"] for line in done.stdout.splitlines())
    assert (first, failed) == (kept, None)
    planned = CliRunner().invoke(generate, [*options, "--dry-run"], standalone_mode=False)
    rows = [json.loads(line) for line in planned.stdout.splitlines()]
    assert [(row["number"], row["seed"]) for row in rows] == [(1, 1), (2, 2), (3, 3)]
    assert second["holds"] is False
    assert second["claims"][0]["expected"] == "red"


@pytest.mark.slow
def test_batch_with_policy_and_check(vidigree: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("a red ball on snow\na forbidden cube\n")
    (tmp_path / "terms.txt").write_text("forbidden\n")
    size = ["--width", "192", "--height", "144", "--frames", "4"]
    batch = ["--batch", "prompts.txt", "-o", "clips", "--policy", "terms.txt", "--check", "--json"]
    done = vidigree("generate", *batch, *size, cwd=tmp_path)
    assert done.code == 9, done.err
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row["status"] for row in rows] == ["issued", "failed"]
    names = sorted(path.suffixes[0] for path in (tmp_path / "clips").iterdir())
    assert names == [".check", ".mp4"]
    assert rows[0]["receipt"]["mark"]["present"] is True
    kept = json.loads(next((tmp_path / "clips").glob("*.check.json")).read_text())
    assert [row["check"] for row in rows] == [kept, None]
