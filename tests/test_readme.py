"""What the README shows exists and runs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert [target for target in local if not (page.parent / target).exists()] == []


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).strip().replace(" ", "-") for line in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_a_heading(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text(encoding="utf-8"))
    wrong = [
        f"{target}#{anchor}"
        for target, anchor in links
        if anchor not in _anchors(page.parent / target if target else page)
    ]
    assert wrong == []


def test_commands_of_the_readme_exist() -> None:
    from vidigree.cli import _COMMANDS

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\$ vidigree (\w+)", text, re.MULTILINE))
    assert {"generate", "stamp", "audit", "keys"} <= named
    assert named - set(_COMMANDS) == set()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^\$ make ([\w-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_readme_leads_to_every_page() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert pages - set(re.findall(r"\]\(([^)#]+)", text)) == set()


def test_architecture_names_every_package() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = ("generate", "detect", "watermark", "media")
    packages = [
        path.parent.relative_to(ROOT)
        for room in rooms
        for path in ROOT.glob(f"{room}/**/__init__.py")
    ]
    unnamed = [
        str(p) for p in packages if ".".join(p.parts) not in text and f"`{p.name}/`" not in text
    ]
    assert [name for name in unnamed if "versions" not in name] == []


def _shape(output: str) -> list[str]:
    """Return lines without what differs from run to run: ids, times, and measured numbers."""
    masked = re.sub(r"\b[0-9a-f]{16}\b|\b[0-9a-f]{8}\b", "ID", output)
    masked = re.sub(r"issued [^,]+,", "issued TIME,", masked)
    return re.sub(r"(p [=<]|ratio|likeness) [-+]?[\d.e-]+", r"\1 N", masked).strip().splitlines()


@pytest.mark.slow
def test_output_in_the_readme_is_what_it_prints(
    vidigree: Callable[..., Any], red_balls: Path
) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(
        r"^\$ vidigree audit clip\.mp4\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    )
    printed = vidigree("audit", red_balls.name, cwd=red_balls.parent).out
    assert _shape(printed) == _shape(shown)


@pytest.mark.slow
def test_python_of_the_readme_runs(tmp_path: Path, vidigree_environment: dict[str, str]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=vidigree_environment,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "declared-synthetic"
