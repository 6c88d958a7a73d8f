"""Every verdict has words, in every language alike."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from fixtures.readings import CLEAN, Classifier
from fixtures.truth_table import ROWS, verdict

from vidigree.detect.classifier import ABSTENTIONS
from vidigree.detect.evidence import LAYERS
from vidigree.detect.findings import Finding
from vidigree.detect.policy import PolicyAction
from vidigree.detect.verdict import judge
from vidigree.detect.wording import LANGUAGES, wording


def test_no_finding_says_authentic() -> None:
    for language in LANGUAGES:
        for finding in Finding:
            assert "authentic" not in wording(language).title(finding).lower()
    assert all("authentic" not in finding.value for finding in Finding)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ROWS)
def test_every_verdict_has_words(name: str, language: str) -> None:
    row = verdict(name).to_dict(language=language)
    assert row["title"]
    assert row["headline"]
    for piece in row["evidence"]:
        for part in ("says", "proves", "does_not_prove"):
            assert piece[part]
            assert "{" not in piece[part]
        assert piece["layer"] in LAYERS
    json.dumps(row, allow_nan=False)


def test_languages_have_the_same_keys_and_placeholders() -> None:
    def shape(table: Any, path: str = "") -> dict[str, Any]:
        if isinstance(table, str):
            return {path: sorted(set(re.findall(r"{(\w+)}", table)))}
        rows: dict[str, Any] = {}
        for key, value in table.items():
            rows |= shape(value, f"{path}/{key}")
        return rows

    english = shape(wording("en").table)
    for language in LANGUAGES:
        assert shape(wording(language).table) == english


def test_every_reason_to_abstain_has_words() -> None:
    for language in LANGUAGES:
        assert set(wording(language).table["abstention"]) == set(ABSTENTIONS)
    abstained = Classifier(status="abstained", reason="too-short", llr=None, p_value=None)
    verdict = judge(replace(CLEAN, classifier=abstained))
    assert "the clip is too short" in verdict.headline()
    assert "视频太短" in verdict.headline("zh")


def test_every_action_of_a_policy_has_words() -> None:
    decision = {"policy": "platform 1", "action": "review", "row": "finding.x", "reason": "So."}
    for language in LANGUAGES:
        assert set(wording(language).table["action"]) == {action.value for action in PolicyAction}
    assert wording("en").decision(decision) == "policy platform 1: review. So."
    assert "人工复核" in wording("zh").decision(decision)
    assert "review" not in wording("zh").decision(decision)
