"""What the verdict makes of readings that lie beside the cases of the truth table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from fixtures.readings import (
    ABSTAINED,
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
    Signer,
)
from fixtures.truth_table import verdict

from vidigree.detect.findings import Confidence, Finding
from vidigree.detect.readings import LedgerReading, NotChecked
from vidigree.detect.verdict import judge
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.method import MarkReading, MarkSegment


def test_a_mark_on_altered_content_that_names_the_same_clip_is_not_a_contradiction() -> None:
    readings = replace(
        CLEAN, credentials=replace(BOUND, integrity="altered"), marks=(MARK,), ledger=ENTRY
    )
    assert judge(readings).finding is Finding.RECOVERED


def test_a_capture_stamped_here_does_not_contradict_its_own_mark() -> None:
    readings = replace(
        CLEAN,
        credentials=CAPTURED,
        marks=(MARK,),
        ledger=replace(ENTRY, claimed_source="captured", generated=False),
    )
    assert judge(readings).finding is not Finding.CONTRADICTORY


@pytest.mark.parametrize("source", ["captured", "edited", "unknown"])
@pytest.mark.parametrize(
    ("mark", "found_by"), [(NO_MARK, "fingerprint"), (MARK, "mark")], ids=["original", "stamped"]
)
@pytest.mark.parametrize(
    ("classifier", "reason"),
    [
        (CLEAN.classifier, "captured-trusted"),
        (LIKELY, "capture-against-classifier"),
        (NotChecked(layer="classifier", why="it is broken"), "captured-trusted-unchecked"),
    ],
)
def test_a_recording_is_judged_alike_whether_or_not_it_was_stamped_here(
    source: str, mark: MarkReading, found_by: str, classifier: Any, reason: str
) -> None:
    entry = replace(ENTRY, found_by=found_by, claimed_source=source, generated=False)
    readings = replace(CLEAN, credentials=CAPTURED, classifier=classifier)
    assert judge(readings).reason == reason
    assert judge(replace(readings, marks=(mark,), ledger=entry)).reason == reason


def test_an_untrusted_recording_that_was_stamped_here_stays_inconclusive() -> None:
    entry = replace(ENTRY, claimed_source="captured", generated=False)
    readings = replace(CLEAN, marks=(MARK,), ledger=entry)
    claims = (NONE, replace(CAPTURED, trusted_by="own"), replace(CAPTURED, validity="expired"))
    for credentials in claims:
        result = judge(replace(readings, credentials=credentials))
        assert (result.reason, result.finding) == ("issued-as-captured", Finding.INCONCLUSIVE)
        assert "no longer" not in result.headline()


@pytest.mark.parametrize(
    ("mark", "entry"),
    [
        pytest.param(MARK, ENTRY, id="of a clip that was issued as generated"),
        pytest.param(MARK, LedgerReading(), id="that the ledger does not know"),
        pytest.param(
            replace(MARK, message=7), replace(ENTRY, generated=False), id="of another clip"
        ),
    ],
)
def test_a_capture_claim_over_any_other_mark_is_a_contradiction(
    mark: MarkReading, entry: LedgerReading
) -> None:
    result = judge(replace(CLEAN, credentials=CAPTURED, marks=(mark,), ledger=entry))
    assert result.reason == "capture-over-mark"
    (piece,) = [piece for piece in result.evidence if piece.layer == "consistency"]
    assert piece.values == {"key_id": "mk-1"}


@pytest.mark.parametrize(
    ("ledger", "reason"),
    [
        (NotChecked(layer="ledger", why="it is locked"), "capture-over-mark-unchecked"),
        (NotChecked(layer="ledger", why="", asked=True), "capture-over-mark-unchecked"),
        (LedgerReading(exists=False), "capture-over-mark"),
        (LedgerReading(), "capture-over-mark"),
        (ENTRY, "capture-over-mark"),
    ],
    ids=["locked", "left out", "none", "unknown", "generated"],
)
def test_a_mark_over_a_capture_claim_is_surer_where_the_ledger_was_asked(
    ledger: LedgerReading | NotChecked, reason: str
) -> None:
    """A recording that was only stamped carries a mark too, and the ledger may know it as that."""
    result = judge(replace(CLEAN, credentials=CAPTURED, marks=(MARK,), ledger=ledger))
    assert (result.finding, result.reason) == (Finding.CONTRADICTORY, reason)
    high = reason == "capture-over-mark"
    assert result.confidence is (Confidence.HIGH if high else Confidence.MEDIUM)


@pytest.mark.parametrize(
    "weak",
    [replace(MARK, key_id=PUBLISHED_KEY.key_id), replace(MARK, message=None)],
    ids=["published key", "without a message"],
)
def test_a_mark_that_anybody_could_make_contradicts_a_capture_claim_less_surely(
    weak: MarkReading,
) -> None:
    readings = replace(CLEAN, credentials=CAPTURED, marks=(weak,))
    result = judge(readings)
    assert (result.reason, result.confidence) == ("capture-over-weak-mark", Confidence.MEDIUM)
    assert judge(replace(readings, ledger=ENTRY)).reason == "capture-over-mark"
    assert judge(replace(readings, marks=(weak, MARK))).reason == "capture-over-mark"
    altered = replace(CAPTURED, integrity="altered")
    assert judge(replace(readings, credentials=altered)).reason == "content-altered"


def test_a_capture_claim_over_a_generated_picture_names_the_clip() -> None:
    (piece,) = [p for p in verdict("capture-over-ledger").evidence if p.layer == "consistency"]
    assert piece.values == {"clip_id": ENTRY.clip_id}


@pytest.mark.parametrize(
    ("marks", "missing"),
    [
        ((NO_MARK,), True),
        ((), False),
        ((MARK,), False),
        ((replace(MARK, message=None),), False),
        (NotChecked(layer="mark", why="it is broken"), False),
    ],
)
def test_a_mark_that_the_credentials_name_is_missing_only_if_it_was_looked_for(
    marks: tuple[MarkReading, ...] | NotChecked, missing: bool
) -> None:
    result = judge(replace(CLEAN, credentials=BOUND, marks=marks))
    codes = {piece.code for piece in result.evidence}
    assert ("consistency.binding-missing" in codes) is missing


@pytest.mark.parametrize(
    "binding",
    [
        Binding(alg="com.example.mark", value="00000000000000ff"),
        Binding(alg="com.example.vidigree", value="00000000000000ff"),
        Binding(alg="org.vidigree.fingerprint.2", value="02" * 40),
        Binding(alg=OURS, value="ff" * 40),
    ],
    ids=["of others", "of others by our name", "our fingerprint", "no clip id"],
)
def test_a_soft_binding_that_is_no_mark_of_ours_is_not_compared_with_our_marks(
    binding: Binding,
) -> None:
    credentials = replace(GENERATED, soft_bindings=(binding,))
    for mark in (MARK, NO_MARK):
        result = judge(replace(CLEAN, credentials=credentials, marks=(mark,)))
        assert result.reason == "generated-trusted"
        assert not [piece for piece in result.evidence if piece.layer == "consistency"]


def test_a_mark_of_a_stamp_does_not_cover_for_another_one_beside_it() -> None:
    stamped = replace(ENTRY, claimed_source="captured", generated=False)
    readings = replace(CLEAN, credentials=CAPTURED, ledger=stamped)
    assert judge(replace(readings, marks=(MARK,))).reason == "captured-trusted"
    result = judge(replace(readings, marks=(MARK, replace(MARK, message=7))))
    assert result.reason == "capture-over-mark"


def test_a_mark_that_was_moved_here_brings_nothing_of_its_clip_along() -> None:
    moved = replace(ENTRY, same_content=False, credentials={"manifest_integrity": "intact"})
    result = judge(replace(CLEAN, marks=(MARK,), ledger=moved))
    assert [piece.code for piece in result.evidence if piece.layer == "ledger"] == [
        "ledger.transplanted"
    ]


def test_credentials_that_cannot_be_read_are_compared_with_nothing() -> None:
    unread = replace(CAPTURED, status="unreadable")
    assert judge(replace(CLEAN, credentials=unread, marks=(MARK,))).reason == "marked"


def test_the_headline_names_the_signer_that_decided() -> None:
    manifest = {"manifest_integrity": "intact", "signer": {"organization": "Somebody else"}}
    entry = replace(ENTRY, credentials=manifest)
    result = judge(replace(CLEAN, credentials=GENERATED, marks=(MARK,), ledger=entry))
    assert "(Example Studio)" in result.headline()


def test_the_file_is_named_where_there_is_one() -> None:
    assert verdict("marked").to_dict()["file"] == "clip.mp4"
    assert judge(CLEAN).to_dict()["file"] is None


def test_a_presence_without_message_is_only_a_weak_mark() -> None:
    result = judge(replace(CLEAN, marks=(replace(MARK, message=None),)))
    assert (result.finding, result.confidence) == (Finding.MARKED_SYNTHETIC, Confidence.MEDIUM)


def test_a_mark_over_part_of_the_clip_is_told() -> None:
    result = judge(replace(CLEAN, marks=(MARK,)), media={"seconds": 16.0})
    partial = next(piece for piece in result.evidence if piece.code == "mark.partial")
    assert partial.values["percent"] == 25


def test_two_messages_in_one_clip_are_told() -> None:
    other = MarkSegment(start=4.0, end=8.0, p_value=1e-9, message=9)
    result = judge(replace(CLEAN, marks=(replace(MARK, segments=(*MARK.segments, other)),)))
    assert "mark.several" in {piece.code for piece in result.evidence}


def test_classifier_segments_are_the_windows_that_speak_for_synthesis() -> None:
    (piece,) = [p for p in verdict("classifier").evidence if p.layer == "classifier"]
    assert [(part.start, part.end) for part in piece.segments] == [(0.0, 2.0)]


def test_no_headline_denies_what_was_not_looked_for() -> None:
    """Nor what was found, and could not be relied on."""
    broken = NotChecked(layer="mark", why="it is broken")
    unlisted = replace(CAPTURED, signer_trust="unlisted")
    result = judge(replace(CLEAN, credentials=unlisted, marks=broken, classifier=LIKELY))
    assert result.reason == "classifier"
    assert "no watermark" not in result.headline().lower()
    assert "no label" not in result.headline().lower()
    left_out = NotChecked(layer="mark", why="", asked=True)
    for row in (
        replace(CLEAN, marks=left_out, classifier=ABSTAINED),
        replace(CLEAN, marks=left_out),
    ):
        assert "in the layers that were checked" in judge(row).headline()


def test_a_capture_claim_of_an_own_development_identity_is_not_a_trusted_one() -> None:
    result = judge(replace(CLEAN, credentials=replace(CAPTURED, trusted_by="own")))
    assert result.finding is Finding.INCONCLUSIVE


@pytest.mark.parametrize("source", ["unknown", "edited", "captured"])
def test_a_stamp_without_a_claim_is_never_called_synthetic(source: str) -> None:
    entry = replace(ENTRY, claimed_source=source, generated=False)
    for found in ("mark", "fingerprint"):
        for same in (True, None):
            row = replace(entry, found_by=found, same_content=same)
            marks = (MARK,) if found == "mark" else (NO_MARK,)
            assert judge(replace(CLEAN, marks=marks, ledger=row)).exit_code not in {10, 11}


def test_no_ledger_is_told_apart_from_an_empty_answer() -> None:
    result = judge(replace(CLEAN, ledger=LedgerReading(exists=False)))
    assert "ledger.empty" in {piece.code for piece in result.evidence}
    assert result.finding is Finding.NO_EVIDENCE


@pytest.mark.parametrize(
    ("timestamp", "reason"),
    [("trusted", "generated-trusted"), ("unlisted", "generated-unverified-signer")],
)
def test_only_a_trusted_time_stamp_saves_an_expired_certificate(
    timestamp: str, reason: str
) -> None:
    late = replace(GENERATED, validity="valid-when-signed", timestamp=timestamp)
    assert judge(replace(CLEAN, credentials=late)).reason == reason


def test_signer_name_is_called_unverified_when_unlisted() -> None:
    spoofed = replace(CAPTURED, signer=Signer(organization="Sony"), signer_trust="unlisted")
    result = judge(replace(CLEAN, credentials=spoofed))
    assert "Sony" not in result.headline()
    assert any("unverified" in piece["says"] for piece in result.to_dict()["evidence"])


def test_personal_data_is_redacted_unless_asked_for() -> None:
    @dataclass(frozen=True, kw_only=True)
    class WithMetadata(Credentials):
        metadata: dict[str, Any] = field(
            default_factory=lambda: {
                "dc:creator": "Jane Doe",
                "exif:GPSLatitude": "48.1",
                "prompt": "a red ball",
                "serialNumber": "123",
                "prompt_sha256": "ab",
                "author": None,
                "By-line": "Jane Doe",
                "iptc:byLineTitle": "Photographer",
                "baseline": "as it is",
                "people": [],
                "history": [{"artist": "Jane Doe", "tool": "x"}, ["y"]],
                "editors": ({"email": {"home": "jane@example.com"}},),
            }
        )

    result = judge(replace(CLEAN, credentials=WithMetadata()))
    hidden = result.to_dict()["readings"]["credentials"]["metadata"]
    assert hidden == {
        "dc:creator": "[redacted]",
        "exif:GPSLatitude": "[redacted]",
        "prompt": "[redacted]",
        "serialNumber": "[redacted]",
        "prompt_sha256": "ab",
        "author": None,
        "By-line": "[redacted]",
        "iptc:byLineTitle": "[redacted]",
        "baseline": "as it is",
        "people": [],
        "history": [{"artist": "[redacted]", "tool": "x"}, ["y"]],
        "editors": [{"email": "[redacted]"}],
    }
    shown = result.to_dict(show_personal=True)["readings"]["credentials"]["metadata"]
    assert shown["dc:creator"] == "Jane Doe"


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        ({"manifest_integrity": "intact", "content_binding": "mismatch"}, "manifest-recovered"),
        ({"manifest_integrity": "intact", "content_binding": "match"}, "manifest-unchanged"),
        ({"manifest_integrity": "altered"}, "manifest-broken"),
        (None, "manifest-broken"),
    ],
)
def test_the_ledgers_manifest_is_judged_by_itself(
    manifest: dict[str, Any] | None, code: str
) -> None:
    entry = replace(ENTRY, credentials=manifest)
    result = judge(replace(CLEAN, marks=(MARK,), ledger=entry))
    assert [piece.code for piece in result.evidence if "manifest" in piece.code] == [
        f"ledger.{code}"
    ]
