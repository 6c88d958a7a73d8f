"""``vidigree audit``: what it prints, where, and how it exits."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vidigree.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent
FAST = ["--only", "credentials"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["audit", *arguments])
    out, err = capsys.readouterr()
    assert isinstance(caught.value.code, int)
    return caught.value.code, out, err


def test_plain_text_begins_with_file_and_finding(
    clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, str(clip), *FAST)
    assert (code, err) == (0, "")
    assert out.startswith(f"{clip}: no-evidence (confidence: low)\n")
    assert "Not checked, as asked." in out
    assert "\x1b" not in out


def test_json_is_one_object_a_file(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, str(clip), str(clip), "--json", *FAST)
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["finding"] for row in rows] == ["no-evidence", "no-evidence"]


def test_explain_says_what_is_proved(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, str(clip), "--explain", *FAST)
    assert "Does not prove:" in out


def test_chinese(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, str(clip), "--language", "zh", *FAST)
    assert "未发现生成的证据" in out


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "folder"])
def test_bad_input_is_one_line(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.mp4"
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("text\n" * 100, encoding="utf-8")
    elif kind == "folder":
        path.mkdir()
    code, out, err = run(capsys, str(path), *FAST)
    assert code in (2, 3)
    assert out == ""
    assert err.startswith("vidigree: ")
    assert err.count("\n") == 1


def test_one_bad_file_does_not_cost_the_others(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, str(tmp_path / "none.mp4"), str(clip), "--json", *FAST)
    assert code == 3
    error, verdict = (json.loads(line) for line in out.splitlines())
    assert error["error"]["kind"] == "MediaNotFoundError"
    assert verdict["finding"] == "no-evidence"
    assert err.count("\n") == 1


def test_exit_code_is_the_highest_finding(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "home"
    broken.mkdir()
    (broken / "ledger.sqlite3").write_bytes(b"no database" * 200)
    code, _, _ = run(capsys, str(clip), "--only", "ledger")
    assert code == 13


def test_on_a_terminal_it_is_a_panel(clip: Path, tmp_path: Path) -> None:
    if shutil.which("script") is None:
        pytest.skip("script(1) is not here to make a terminal")
    command = f"{sys.executable} -m vidigree.cli audit {clip} --only credentials"
    done = subprocess.run(
        ["script", "-qec", command, "/dev/null"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ
        | {"PYTHONPATH": str(ROOT / "typings"), "TERM": "xterm-256color", "COLUMNS": "100"},
    )
    assert done.returncode == 0, done.stdout
    assert "╭" in done.stdout
    assert "No evidence of generation found" in done.stdout
