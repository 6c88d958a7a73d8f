"""The four fields that a platform must be able to show."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from vidigree.detect.disclosure import disclosure
from vidigree.detect.readings import LedgerReading, NotChecked, Readings
from vidigree.watermark.method import MarkReading

GAP: Any = NotChecked(layer="credentials", why="a test")
SIGNED: Any = SimpleNamespace(
    status="present",
    integrity="intact",
    signer_trust="trusted",
    validity="valid",
    timestamp="absent",
    generator="Engine 1",
)
ABSENT: Any = SimpleNamespace(status="absent")
NO_MARK = MarkReading(method="robust", present=False)
BASE = Readings(credentials=ABSENT, marks=(NO_MARK,), classifier=GAP)


def test_signed_clip() -> None:
    found = disclosure(replace(BASE, credentials=SIGNED))
    assert found.to_dict() == {
        "provenance_available": True,
        "system": "Engine 1",
        "signature_available": True,
        "signature_valid": True,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [("integrity", "altered"), ("signer_trust", "unlisted"), ("validity", "expired")],
)
def test_a_signature_with_one_flaw_is_not_valid(name: str, value: str) -> None:
    flawed: Any = SimpleNamespace(**(vars(SIGNED) | {name: value}))
    assert disclosure(replace(BASE, credentials=flawed)).signature_valid is False


@pytest.mark.parametrize(
    ("timestamp", "valid"),
    [("trusted", True), ("unlisted", False), ("invalid", False), ("absent", False)],
)
def test_a_signature_that_rests_on_a_time_stamp_is_worth_what_that_is(
    timestamp: str, valid: bool
) -> None:
    late = {"validity": "valid-when-signed", "timestamp": timestamp}
    stamped: Any = SimpleNamespace(**(vars(SIGNED) | late))
    assert disclosure(replace(BASE, credentials=stamped)).signature_valid is valid


def test_clip_without_anything() -> None:
    found = disclosure(BASE)
    assert (found.provenance_available, found.signature_available) == (False, False)
    assert found.signature_valid is None


def test_a_mark_is_provenance_and_the_ledger_names_the_system() -> None:
    mark = replace(NO_MARK, present=True)
    entry = LedgerReading(found_by="mark", same_content=True, generated=True, engine="render")
    found = disclosure(replace(BASE, marks=(mark,), ledger=entry))
    assert (found.provenance_available, found.system) == (True, "render")


def test_a_clip_that_was_only_stamped_names_no_system() -> None:
    entry = LedgerReading(found_by="mark", same_content=True, generated=False, engine="external")
    assert disclosure(replace(BASE, ledger=entry)).system == ""


def test_the_word_for_clips_made_elsewhere_is_no_system() -> None:
    entry = LedgerReading(found_by="mark", same_content=True, generated=True, engine="external")
    assert disclosure(replace(BASE, ledger=entry)).system == ""
    named = replace(entry, model="Example 1", others=(replace(entry, engine="render"),))
    assert disclosure(replace(BASE, ledger=named)).system == "Example 1, render"


def test_what_was_not_looked_at_is_not_denied() -> None:
    found = disclosure(Readings(credentials=GAP, marks=GAP, ledger=GAP, classifier=GAP))
    assert found.provenance_available is None
    assert found.signature_available is None
