"""The wheel holds every sub-package and data file, and works where the repository is not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("detect", "generate", "media", "watermark")


def room_files() -> set[str]:
    """Every file of the rooms that git would track, as it is called inside the wheel."""
    return {
        f"vidigree/{path.relative_to(ROOT)}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_package_list_matches_the_folders() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {
        "vidigree." + ".".join(path.parent.relative_to(ROOT).parts)
        for room in ROOMS
        for path in (ROOT / room).rglob("__init__.py")
    }
    assert listed == sorted(folders | {"vidigree"})


def test_every_dependency_is_told_of() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core, extras = (ROOT / "docs" / "dependencies.md").read_text("utf-8").split("## Extras")
    rows = {row.split("|")[1].strip(" `"): row for row in extras.splitlines() if "| `" in row}

    def names(wanted: list[str]) -> set[str]:
        return {re.split(r"[\[>=<]", one)[0].lower() for one in wanted} - {"vidigree"}

    cells = " ".join(row.split("|")[1] for row in core.splitlines() if row.startswith("|"))
    assert names(project["dependencies"]) - set(re.findall(r"[a-z][\w-]*", cells.lower())) == set()
    optional = project["optional-dependencies"]
    assert set(rows) == set(optional)
    untold = {
        extra: missing
        for extra, wanted in optional.items()
        if (missing := {name for name in names(wanted) if name not in rows[extra].lower()})
    }
    assert untold == {}


def test_lower_bounds_let_each_other_in_and_are_no_higher_than_what_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tested = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    tested = {canonicalize_name(name): version for name, version in tested.items()}
    wanted = [
        Requirement(text)
        for one in (project["dependencies"], *project["optional-dependencies"].values())
        for text in one
    ]
    outside = {
        str(requirement)
        for requirement in wanted
        if (version := tested.get(canonicalize_name(requirement.name)))
        and not requirement.specifier.contains(version)
    }
    assert outside == set()
    # Older ones were tried and do not work; docs/dependencies.md says what they do.
    broken = {
        "anyio": "4.1.0",
        "c2pa-python": "0.38.0",
        "click": "8.3.3",
        "fastapi": "0.115.1",
        "psycopg": "3.2.0",
        "sqlalchemy": "2.0.58",
    }
    let_in = {
        str(requirement)
        for requirement in wanted
        if (version := broken.get(canonicalize_name(requirement.name)))
        and requirement.specifier.contains(version)
    }
    assert let_in == set()


def test_only_what_is_tested_is_claimed_to_be_run_on() -> None:
    """Types, and what a later Python took away, are checked for newer ones; tests run on this."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    claimed = {
        one for one in project["classifiers"] if one.startswith(("Operating", "Programming"))
    }
    assert claimed == {
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
    }


def test_every_extra_that_is_named_brings_the_package() -> None:
    from vidigree.cli import _EXTRAS

    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = tomllib.loads(text)["project"]["optional-dependencies"]
    distributions = {"PIL": "pillow", "sklearn": "scikit-learn"}
    for package, extra in _EXTRAS.items():
        names = [re.split(r"[\[>=<]", wanted)[0] for wanted in extras[extra]]
        assert distributions.get(package, package) in names


def test_every_folder_with_code_is_a_package() -> None:
    bare = {
        str(path.parent.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if not (path.parent / "__init__.py").exists()
        # Alembic runs its migration scripts from files; they are data, not a package.
        and "migrations" not in path.parts
    }
    assert bare == set()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and the wheel from the sdist, as an index would."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return out


@pytest.mark.slow
def test_wheel_holds_every_file(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    expected = room_files() | {f"vidigree/{n}" for n in ("__init__.py", "cli.py", "py.typed")}
    assert expected - names == set()
    inside = {name for name in names if name.startswith("vidigree/")}
    assert inside - expected == set()
    assert any(name.endswith("LICENSE") for name in names)


@pytest.mark.slow
def test_sdist_holds_every_file(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    expected = {name.removeprefix("vidigree/") for name in room_files()}
    assert (expected | {"LICENSE", "README.md", "pyproject.toml"}) - names == set()


@pytest.mark.slow
def test_wheel_works_in_a_fresh_environment(built: Path, tmp_path: Path) -> None:
    """The fresh environment sees this one's libraries, but no copy of vidigree but the wheel."""
    (wheel,) = built.glob("*.whl")
    fresh = tmp_path / "env"
    venv.create(fresh, with_pip=False)
    python = fresh / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--quiet",
         "--disable-pip-version-check", str(wheel)],
        check=True,
    )  # fmt: skip
    (site,) = fresh.glob("lib/python*/site-packages")
    # A plain path in a .pth file adds the libraries without running this environment's own
    # .pth files, which would bring the editable install of the repository along.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "VIDIGREE_HOME": str(tmp_path / "home"),
        "HOME": str(tmp_path),
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [str(fresh / "bin" / "vidigree"), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environment,
        )
        assert done.returncode in (0, 10), done.stderr
        return done.stdout

    where = subprocess.run(
        [str(python), "-c", "import vidigree; print(vidigree.__file__)"],
        capture_output=True, text=True, check=True, cwd=tmp_path, env=environment,
    ).stdout  # fmt: skip
    assert str(fresh) in where
    run("keys", "init")
    run("generate", "a red ball on grass", "-o", "clip.mp4", "--frames", "24", "--seed", "1")
    assert "declared-synthetic" in run("audit", "clip.mp4", "--json")
