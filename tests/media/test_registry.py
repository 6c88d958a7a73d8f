"""Plug-ins: named, imported late, and told apart from the program when they fail."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from vidigree.media.errors import UsageError
from vidigree.media.registry import Registry

GROUP = "vidigree.test_codecs"


@pytest.fixture
def codecs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Registry[object]:
    """A registry with one entry of its own and three of other packages, two of them broken."""
    (tmp_path / "unfinished_codec.py").write_text("raise RuntimeError('not yet')\n")
    monkeypatch.syspath_prepend(tmp_path)
    points = [
        EntryPoint("binary", "base64:b64decode", GROUP),
        EntryPoint("unfinished", "unfinished_codec:Codec", GROUP),
        EntryPoint("renamed", "json:no_such_function", GROUP),
    ]
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda *, group: points if group == GROUP else []
    )
    registry: Registry[object] = Registry("codec", GROUP)
    registry.add("text", "json:loads")
    return registry


def test_entries_of_other_packages_stand_beside_those_of_its_own(codecs: Registry[object]) -> None:
    import base64
    import json

    assert codecs.names() == list(codecs) == ["binary", "renamed", "text", "unfinished"]
    assert codecs.get("text") is json.loads
    assert codecs.get("binary") is base64.b64decode
    assert "binary" in codecs
    assert "none" not in codecs


def test_the_closest_name_is_named(codecs: Registry[object]) -> None:
    with pytest.raises(UsageError, match=r"no codec called 'tekst'.*Did you mean 'text'"):
        codecs.get("tekst")


def test_a_name_leads_to_one_thing(codecs: Registry[object]) -> None:
    codecs.add("text", "json:loads")
    with pytest.raises(UsageError, match="'text' of json:dumps is already taken by json:loads"):
        codecs.add("text", "json:dumps")


def test_a_name_that_another_package_takes_is_told_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = [
        EntryPoint("text", "json:dumps", GROUP),
        EntryPoint("binary", "base64:b64decode", GROUP),
    ]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group: points)
    registry: Registry[object] = Registry("codec", GROUP)
    registry.add("text", "json:loads")
    for _ in range(2):
        with pytest.raises(UsageError, match="'text' of json:dumps is already taken by json:loads"):
            registry.names()
        with pytest.raises(UsageError, match="'text' of json:dumps is already taken by json:loads"):
            registry.get("binary")


@pytest.mark.parametrize(
    ("name", "reason"), [("unfinished", "RuntimeError: not yet"), ("renamed", "AttributeError: ")]
)
def test_a_broken_entry_of_another_package_is_named(
    codecs: Registry[object], name: str, reason: str
) -> None:
    with pytest.raises(UsageError, match=rf"{name!r} of another package .*\({reason}"):
        codecs.get(name)


def test_a_broken_entry_of_its_own_is_a_defect() -> None:
    registry: Registry[object] = Registry("codec")
    registry.add("lost", "json:no_such_function")
    with pytest.raises(AttributeError):
        registry.get("lost")
