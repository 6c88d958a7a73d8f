"""A policy is asked first, its refusals are recorded, and nothing is generated."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from vidigree.generate import ClipRequest, generate, load_policy
from vidigree.generate.policy import CallablePolicy, TermPolicy, enforce
from vidigree.media.errors import EngineError, OutputError, PolicyRefusalError, UsageError
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


PARTING = [
    *("\u200b", "\u200c", "\u200d", "\ufeff", "\u202e", "\u180e", "\u3164", "\u115f", "\u2800"),
    *("\U000e0041", "\x00", "\x7f", "\u200b\u00ad", "\u2065", "\ufff0", "\U000e0fff"),
]
OF_WORDS = ["\u00ad", "\u2060", "\u034f", "\ufe0f", "\u180b", "\U000e0100", "\u00ad\ufe0f\u2060"]


@pytest.mark.parametrize("mark", OF_WORDS, ids=ascii)
def test_characters_that_nobody_sees_in_a_word_are_not_there(terms: Path, mark: str) -> None:
    policy = load_policy(str(terms))
    for prompt in (
        f"a b{mark}om{mark}b",
        f"a{mark} {mark}bomb{mark}",
        f"red{mark} {mark}button",
        f"red {mark} button",
        f"r{mark}ed button",
        f"caf{mark}é",
        f"cafe{mark}\u0301",
    ):
        assert policy.refusal(ClipRequest(prompt=prompt)) is not None, ascii(prompt)
    for prompt in (f"bomb{mark}astic balls", f"a{mark}bomb", f"the red{mark}button", mark):
        assert policy.refusal(ClipRequest(prompt=prompt)) is None, ascii(prompt)


@pytest.mark.parametrize("mark", PARTING, ids=ascii)
def test_characters_that_nobody_sees_hide_no_term(terms: Path, mark: str) -> None:
    policy = load_policy(str(terms))
    for prompt in (
        f"a b{mark}om{mark}b",
        f"a{mark} {mark}bomb{mark}",
        f"a{mark}bomb{mark}here",
        f"red{mark}button",
        f"red{mark} {mark}button",
        f"r{mark}ed button",
        f"caf{mark}é",
        f"cafe{mark}\u0301",
        f"a{mark}bo{mark}mb{mark}here",
        f"r{mark}ed{mark}button",
    ):
        assert policy.refusal(ClipRequest(prompt=prompt)) is not None, ascii(prompt)
    for prompt in (f"bomb{mark}astic balls", f"a{mark}bomb", f"a red{mark}dish button"):
        seen_apart = policy.refusal(ClipRequest(prompt=prompt.replace(mark, " ")))
        assert policy.refusal(ClipRequest(prompt=prompt)) == seen_apart


@pytest.mark.parametrize("mark", ["\u0335", "\u0336", "\u0338"], ids=ascii)
def test_strokes_through_letters_hide_no_term(terms: Path, mark: str) -> None:
    policy = load_policy(str(terms))
    assert policy.refusal(ClipRequest(prompt=f"a b{mark}o{mark}m{mark}b{mark}")) is not None


def test_signs_of_vowels_are_of_the_word(tmp_path: Path) -> None:
    (tmp_path / "terms.txt").write_text("गन\nमल\nहत्या\n", encoding="utf-8")
    policy = load_policy(str(tmp_path / "terms.txt"))
    for prompt in ("गन्ना का खेत", "नारीमल का घर", "गनी", "मलाई"):
        assert policy.refusal(ClipRequest(prompt=prompt)) is None, prompt
    for prompt in ("एक गन", "गन, मल", "यह हत्या।", "हत्या", "ग\u200dन", "गनी गन", "गन\u0e34"):
        assert policy.refusal(ClipRequest(prompt=prompt)) is not None, prompt


def test_a_term_that_is_none_refuses_nothing() -> None:
    policy = TermPolicy("house", ("", "\u200b", "bomb"))
    assert policy.refusal(ClipRequest(prompt="a ball")) is None
    assert (
        policy.refusal(ClipRequest(prompt="a bomb")) == "the prompt holds the refused term 'bomb'"
    )


def test_terms_may_hold_what_nobody_sees(tmp_path: Path) -> None:
    (tmp_path / "terms.txt").write_text("mi\u200cravam\n", encoding="utf-8")
    policy = load_policy(str(tmp_path / "terms.txt"))
    for prompt in ("mi\u200cravam", "miravam", "MI\u200bRAVAM"):
        assert policy.refusal(ClipRequest(prompt=prompt)) is not None


@pytest.mark.parametrize("text", ["\ufeff# refused here\nbomb\n", "\u200b\nbomb\n"], ids=ascii)
def test_line_without_anything_to_see_is_no_term(text: str, tmp_path: Path) -> None:
    (tmp_path / "terms.txt").write_text(text, encoding="utf-8")
    policy = load_policy(str(tmp_path / "terms.txt"))
    assert policy.refusal(ClipRequest(prompt="a ball, a cube")) is None
    assert policy.refusal(ClipRequest(prompt="a bomb")) is not None


@pytest.mark.parametrize(
    "options",
    [{"call.prompt_2": "a bomb"}, {"call.x": {"template": ["{}", "BOMB"]}}, {"style": "bomb"}],
)
def test_terms_are_looked_for_in_options_too(terms: Path, options: dict[str, Any]) -> None:
    policy = load_policy(str(terms))
    reason = policy.refusal(ClipRequest(prompt="a ball", options=options))
    assert reason == "an option holds the refused term 'bomb'"
    passing = {"steps": 3, "bomb": None, "call.x": {"bomb": [1.5, True, "bombastic"]}}
    assert policy.refusal(ClipRequest(prompt="a ball", options=passing)) is None


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


def test_what_passes_leaves_no_record(
    terms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDIGREE_HOME", str(tmp_path / "none" / "records"))
    policy = load_policy(str(terms))
    enforce(policy, ClipRequest(prompt="a ball"))
    assert not (tmp_path / "none").exists()
    for _ in range(2):
        with pytest.raises(PolicyRefusalError):
            enforce(policy, ClipRequest(prompt="a bomb"))
    log = tmp_path / "none" / "records" / "refusals.jsonl"
    assert len(log.read_text().splitlines()) == 2


def test_a_refusal_that_cannot_be_recorded_is_none_that_passes(
    terms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDIGREE_HOME", str(tmp_path))
    (tmp_path / "refusals.jsonl").mkdir()
    with pytest.raises(OutputError, match="refusal cannot be recorded"):
        enforce(load_policy(str(terms)), ClipRequest(prompt="a bomb"))


def test_functions_decide_too(monkeypatch: pytest.MonkeyPatch) -> None:
    rules: Any = types.ModuleType("house_rules")
    rules.decide = lambda request: "no cubes" if "cube" in request.prompt else None
    monkeypatch.setitem(sys.modules, "house_rules", rules)
    policy = load_policy("house_rules:decide")
    assert policy.refusal(ClipRequest(prompt="a cube")) == "no cubes"
    assert policy.refusal(ClipRequest(prompt="a ball")) is None


def test_an_empty_reason_lets_pass_and_an_error_of_ours_is_passed_on() -> None:
    request = ClipRequest(prompt="a cube")
    assert CallablePolicy("rules:empty", lambda _: "").refusal(request) is None

    def broken(_: ClipRequest) -> str | None:
        raise EngineError("The judge is away.")

    with pytest.raises(EngineError, match="The judge is away"):
        CallablePolicy("rules:broken", broken).refusal(request)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("absent.txt", "no policy file absent.txt"),
        ("absent_module:decide", "cannot be imported"),
        ("os:absent", "cannot be imported"),
        ("os:sep", "is no function"),
        (":", "cannot be imported"),
        ("", "empty name"),
    ],
)
def test_policies_that_are_none_are_refused(source: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load_policy(source)


def test_a_list_that_is_no_text_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "terms.txt"
    path.write_bytes(b"caf\xe9\n")
    with pytest.raises(UsageError, match="cannot be read as UTF-8"):
        load_policy(str(path))


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
