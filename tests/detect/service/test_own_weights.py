"""A service that judges by weights of its operator's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vidigree.cli import main
from vidigree.detect.classifier.weights_file import save_model, shipped_model
from vidigree.detect.service.commands import _settings, serve


def test_its_audits_are_by_them(
    start_service: Any, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shipped_model()
    save_model(replace(model, header=replace(model.header, threshold=7.25)), tmp_path / "own.npz")
    monkeypatch.chdir(tmp_path)
    service = start_service(layers=("classifier",), weights=Path("own.npz"))
    answer = service.audit(clip, wait="60").json()
    assert answer["verdict"]["readings"]["classifier"]["threshold"] == 7.25


def test_damage_is_told_before_it_serves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.npz"
    own.write_bytes(b"no weights")
    with pytest.raises(SystemExit) as caught:
        main(["serve", "--weights", str(own), "--port", "0"])
    assert caught.value.code == 2
    assert "own.npz cannot be read" in capsys.readouterr().err


def test_the_option_is_the_setting(tmp_path: Path) -> None:
    model = shipped_model()
    save_model(model, tmp_path / "own.npz")
    options = {param.name: None for param in serve.params}
    options |= {"weights": tmp_path / "own.npz", "spool": str(tmp_path)}
    options |= {"require_key": False, "allow_private_urls": False}
    assert _settings(None, options).weights == tmp_path / "own.npz"
