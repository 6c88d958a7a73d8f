"""The truth table, one case a row, and its copy in the documentation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fixtures.truth_table import ROWS, verdict

from vidigree.detect.findings import Finding
from vidigree.detect.rules import RULES, Rule

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def test_every_row_of_the_table_has_a_case() -> None:
    assert list(ROWS) == [rule.name for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_row_decides_its_case(rule: Any) -> None:
    result = verdict(rule.name)
    assert result.reason == rule.name
    assert result.finding is rule.finding
    assert result.confidence is rule.confidence
    codes = {piece.code for piece in result.evidence}
    assert set(result.grounds) <= codes
    assert result.grounds or rule.name == "nothing-found"


def test_the_table_in_the_docs_is_the_table_in_the_code() -> None:
    page = (DOCS / "verdict.md").read_text(encoding="utf-8")
    written = re.findall(r"^\| \d+ \|.*$", page, re.MULTILINE)
    assert written == [_documented(number, rule) for number, rule in enumerate(RULES, 1)]


def _documented(number: int, rule: Rule) -> str:
    """Return the row of the documentation that says what a rule says."""
    quoted = [[f"`{code}`" for code in part] for part in (rule.all_of, rule.any_of, rule.none_of)]
    parts = [" and ".join(quoted[0])]
    parts += [f"any of {', '.join(quoted[1])}"] if quoted[1] else []
    parts += [f"none of {', '.join(quoted[2])}"] if quoted[2] else []
    condition = "; ".join(filter(None, parts)) or "always"
    finding, confidence = rule.finding.value, rule.confidence.value
    return f"| {number} | `{rule.name}` | `{finding}` | {confidence} | {condition} |"


def test_exit_codes_in_the_docs_are_those_in_the_code() -> None:
    page = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `([a-z-]+)` \|", page, re.MULTILINE)
    assert {name: int(code) for code, name in rows} == {
        finding.value: finding.exit_code for finding in Finding
    }
