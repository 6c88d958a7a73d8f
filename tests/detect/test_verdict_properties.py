"""What holds of every verdict, whatever the layers read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fixtures.readings import (
    BOUND,
    CLEAN,
    CLIP_ID,
    ENTRY,
    LIKELY,
    MARK,
    NO_MARK,
    NONE,
    OURS,
    Binding,
    Classifier,
    Credentials,
    Ingredient,
    Labels,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from vidigree.detect.findings import Confidence, Finding
from vidigree.detect.readings import LedgerReading, NotChecked, Readings
from vidigree.detect.rules import RULES
from vidigree.detect.verdict import Verdict, judge
from vidigree.detect.wording import LANGUAGES
from vidigree.watermark.keyring import PUBLISHED_KEY

STRENGTH = {Confidence.LOW: 0, Confidence.MEDIUM: 1, Confidence.HIGH: 2}
SOURCES = (
    "generated",
    "generated-by-algorithm",
    "composite-with-generated",
    "captured",
    "edited",
    "unknown",
)
VALIDITIES = ("valid", "valid-when-signed", "expired", "not-yet-valid", "revoked", "unknown")
SYNTHETIC = {Finding.DECLARED_SYNTHETIC, Finding.MARKED_SYNTHETIC, Finding.RECOVERED}

trusts = st.sampled_from([("trusted", "list"), ("trusted", "own"), ("unlisted", None)])


def gaps(layer: Any) -> st.SearchStrategy[Any]:
    return st.builds(NotChecked, layer=st.just(layer), why=st.just("why"), asked=st.booleans())


@st.composite
def ingredients(draw: st.DrawFn) -> Ingredient:
    trust, by = draw(trusts)
    return Ingredient(
        integrity=draw(st.sampled_from(["intact", "altered", "unknown"])),
        relationship=draw(st.sampled_from(["parentOf", "inputTo"])),
        signer_trust=trust,
        trusted_by=by,
        validity=draw(st.sampled_from(VALIDITIES)),
        claimed_source=draw(st.sampled_from(SOURCES)),
        claim_of_parent=draw(st.booleans()),
    )


@st.composite
def credentials(draw: st.DrawFn) -> Credentials:
    trust, by = draw(trusts)
    integrity = draw(st.sampled_from(["intact", "altered", "unknown"]))
    whole = st.sampled_from(["intact", "altered", "unknown"])
    names = st.sampled_from(
        [(), BOUND.soft_bindings, (Binding(alg=OURS, value="published-1:" + "7" * 16),)]
    )
    return Credentials(
        status=draw(st.sampled_from(["present", "present", "present", "absent", "unreadable"])),
        integrity=integrity,
        manifest_integrity="intact" if integrity == "intact" else draw(whole),
        signer_trust=trust,
        trusted_by=by,
        validity=draw(st.sampled_from(VALIDITIES)),
        timestamp=draw(st.sampled_from(["trusted", "unlisted", "absent"])),
        claimed_source=draw(st.sampled_from(SOURCES)),
        claim_of_parent=draw(st.booleans()),
        soft_bindings=draw(names),
        ingredients=tuple(draw(st.lists(ingredients(), max_size=2))),
        labels=Labels(says_generated=draw(st.booleans()), named="AIGC 1"),
    )


marks = st.builds(
    lambda key_id, message: replace(MARK, key_id=key_id, message=message),
    st.sampled_from(["mk-1", PUBLISHED_KEY.key_id]),
    st.sampled_from([CLIP_ID, 7, None]),
)
entries = st.builds(
    lambda found_by, same, source, generated, passed_on, vouched: replace(
        ENTRY,
        found_by=found_by,
        same_content=True if found_by == "fingerprint" else same,
        claimed_source="generated" if generated else source,
        generated=generated,
        passed_on=generated and passed_on,
        vouched=vouched or not (generated and passed_on),
    ),
    st.sampled_from(["mark", "fingerprint"]),
    st.sampled_from([True, None, False]),
    st.sampled_from(["captured", "edited", "unknown"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
ledgers = st.one_of(st.just(LedgerReading()), st.just(LedgerReading(exists=False)), entries)
classifiers = st.sampled_from(
    [CLEAN.classifier, LIKELY, Classifier(status="abstained", reason="too-short", llr=None)]
)
readings = st.builds(
    Readings,
    credentials=st.one_of(credentials(), gaps("credentials")),
    marks=st.one_of(
        st.just((NO_MARK,)), st.lists(marks, min_size=1, max_size=2).map(tuple), gaps("mark")
    ),
    ledger=st.one_of(ledgers, gaps("ledger")),
    classifier=st.one_of(classifiers, gaps("classifier")),
)
many = settings(max_examples=150, deadline=None)


def codes(verdict: Verdict) -> set[str]:
    return {piece.code for piece in verdict.evidence}


@many
@given(readings)
def test_every_verdict_rests_on_what_was_seen_and_has_words(seen: Readings) -> None:
    verdict = judge(seen)
    rule = next(row for row in RULES if row.name == verdict.reason)
    assert set(rule.all_of) <= codes(verdict)
    assert set(verdict.grounds) <= codes(verdict)
    assert not set(rule.none_of) & codes(verdict)
    for language in LANGUAGES:
        row = verdict.to_dict(language=language)
        assert "authentic" not in f"{row['title']} {row['headline']}".lower()
        assert row["headline"]
        assert "{" not in row["headline"]


@many
@given(readings)
def test_a_recording_is_declared_by_a_listed_signer_alone_and_against_nothing(
    seen: Readings,
) -> None:
    verdict = judge(seen)
    if verdict.finding is not Finding.DECLARED_CAPTURED:
        return
    found = codes(verdict)
    assert {
        "credentials.intact",
        "credentials.signer-trusted",
        "credentials.says-captured",
    } <= found
    against = {
        "credentials.expired",
        "credentials.revoked",
        "credentials.claim-passed-on",
        "credentials.labelled-generated",
        "credentials.ingredient-generated",
        "credentials.ingredient-altered",
        "ledger.says-generated",
        "ledger.generated-unvouched",
        "ledger.transplanted",
        "classifier.likely-synthetic",
    }
    assert not against & found
    gap = any(code.endswith(".not-checked") for code in found)
    assert (verdict.confidence is Confidence.HIGH) is not gap


@many
@given(readings)
def test_high_rests_on_a_listed_signer_a_secret_key_or_the_ledger(seen: Readings) -> None:
    verdict = judge(seen)
    if verdict.finding in SYNTHETIC and verdict.confidence is Confidence.HIGH:
        assert codes(verdict) & {
            "credentials.signer-trusted",
            "credentials.signer-own",
            "mark.found",
            "ledger.entry-by-mark",
        }
    if verdict.finding is Finding.RECOVERED and "ledger.claim-passed-on" in codes(verdict):
        assert verdict.confidence is Confidence.MEDIUM


@many
@given(readings)
def test_an_unlisted_signer_makes_nothing_surer(seen: Readings) -> None:
    """Without its credentials, the same clip would be found at least as surely."""
    if isinstance(seen.credentials, NotChecked) or seen.credentials.signer_trust == "trusted":
        return
    verdict = judge(seen)
    if verdict.finding is Finding.CONTRADICTORY or verdict.confidence is Confidence.LOW:
        return
    stripped = judge(replace(seen, credentials=replace(NONE, labels=seen.credentials.labels)))
    assert verdict.finding in SYNTHETIC
    if verdict.confidence is Confidence.HIGH:
        assert STRENGTH[stripped.confidence] >= STRENGTH[verdict.confidence]


@many
@given(readings)
def test_the_classifier_overturns_nothing_and_vouches_for_nothing(seen: Readings) -> None:
    """It makes a clip likely synthetic at most, at low, and a recording doubtful."""
    calm = judge(replace(seen, classifier=CLEAN.classifier))
    alarm = judge(replace(seen, classifier=LIKELY))
    if alarm.reason == calm.reason:
        return
    assert alarm.confidence is Confidence.LOW
    assert alarm.finding in {Finding.LIKELY_SYNTHETIC, Finding.INCONCLUSIVE}
    assert calm.finding in {
        Finding.DECLARED_CAPTURED,
        Finding.INCONCLUSIVE,
        Finding.NO_EVIDENCE,
    }


@many
@given(readings)
def test_what_was_not_looked_at_is_never_no_evidence_nor_makes_surer(seen: Readings) -> None:
    broken: Any = NotChecked(layer="classifier", why="it is broken")
    verdict = judge(replace(seen, classifier=broken))
    assert verdict.finding is not Finding.NO_EVIDENCE
    calm = judge(replace(seen, classifier=CLEAN.classifier))
    assert STRENGTH[verdict.confidence] <= STRENGTH[calm.confidence]


@many
@given(readings)
def test_what_nobody_vouches_for_in_the_ledger_makes_no_recording_synthetic(seen: Readings) -> None:
    """Beside a listed signer's capture claim it leaves the clip undecided, at most."""
    nothing = judge(replace(seen, ledger=LedgerReading()))
    for found_by in ("mark", "fingerprint"):
        entry = replace(ENTRY, found_by=found_by, passed_on=True, vouched=False, same_content=True)
        unvouched = judge(replace(seen, ledger=entry))
        if nothing.finding is Finding.DECLARED_CAPTURED:
            assert unvouched.reason == "capture-against-unvouched-entry"
        silent = replace(entry, claimed_source="unknown", generated=False, passed_on=False)
        if unvouched.finding is Finding.CONTRADICTORY:
            assert judge(replace(seen, ledger=silent)).finding is Finding.CONTRADICTORY


@many
@given(readings)
def test_contradictions_are_named(seen: Readings) -> None:
    verdict = judge(seen)
    named = {
        "consistency.capture-over-mark",
        "consistency.capture-over-ledger",
        "consistency.binding-mismatch",
        "ledger.transplanted",
        "credentials.ingredient-altered",
    }
    if named & codes(verdict):
        assert verdict.finding is Finding.CONTRADICTORY
    if "credentials.altered" in codes(verdict):
        confirmed = "consistency.binding-confirmed" in codes(verdict)
        assert confirmed or verdict.finding is Finding.CONTRADICTORY


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_no_row_but_the_last_fits_without_evidence(rule: Any) -> None:
    assert rule.fits(()) is (rule.name == "nothing-found")
