"""Evidence that somebody forged, moved or mixed makes no stronger verdict than it deserves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fixtures.readings import (
    BOUND,
    CAPTURED,
    CLEAN,
    ENTRY,
    GENERATED,
    LIKELY,
    MARK,
    NO_MARK,
    NONE,
    OURS,
    Binding,
    Credentials,
    Ingredient,
    Labels,
)

from vidigree.detect.findings import Confidence, Finding
from vidigree.detect.readings import NotChecked
from vidigree.detect.verdict import judge
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.method import MarkReading


@pytest.mark.parametrize("source", ["generated", "edited", "unknown"])
@pytest.mark.parametrize(
    ("whole", "code", "reason"),
    [
        ("intact", "consistency.binding-confirmed", None),
        ("unknown", None, "content-altered"),
        ("altered", None, "content-altered"),
    ],
)
def test_a_manifest_that_is_not_whole_is_confirmed_by_no_mark(
    source: str, whole: str, code: str | None, reason: str | None
) -> None:
    """Anybody can write the name of a mark into a manifest, and make that mark."""
    credentials = replace(
        BOUND, claimed_source=source, integrity="altered", manifest_integrity=whole
    )
    result = judge(replace(CLEAN, credentials=credentials, marks=(MARK,)))
    told = [piece.code for piece in result.evidence if piece.layer == "consistency"]
    assert told == ([code] if code else [])
    assert (result.reason == "content-altered") is (reason is not None)


@pytest.mark.parametrize(
    ("whole", "reason"), [("unknown", "binding-mismatch"), ("altered", "content-altered")]
)
def test_a_broken_manifest_names_no_other_clip(whole: str, reason: str) -> None:
    credentials = replace(BOUND, integrity=whole, manifest_integrity=whole)
    other = replace(MARK, message=7)
    assert judge(replace(CLEAN, credentials=credentials, marks=(other,))).reason == reason


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(
    ("integrity", "material", "message", "code"),
    [
        ("intact", "intact", 7, "mark-of-material"),
        ("intact", "intact", 8, "binding-mismatch"),
        ("intact", "altered", 7, "binding-mismatch"),
        ("intact", "unknown", 7, "binding-mismatch"),
        ("unknown", "intact", 7, "binding-mismatch"),
        ("altered", "intact", 7, "binding-mismatch"),
    ],
)
def test_only_whole_material_of_a_whole_clip_explains_another_mark(
    integrity: str, material: str, message: int, code: str, deep: bool
) -> None:
    """Who has the key of the first stamp alone reads its mark, under credentials of the second."""
    part = Ingredient(integrity=material, soft_bindings=(Binding(alg=OURS, value=f"{7:016x}"),))
    parts = (Ingredient(ingredients=(part,)),) if deep else (part,)
    credentials = replace(BOUND, integrity=integrity, ingredients=parts, signer_trust="unlisted")
    result = judge(replace(CLEAN, credentials=credentials, marks=(replace(MARK, message=message),)))
    (piece,) = [piece for piece in result.evidence if piece.layer == "consistency"]
    assert piece.code == f"consistency.{code}"
    assert piece.values == {"bound": f"{0xAB:016x}", "read": f"{message:016x}"}
    explained = code == "mark-of-material"
    assert (result.finding is Finding.CONTRADICTORY) is not explained
    assert result.reason == "generated-unverified-signer" or not explained


def test_a_foreign_mark_in_a_picture_stamped_here_is_not_passed_over() -> None:
    """The ledger knows the picture, and nothing of who put that mark into it, or why."""
    entry = replace(ENTRY, found_by="fingerprint", claimed_source="captured", generated=False)
    readings = replace(CLEAN, credentials=CAPTURED, ledger=entry)
    for mark in (MARK, replace(MARK, message=None)):
        result = judge(replace(readings, marks=(mark,)))
        assert result.reason == "issued-as-captured"
        (piece,) = [piece for piece in result.evidence if piece.layer == "consistency"]
        assert piece.code == "consistency.capture-beside-mark"
        assert piece.values == {"clip_id": ENTRY.clip_id, "key_id": "mk-1"}


def test_a_mark_whose_picture_is_only_loosely_its_own_vouches_for_no_recording() -> None:
    entry = replace(ENTRY, same_content=None, claimed_source="captured", generated=False)
    readings = replace(CLEAN, credentials=CAPTURED, marks=(MARK,), ledger=entry)
    assert judge(readings).reason == "issued-as-captured"


@pytest.mark.parametrize(
    ("mark", "found_by"), [(NO_MARK, "fingerprint"), (MARK, "mark")], ids=["original", "stamped"]
)
def test_a_stamp_does_not_make_a_recording_of_what_was_issued_as_generated(
    mark: MarkReading, found_by: str
) -> None:
    before = replace(ENTRY, found_by="fingerprint", clip_id="7" * 16)
    stamped = replace(ENTRY, found_by=found_by, claimed_source="captured", generated=False)
    entry = replace(stamped, others=(before,))
    result = judge(replace(CLEAN, credentials=CAPTURED, marks=(mark,), ledger=entry))
    assert result.reason == "capture-over-ledger"
    (piece,) = [piece for piece in result.evidence if piece.layer == "consistency"]
    assert piece.values == {"clip_id": "7" * 16}
    unsigned = judge(replace(CLEAN, marks=(mark,), ledger=entry))
    assert unsigned.finding is Finding.RECOVERED


def test_a_mark_that_anybody_can_make_confirms_no_unlisted_signer() -> None:
    """Recordings of others can be marked with the published key, and signed as generated."""
    unlisted = replace(BOUND, signer_trust="unlisted")
    published = replace(MARK, key_id=PUBLISHED_KEY.key_id)
    result = judge(replace(CLEAN, credentials=unlisted, marks=(published,)))
    assert (result.reason, result.confidence) == ("generated-unverified-signer", Confidence.MEDIUM)
    assert "consistency.binding-confirmed" in {piece.code for piece in result.evidence}


@pytest.mark.parametrize("source", ["captured", "unknown"])
def test_an_unlisted_signer_is_not_confirmed_where_the_ledger_has_another_word(source: str) -> None:
    unlisted = replace(BOUND, signer_trust="unlisted")
    entry = replace(ENTRY, claimed_source=source, generated=False)
    for key_id in ("mk-1", PUBLISHED_KEY.key_id):
        marks = (replace(MARK, key_id=key_id),)
        result = judge(replace(CLEAN, credentials=unlisted, marks=marks, ledger=entry))
        assert result.reason == "generated-unverified-signer"


@pytest.mark.parametrize(
    ("same", "reason"),
    [(True, "recovered-by-fingerprint"), (None, "recovered-by-fingerprint")],
)
@pytest.mark.parametrize("credentials", [NONE, replace(GENERATED, signer_trust="unlisted")])
def test_a_likeness_is_not_surer_for_the_mark_of_a_stamp(
    same: bool | None, reason: str, credentials: Credentials
) -> None:
    """The mark leads to a clip that was stamped; only the picture says that it was generated."""
    before = replace(ENTRY, found_by="fingerprint", clip_id="7" * 16)
    stamped = replace(
        ENTRY, claimed_source="captured", generated=False, same_content=same, others=(before,)
    )
    result = judge(replace(CLEAN, credentials=credentials, marks=(MARK,), ledger=stamped))
    assert result.confidence is Confidence.MEDIUM
    assert result.reason == (reason if credentials is NONE else "generated-unverified-signer")


def test_a_moved_mark_beside_that_of_a_stamp_is_not_surer_for_it() -> None:
    moved = replace(ENTRY, same_content=None, clip_id="7" * 16)
    stamped = replace(ENTRY, claimed_source="captured", generated=False, others=(moved,))
    marks = (MARK, replace(MARK, message=7))
    result = judge(replace(CLEAN, marks=marks, ledger=stamped))
    assert (result.reason, result.confidence) == (
        "recovered-content-unchecked",
        Confidence.MEDIUM,
    )


def test_what_the_ledger_only_passes_on_is_no_surer_than_in_a_file() -> None:
    """Whoever has a clip stamped chooses what it says of its material."""
    passed_on = replace(CLEAN, marks=(MARK,), ledger=replace(ENTRY, passed_on=True))
    result = judge(passed_on)
    assert (result.reason, result.confidence) == ("recovered-claim-passed-on", Confidence.MEDIUM)
    for key_id in ("mk-1", PUBLISHED_KEY.key_id):
        unlisted = replace(BOUND, signer_trust="unlisted")
        marks = (replace(MARK, key_id=key_id),)
        result = judge(replace(passed_on, credentials=unlisted, marks=marks))
        assert result.reason == "generated-unverified-signer"


def test_of_several_entries_one_that_its_issuer_calls_generated_is_enough() -> None:
    other = replace(ENTRY, clip_id="7" * 16)
    entry = replace(ENTRY, passed_on=True, others=(other,))
    assert judge(replace(CLEAN, marks=(MARK,), ledger=entry)).reason == "recovered-by-mark"
    moved = replace(entry, others=(replace(other, same_content=False),))
    codes = {piece.code for piece in judge(replace(CLEAN, marks=(MARK,), ledger=moved)).evidence}
    assert "ledger.claim-passed-on" in codes


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "capture-against-label"),
        ({"integrity": "altered"}, "content-altered"),
        ({"integrity": "unknown"}, "labelled-generated"),
        ({"signer_trust": "unlisted"}, "labelled-generated"),
        ({"trusted_by": "own"}, "labelled-generated"),
        ({"validity": "expired"}, "labelled-generated"),
        ({"validity": "not-yet-valid"}, "labelled-generated"),
        ({"validity": "revoked"}, "labelled-generated"),
        ({"validity": "unknown"}, "labelled-generated"),
        ({"claim_of_parent": True}, "labelled-generated"),
        ({"claimed_source": "edited"}, "labelled-generated"),
    ],
)
def test_a_label_beside_a_trusted_capture_claim_is_named(
    changes: dict[str, Any], reason: str
) -> None:
    labels = Labels(says_generated=True, named="AIGC 1")
    for classifier in (CLEAN.classifier, NotChecked(layer="classifier", why="it is broken")):
        credentials = replace(CAPTURED, labels=labels, **changes)
        result = judge(replace(CLEAN, credentials=credentials, classifier=classifier))
        assert result.reason == reason


@pytest.mark.parametrize("source", ["edited", "unknown"])
def test_generated_material_is_not_passed_over_where_integrity_is_unknown(source: str) -> None:
    material = (Ingredient(claimed_source="generated"),)
    credentials = replace(
        GENERATED, claimed_source=source, integrity="unknown", ingredients=material
    )
    result = judge(replace(CLEAN, credentials=credentials))
    assert (result.finding, result.reason) == (Finding.INCONCLUSIVE, "claim-unverified")


@pytest.mark.parametrize("validity", ["expired", "not-yet-valid", "revoked", "unknown"])
@pytest.mark.parametrize(
    "classifier", [CLEAN.classifier, LIKELY, NotChecked(layer="classifier", why="it is broken")]
)
def test_a_certificate_that_is_not_good_vouches_for_nothing(validity: str, classifier: Any) -> None:
    base = replace(CLEAN, classifier=classifier)
    for trusted_by in ("list", "own"):
        generated = replace(GENERATED, validity=validity, trusted_by=trusted_by)
        result = judge(replace(base, credentials=generated))
        assert result.reason == "generated-unverified-signer"
    result = judge(replace(base, credentials=replace(CAPTURED, validity=validity)))
    reason = "classifier" if classifier is LIKELY else "capture-unverified"
    assert result.reason == reason
    shown = {"unknown": "validity-unknown"}.get(validity, validity)
    assert f"credentials.{shown}" in {piece.code for piece in result.evidence}


LISTED = {"signer_trust": "trusted", "trusted_by": "list"}


def passed_on(source: str, *parents: Ingredient, **changes: Any) -> Credentials:
    """Return what a listed signer took over from parents."""
    return replace(
        CAPTURED, claimed_source=source, claim_of_parent=True, ingredients=parents, **changes
    )


@pytest.mark.parametrize(
    ("changes", "vouched"),
    [
        (LISTED, True),
        ({}, False),
        (LISTED | {"signer_trust": "unlisted"}, False),
        (LISTED | {"relationship": "inputTo"}, False),
        (LISTED | {"integrity": "unknown"}, False),
        (LISTED | {"validity": "expired"}, False),
        (LISTED | {"validity": "revoked"}, False),
        (LISTED | {"validity": "valid-when-signed"}, False),
        (LISTED | {"validity": "valid-when-signed", "timestamp": "trusted"}, True),
        (LISTED | {"validity": "valid-when-signed", "timestamp": "unlisted"}, False),
        (LISTED | {"claimed_source": "edited"}, False),
        (LISTED | {"claim_of_parent": True}, False),
    ],
)
def test_a_listed_signer_lends_its_name_to_nobody_else_s_claim(
    changes: dict[str, Any], vouched: bool
) -> None:
    """Whoever opens a clip and signs it as that has not said where it comes from."""
    parent = Ingredient(**({"claimed_source": "captured"} | changes))
    result = judge(replace(CLEAN, credentials=passed_on("captured", parent)))
    assert result.reason == ("captured-trusted" if vouched else "capture-unverified")
    told = "credentials.claim-passed-on" in {piece.code for piece in result.evidence}
    assert told is not vouched


@pytest.mark.parametrize(
    ("trusted_by", "captured", "generated"),
    [
        ("list", "captured-trusted", "generated-trusted"),
        ("own", "capture-unverified", "generated-trusted"),
        (None, "capture-unverified", "generated-unverified-signer"),
    ],
)
def test_a_claim_that_is_passed_on_counts_as_its_first_signer(
    trusted_by: str | None, captured: str, generated: str
) -> None:
    trust = {"signer_trust": "trusted" if trusted_by else "unlisted", "trusted_by": trusted_by}
    for source, reason in (("captured", captured), ("generated", generated)):
        first = Ingredient(claimed_source=source, **trust)
        chain = Ingredient(
            claimed_source=source, claim_of_parent=True, ingredients=(first,), **LISTED
        )
        for parent in (first, chain):
            credentials = passed_on(source, parent)
            assert judge(replace(CLEAN, credentials=credentials)).reason == reason


def test_a_parent_vouches_for_no_claim_that_it_does_not_make() -> None:
    camera = Ingredient(claimed_source="captured", **LISTED)
    result = judge(replace(CLEAN, credentials=passed_on("generated", camera)))
    assert result.reason == "generated-unverified-signer"
    assert "credentials.claim-passed-on" in {piece.code for piece in result.evidence}


def test_a_trusted_stamp_of_the_successor_shows_that_the_parent_s_certificate_was_good() -> None:
    first = Ingredient(claimed_source="captured", validity="valid-when-signed", **LISTED)
    for stamp, reason in (("trusted", "captured-trusted"), ("unlisted", "capture-unverified")):
        credentials = passed_on("captured", first, timestamp=stamp)
        assert judge(replace(CLEAN, credentials=credentials)).reason == reason
    middle = replace(
        first, claim_of_parent=True, ingredients=(first,), timestamp="unlisted", validity="valid"
    )
    credentials = passed_on("captured", middle, timestamp="trusted")
    assert judge(replace(CLEAN, credentials=credentials)).reason == "capture-unverified"


def test_of_several_parents_one_that_is_vouched_for_is_enough() -> None:
    known = Ingredient(claimed_source="generated", **LISTED)
    unknown = Ingredient(claimed_source="generated")
    for parents, reason in (
        ((unknown, known), "generated-trusted"),
        ((unknown, unknown), "generated-unverified-signer"),
    ):
        credentials = passed_on("composite-with-generated", *parents)
        assert judge(replace(CLEAN, credentials=credentials)).reason == reason
