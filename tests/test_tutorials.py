"""The tutorials are run from their own text: every command, every line of output they show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Step:
    """One command, the lines it is said to print (``...`` is anything), and its exit code."""

    command: str
    lines: list[str] = field(default_factory=list)
    code: int = 0


def steps(page: Path) -> list[Step]:
    found: list[Step] = []
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(command=line[2:]))
            elif line.startswith(">") and not found[-1].lines:
                found[-1].command += "\n" + line[2:]
            elif line.startswith("# exit code "):
                found[-1].code = int(line.rpartition(" ")[2])
            else:
                found[-1].lines.append(line)
    return found


def pattern(lines: list[str]) -> re.Pattern[str]:
    """Return what the output must look like: ``...`` alone is any lines, within one any text."""
    parts = []
    for line in lines:
        if line == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(re.escape(line).replace(re.escape("..."), ".*") + r"\n")
    return re.compile("".join(parts))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_tutorial_runs_as_written(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, module in (("vidigree", "-m vidigree.cli"), ("python", "")):
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    environment = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "VIDIGREE_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(ROOT / "typings"),
        "LC_ALL": "C.UTF-8",
    }
    found = steps(page)
    assert len(found) >= 4
    for step in found:
        done = subprocess.run(
            ["/bin/sh", "-c", step.command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd=work,
            env=environment,
        )
        assert done.returncode == step.code, f"{step.command}\n{done.stdout}"
        assert pattern(step.lines).fullmatch(done.stdout), f"{step.command}\n{done.stdout}"


def test_there_is_one_for_each_user() -> None:
    assert [page.stem for page in PAGES] == ["generate", "platform", "trust-and-safety"]


def test_a_wrong_line_is_noticed() -> None:
    wanted = pattern(["first ... line", "...", "last"])
    assert wanted.fullmatch("first little line\nbetween\nlast\n")
    assert wanted.fullmatch("first little line\nlast\n")
    assert not wanted.fullmatch("first line\nlast\n")
    assert not wanted.fullmatch("first little line\nlast\nmore\n")
