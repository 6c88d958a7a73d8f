"""Policies: complete or refused, and every finding gets the action that its row says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vidigree.detect.findings import Confidence, Finding
from vidigree.detect.policy import POLICY_NAMES, PolicyAction, load_policy
from vidigree.detect.readings import NotChecked, Readings
from vidigree.detect.verdict import Verdict, judge
from vidigree.media import UsageError

ROOT = Path(__file__).resolve().parent.parent.parent
SYNTHETIC = "The file says itself that it is synthetic: AI-generated or rendered."
PLATFORM = (ROOT / "detect" / "policies" / "platform.toml").read_text(encoding="utf-8")

WITHOUT = PLATFORM[: PLATFORM.index("[[overrule]]")]


def verdict(finding: Finding, **changes: Any) -> Verdict:
    nothing = NotChecked(layer="credentials", why="a test")
    empty = judge(Readings(credentials=nothing, classifier=nothing))
    return replace(empty, finding=finding, reason="", **changes)


@pytest.mark.parametrize("name", POLICY_NAMES)
@pytest.mark.parametrize("finding", Finding)
def test_shipped_policies_decide_every_finding(name: str, finding: Finding) -> None:
    decision = load_policy(name).decide(verdict(finding, confidence=Confidence.HIGH))
    assert decision.row == f"finding.{finding.value}"
    assert decision.reason
    assert (decision.action is PolicyAction.LABEL) == bool(decision.label)


def test_every_shipped_policy_is_listed() -> None:
    files = (ROOT / "detect" / "policies").glob("*.toml")
    assert sorted(path.stem for path in files) == list(POLICY_NAMES)


def test_an_overruling_row_wins_over_the_finding() -> None:
    policy = load_policy("platform")
    weak = policy.decide(verdict(Finding.MARKED_SYNTHETIC, confidence=Confidence.MEDIUM))
    strong = policy.decide(verdict(Finding.MARKED_SYNTHETIC, confidence=Confidence.HIGH))
    assert (weak.action, weak.row) == (PolicyAction.REVIEW, "overrule.1")
    assert strong.action is PolicyAction.LABEL
    other = policy.decide(verdict(Finding.CONTRADICTORY, confidence=Confidence.MEDIUM))
    assert other.action is PolicyAction.BLOCK


def test_an_overruling_row_can_name_a_row_of_the_truth_table() -> None:
    moved = replace(verdict(Finding.CONTRADICTORY), reason="transplanted-mark")
    assert load_policy("platform").decide(moved).action is PolicyAction.REVIEW
    assert (
        load_policy("platform").decide(verdict(Finding.CONTRADICTORY)).action is PolicyAction.BLOCK
    )


def test_an_overruling_row_holds_for_the_rows_that_it_names_and_no_others(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    rows = next(block for block in page.split("```")[1::2] if "capture-over-weak-mark" in block)
    several = rows.removeprefix("toml\n")
    one = re.sub(r"because = .*", 'because = "capture-over-mark"', several)
    for text, action in ((several, PolicyAction.REVIEW), (one, PolicyAction.BLOCK)):
        path = tmp_path / "policy.toml"
        path.write_text(f"{BARE}\n{text}", encoding="utf-8")
        policy = load_policy(str(path))
        for reason, done in (
            ("capture-over-mark", PolicyAction.REVIEW),
            ("capture-over-mark-unchecked", action),
            ("capture-over-weak-mark", action),
            ("capture-over-ledger", PolicyAction.BLOCK),
        ):
            found = replace(verdict(Finding.CONTRADICTORY), reason=reason)
            assert policy.decide(found).action is done


def test_a_mark_whose_picture_is_not_recognised_labels_nobody_s_recording_without_a_look() -> None:
    for reason, action in (
        ("recovered-content-unchecked", PolicyAction.REVIEW),
        ("recovered-by-mark", PolicyAction.LABEL),
    ):
        found = replace(verdict(Finding.RECOVERED), reason=reason)
        assert load_policy("platform").decide(found).action is action


def test_unreadable_files_have_a_row() -> None:
    assert load_policy("platform").decide_unreadable().action is PolicyAction.BLOCK


BARE = re.sub(r"\[\[overrule\]\]\n(?:.+\n)*", "", PLATFORM)
"""Without its overruling rows."""

DONE = 'action = "review"\nreason = "It is to be looked at."\n'

BROKEN = {
    "a finding is missing": (PLATFORM.replace("[finding.recovered]", "[unused]"), "unknown keys"),
    "a finding is absent": (
        PLATFORM.replace("[finding.recovered]", "[finding.declared-captured-2]"),
        "nothing about recovered",
    ),
    "an unknown action": (
        PLATFORM.replace('"review"', '"delete"', 1),
        "finding.likely-synthetic: 'delete' is none of allow, label, review, block",
    ),
    "a mistyped key of a finding": (
        PLATFORM.replace("label = ", "lable = ", 1),
        "finding.declared-synthetic has unknown keys: lable",
    ),
    "a mistyped condition": (
        PLATFORM.replace("confidence = ", "confidance = "),
        "overrule.1 has unknown keys: confidance",
    ),
    "an overruling row that is no table": (
        f"overrule = [3]\n{WITHOUT}",
        "overrule.1 is not a table",
    ),
    "no reason": (
        PLATFORM.replace(
            'reason = "The file says itself that it is synthetic: AI-generated or rendered."', ""
        ),
        "gives no reason",
    ),
    "an unknown reason row": (PLATFORM.replace("transplanted-mark", "no-such-row"), "no-such-row"),
    "a row without condition": (PLATFORM.replace('because = "transplanted-mark"', ""), "condition"),
    "not TOML": ("[[", "not TOML"),
    "no unreadable row": (
        PLATFORM.replace("[unreadable]", "[finding.no-such-finding]"),
        "no-such-finding",
    ),
    "nothing on unreadable files": (PLATFORM[: PLATFORM.index("[unreadable]")], "cannot be read"),
    "findings that are text": ('finding = "x"\n', "finding is not a table"),
    "a finding that is a number": (
        re.sub(r"\[finding\.recovered\]\n(?:.+\n)*", "[finding]\nrecovered = 3\n", PLATFORM),
        "finding.recovered is not a table",
    ),
    "a row that never fits": (
        PLATFORM.replace('confidence = ["medium"]', 'confidence = ["low"]'),
        "fits no row of the truth table",
    ),
    "a name that is a number": (PLATFORM.replace('name = "platform"', "name = 1"), "name is not"),
    "a version that is a number": (PLATFORM.replace('version = "3"', "version = 3"), "version is"),
    "a label that is a number": (
        PLATFORM.replace('label = "Synthetic"', "label = 1", 1),
        "label is not text",
    ),
    "a key that is misspelt": (PLATFORM.replace("label =", "labl =", 1), "unknown keys: labl"),
    "overruling rows that are a number": (f"overrule = 5\n{BARE}", "overrule is not a list"),
    "an overruling row that is a number": (f"overrule = [5]\n{BARE}", "overrule.1 is not a table"),
    **{
        f"an overruling row with {condition}": (f"{BARE}\n[[overrule]]\n{condition}\n{DONE}", says)
        for condition, says in (
            ("confidence = 5", "confidence is not a list"),
            ('confidence = "high"', "confidence is not a list"),
            ('confidence = ["higher"]', "'higher' is none of"),
            ('because = ["transplanted-mark", "no-such-row"]', "no row 'no-such-row'"),
            ("because = [1]", "no row 1"),
            ("because = []", "because names no row"),
            ('finding = "recovered"\nbecause = ""', "no row ''"),
            ("because = 5", "because, of several rows, is not a list"),
            ('finding = ["recovered"]', "is none of"),
            ('finding = "recovered"\nfinally = 1', "unknown keys: finally"),
            ('finding = "recovered"\nlabel = 1', "label is not text"),
        )
    },
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_policy_is_refused_with_a_reason(case: str, tmp_path: Path) -> None:
    text, says = BROKEN[case]
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=says):
        load_policy(str(path))


def test_an_unknown_policy_names_those_that_ship() -> None:
    with pytest.raises(UsageError, match="newsroom"):
        load_policy("no-such-policy")
