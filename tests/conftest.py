"""Fixtures that several rooms' tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Ran:
    """One finished run of the command."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def vidigree_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a user who has run `vidigree keys init`."""
    home = tmp_path_factory.mktemp("home")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(ROOT / "typings"),
        "VIDIGREE_HOME": str(home / "vidigree"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "vidigree.cli", "keys", "init"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return environment


@pytest.fixture(scope="session")
def vidigree(vidigree_environment: dict[str, str]) -> Callable[..., Ran]:
    """Run the command as a user does: in a process of its own."""

    def run(*arguments: str | Path, cwd: Path | None = None, prefix: tuple[str, ...] = ()) -> Ran:
        done = subprocess.run(
            [*prefix, sys.executable, "-m", "vidigree.cli", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd,
            env=vidigree_environment,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def red_balls(vidigree: Callable[..., Ran], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that `vidigree generate` made: read it, copy it, do not change it."""
    path = tmp_path_factory.mktemp("generated") / "clip.mp4"
    done = vidigree("generate", "two red balls bouncing on a wooden floor", "-o", path, "--seed", 7)
    assert done.code == 0, done.err
    return path
