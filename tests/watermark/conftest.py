"""Fixtures that tests of the stamp share."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.faulty_marks import MARKS

from vidigree.watermark import StampSettings, watermark_methods
from vidigree.watermark.credentials import init_identity
from vidigree.watermark.ledger import Ledger


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StampSettings:
    known = watermark_methods.get
    monkeypatch.setattr(watermark_methods, "get", lambda name: MARKS.get(name) or known(name))
    home = tmp_path / "home"
    identity = init_identity(home)
    ledger = Ledger.open(f"sqlite:///{home / 'ledger.sqlite3'}")
    return StampSettings(identity=identity, ledger=ledger, method="top-row")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for outputs: whatever lies there afterwards was left by the stamp."""
    path = tmp_path / "outputs"
    path.mkdir()
    return path
