"""A policy is asked first, its refusals are recorded, and nothing is generated."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from vidigree.generate import ClipRequest, generate, load_policy
from vidigree.media.errors import PolicyRefusalError, UsageError
from vidigree.watermark import StampSettings


@pytest.fixture
def terms(tmp_path: Path) -> Path:
    path = tmp_path / "terms.txt"
    path.write_text("# refused here\nbomb\nred  button # as a phrase\n\nCafé\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "prompt", ["a BOMB", "bomb!", "a ball and a red\nbutton", "a ｂｏｍｂ", "CAFÉ"]
)
def test_terms_match_whole_words_in_any_dress(terms: Path, prompt: str) -> None:
    assert load_policy(str(terms)).refusal(ClipRequest(prompt=prompt)) is not None


@pytest.mark.parametrize("prompt", ["bombastic balls", "a red ball, a button", "abomb", "#"])
def test_other_words_pass(terms: Path, prompt: str) -> None:
    assert load_policy(str(terms)).refusal(ClipRequest(prompt=prompt)) is None


def test_refusal_is_recorded_without_the_prompt_and_nothing_is_made(
    terms: Path, stamp_settings: StampSettings, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDIGREE_HOME", str(outputs.parent / "records"))
    request = ClipRequest(prompt="a bomb rolling to john smith")
    with pytest.raises(PolicyRefusalError, match="'bomb'") as caught:
        generate(
            request, outputs / "clip.mp4", settings=stamp_settings, policy=load_policy(str(terms))
        )
    assert caught.value.exit_code == 9
    assert list(outputs.iterdir()) == []
    log = (outputs.parent / "records" / "refusals.jsonl").read_text()
    assert "john" not in log
    row = json.loads(log)
    assert row["prompt_sha256"] == request.prompt_sha256
    assert row["policy"] == "terms.txt"


def test_functions_decide_too(monkeypatch: pytest.MonkeyPatch) -> None:
    rules: Any = types.ModuleType("house_rules")
    rules.decide = lambda request: "no cubes" if "cube" in request.prompt else None
    monkeypatch.setitem(sys.modules, "house_rules", rules)
    policy = load_policy("house_rules:decide")
    assert policy.refusal(ClipRequest(prompt="a cube")) == "no cubes"
    assert policy.refusal(ClipRequest(prompt="a ball")) is None


@pytest.mark.parametrize(
    "source", ["absent.txt", "absent_module:decide", "os:absent", "os:sep", ":", ""]
)
def test_policies_that_are_none_are_refused(source: str) -> None:
    with pytest.raises(UsageError):
        load_policy(source)


@pytest.mark.parametrize("text", ["def decide(:\n", "raise RuntimeError('boom')\n"])
def test_a_module_that_cannot_be_imported_is_named(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unfinished_rules.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match=r"cannot be imported \((Syntax|Runtime)Error: "):
        load_policy("unfinished_rules:decide")


def test_an_empty_list_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "empty.txt"
    path.write_text("# nothing\n")
    with pytest.raises(UsageError, match="no terms"):
        load_policy(str(path))


@pytest.mark.parametrize("decide", [lambda: None, lambda request: 1 / 0])
def test_function_that_fails_allows_nothing(decide: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rules: Any = types.ModuleType("broken_rules")
    rules.decide = decide
    monkeypatch.setitem(sys.modules, "broken_rules", rules)
    with pytest.raises(PolicyRefusalError, match="broken_rules:decide failed"):
        load_policy("broken_rules:decide").refusal(ClipRequest(prompt="a cube"))
