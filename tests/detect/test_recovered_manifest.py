"""The tree of manifests shows a recovered one as what it is: whole, beside other bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fixtures.issued import CLIP_ID
from fixtures.readings import CLEAN, ENTRY

from vidigree.detect.look_up import look_up
from vidigree.detect.report.manifest_tree import Node, manifest_tree
from vidigree.detect.verdict import judge
from vidigree.detect.wording import LANGUAGES, wording
from vidigree.watermark.credentials import TrustSettings
from vidigree.watermark.fingerprint import fingerprint_video
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.method import MarkReading

RECOVERED = {
    "status": "present",
    "recovered": True,
    "integrity": "altered",
    "manifest_integrity": "intact",
    "content_binding": "mismatch",
    "claimed_source": "generated",
    "signer_trust": "unlisted",
    "validity": "valid",
}


def tree(**changes: Any) -> Node:
    ledger = replace(ENTRY, credentials=RECOVERED | changes)
    (node,) = manifest_tree(judge(replace(CLEAN, ledger=ledger)).to_dict())
    return node


def test_other_bytes_under_a_whole_manifest_are_no_alteration() -> None:
    answers = dict(tree().answers)
    assert (answers["manifest_integrity"], answers["content_binding"]) == ("intact", "mismatch")
    assert "altered" not in answers.values()
    assert "integrity" not in answers
    assert (answers["signer_trust"], answers["validity"]) == ("unlisted", "valid")


@pytest.mark.parametrize("language", LANGUAGES)
def test_they_are_not_called_unchanged(language: str) -> None:
    words = wording(language)
    assert words.value("mismatch") not in {words.value("intact"), words.value("altered")}
    for name, _ in tree().answers:
        assert words.table["answer"][name]


def test_a_manifest_that_was_altered_is_still_called_so() -> None:
    answers = dict(tree(manifest_integrity="altered").answers)
    assert (answers["manifest_integrity"], answers["content_binding"]) == ("altered", "mismatch")


@pytest.mark.parametrize(
    "changes",
    [
        {"content_binding": "match", "integrity": "intact"},
        {"content_binding": "not-checked", "integrity": "unknown"},
        {"recovered": False},
    ],
)
def test_elsewhere_integrity_is_one_answer(changes: dict[str, Any]) -> None:
    answers = dict(tree(**changes).answers)
    assert answers["integrity"] == changes.get("integrity", "altered")
    assert "content_binding" not in answers


def test_the_manifest_of_a_whole_entry_is_read_so(clip: Path, issued: Path) -> None:
    """The clip without credentials, as a copy has it, beside what was issued."""
    mark = MarkReading(method="robust", present=True, message=CLIP_ID, scale=1.0, rotation=0.0)
    with Ledger.open() as ledger:
        reading = look_up(
            clip,
            marks=[mark],
            fingerprint=fingerprint_video(clip),
            ledger=ledger,
            trust=TrustSettings(),
        )
    (node,) = manifest_tree(judge(replace(CLEAN, ledger=reading)).to_dict())
    answers = dict(node.answers)
    assert (answers["manifest_integrity"], answers["content_binding"]) == ("intact", "mismatch")
