"""Names of files that are not UTF-8, or hold what steers a terminal, all the way."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NoReturn

import pytest
from rich.console import Console

from vidigree.detect.audit import audit
from vidigree.detect.isolation import Job
from vidigree.detect.readings import NotChecked, Readings
from vidigree.detect.report import render_report
from vidigree.detect.settings import AuditSettings
from vidigree.detect.terminal import verdict_panel, verdict_text
from vidigree.detect.verdict import judge
from vidigree.detect.worker import perform
from vidigree.media import UnsupportedMediaError
from vidigree.watermark import credentials

GAP = NotChecked(layer="classifier", why="a test")


def test_json_of_a_name_that_is_not_utf_8_is_utf_8(
    clip: Path, tmp_path: Path, vidigree_environment: dict[str, str]
) -> None:
    """Once it ended as a defect, or as bytes that no reader of JSON takes."""
    name = os.fsdecode(b"\xff\xfe.mp4")
    shutil.copy(clip, tmp_path / name)
    for encoding in ("utf-8", "utf-8:surrogateescape"):
        done = subprocess.run(
            [sys.executable, "-m", "vidigree.cli", "audit", name, "--json", "--only=credentials"],
            capture_output=True,
            check=True,
            cwd=tmp_path,
            env=vidigree_environment | {"PYTHONIOENCODING": encoding},
        )
        assert json.loads(done.stdout.decode("utf-8"))["file"] == name


EVIL = "\x1b[2Jevil\u202egpm\udcff.mp4"


def test_why_a_layer_could_not_look_steers_no_terminal_and_no_page(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that names the file it refuses brought its escape sequences to the screen."""
    path = tmp_path / EVIL
    shutil.copy(clip, path)

    def refuse(path: Path, **_: object) -> NoReturn:
        raise UnsupportedMediaError(f"{path} has boxes nested too deeply.")

    monkeypatch.setattr(credentials, "read_credentials", refuse)
    row = audit(path, settings=AuditSettings(layers=("credentials",))).to_dict()
    assert "evil\\u202egpm" in row["readings"]["credentials"]["why"]
    page = "".join(render_report([(row, [])], Counter({row["finding"]: 1})))
    for shown in (verdict_text(row), page):
        assert "boxes nested too deeply" in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert verdict_text(row).isprintable() is False  # for its line feeds alone
    assert verdict_text(row).replace("\n", "").isprintable()


def test_words_that_are_not_printable_are_escaped_on_a_terminal() -> None:
    row = judge(Readings(credentials=NotChecked(layer="credentials", why=EVIL), classifier=GAP))
    verdict = row.to_dict() | {"file": "a.mp4"}
    console = Console(file=io.StringIO(), width=200)
    console.print(verdict_panel(verdict))
    for shown in (verdict_text(verdict), console.file.getvalue()):  # type: ignore[attr-defined]
        assert "evil\\u202egpm\\udcff" in shown
        assert "\x1b" not in shown


def test_why_a_layer_could_not_look_at_a_fetched_clip_names_its_url(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def refuse(path: Path, **_: object) -> NoReturn:
        seen.append(str(path))
        raise UnsupportedMediaError(f"{path} has boxes nested too deeply.")

    monkeypatch.setattr(credentials, "read_credentials", refuse)
    url = clip.as_uri()
    job = Job(name=url, settings=AuditSettings(layers=("credentials",)))
    row = perform(job.to_dict())["row"]
    assert row["readings"]["credentials"]["why"] == f"{url} has boxes nested too deeply."
    (copy,) = seen
    assert copy not in json.dumps(row)
