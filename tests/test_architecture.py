"""The rooms import one way only, and `--help` imports nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = {
    "media": {"media"},
    "watermark": {"watermark", "media"},
    "detect": {"detect", "watermark", "media"},
    "generate": {"generate", "watermark", "media"},
}
HEAVY = {"av", "numpy", "scipy", "cv2", "torch", "diffusers", "sqlalchemy", "c2pa", "rich"}


def _imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "vidigree" and len(parts) > 1 and (ROOT / parts[1]).is_dir():
                rooms.add(parts[1])
    return rooms


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_imports_run_one_way(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    offenders = {
        str(path.relative_to(ROOT)): sorted(_imported_rooms(path) - ALLOWED[room])
        for path in files
        if _imported_rooms(path) - ALLOWED[room]
    }
    assert offenders == {}


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_face_is_importable(room: str) -> None:
    module = __import__(f"vidigree.{room}", fromlist=["__all__"])
    names = list(getattr(module, "__all__", []))
    assert len(names) == len(set(names))  # ruff keeps them sorted
    assert [name for name in names if not hasattr(module, name)] == []


def test_root_holds_no_other_python_files() -> None:
    assert sorted(path.name for path in ROOT.glob("*.py")) == ["__init__.py", "cli.py"]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from vidigree import cli\n"
        "try:\n    cli.main(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "print('LOADED', *sorted(name for name in sys.modules if '.' not in name))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "typings"), "PATH": "", "LC_ALL": "C.UTF-8"},
    )
    loaded = set(done.stdout.rsplit("LOADED", 1)[1].split())
    assert loaded & HEAVY == set()
