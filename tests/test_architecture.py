"""The rooms import one way only, and `--help` imports nothing heavy."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vidigree.media.registry import Registry

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


def _contracts() -> list[tuple[str, str]]:
    """Return what stands in the table of contracts, and the modules that it is said to be in."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    lines = text.split("## Contracts")[1].split("\n\n")[1].splitlines()[2:]
    return [(cells[1], cells[2]) for line in lines for cells in [line.strip("| ").split(" | ")]]


@pytest.mark.parametrize(("what", "where"), _contracts())
def test_contracts_name_what_there_is(what: str, where: str) -> None:
    first, *others = re.findall(r"`([\w.]+)`", where)
    beside = first.rpartition(".")[0]  # a later one is named from where the first lies
    paths = [first, *(beside + name if name.startswith(".") else name for name in others)]
    modules = [importlib.import_module(f"vidigree.{path}") for path in paths]
    names = set(re.findall(r"`([A-Za-z_]\w*)[(.`]", what)) - {"image", "time", "config", "signers"}
    names -= {"Fraction"}
    assert names
    assert {name for name in names if not any(hasattr(module, name) for module in modules)} == set()


def test_entry_points_are_those_of_the_registries() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| `(vidigree\.\w+)` \|", text, re.MULTILINE)
    told = {}
    for path, group in rows:
        module, _, name = path.rpartition(".")
        registry = getattr(importlib.import_module(f"vidigree.{module}"), name)
        assert isinstance(registry, Registry)
        told[registry._group] = group
    sources = [path for room in ALLOWED for path in (ROOT / room).rglob("*.py")]
    made = re.compile(r"Registry\([^()]*?\"(vidigree\.\w+)\"")
    groups = {group for path in sources for group in made.findall(path.read_text(encoding="utf-8"))}
    assert told == {group: group for group in groups}
