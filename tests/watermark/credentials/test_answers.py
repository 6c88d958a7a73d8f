"""Status codes become answers: integrity, content, time stamp and validity, each by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vidigree.watermark.credentials.answers import (
    StatusCodes,
    content_binding,
    manifest_integrity,
    overall_integrity,
    timestamp_trust,
    validity,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SIGNED = ("claimSignature.validated",)


@pytest.mark.parametrize(
    ("failure", "answer"),
    [
        (None, "intact"),
        ("assertion.hashedURI.mismatch", "altered"),
        ("assertion.missing", "altered"),
        ("claim.cbor.odd", "altered"),
        ("claimSignature.odd", "altered"),
        ("manifest.inaccessible", "altered"),
        ("ingredient.manifest.mismatch", "altered"),
        ("ingredient.hashedURI.mismatch", "intact"),
        ("claimSignature.outsideValidity", "intact"),
        ("signingCredential.invalid", "intact"),
        ("timeStamp.mismatch", "intact"),
        ("cawg.identity.sig_type.invalid", "intact"),
        ("assertion.bmffHash.mismatch", "intact"),  # the content's, not the manifest's
        ("assertion.action.malformed", "altered"),
        ("assertion.json.invalid", "altered"),
        ("assertion.notRedacted", "altered"),
        ("claim.multiple", "altered"),
        ("timeStamp.outsideValidity", "intact"),
        ("ingredient.manifest.missing", "intact"),
        ("assertion.bmffHash.malformed", "intact"),
        ("assertion.boxesHash.unknownBox", "intact"),
        ("assertion.undeclared", "unknown"),
        ("assertion.selfRedacted", "unknown"),
        ("assertion.multipleHardBindings", "unknown"),
        ("assertion.action.ingredientMismatch", "unknown"),
        ("algorithm.unsupported", "unknown"),
        ("general.error", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_failure_alters_the_manifest_or_says_something_else(
    failure: str | None, answer: str
) -> None:
    codes = StatusCodes(success=SIGNED, failure=() if failure is None else (failure,))
    assert manifest_integrity(codes) == answer
    # What else failed makes nothing better.
    other = codes.with_failure("signingCredential.untrusted", "algorithm.unsupported")
    assert manifest_integrity(other) == ("altered" if answer == "altered" else "unknown")


def test_without_a_signature_that_holds_nothing_is_intact() -> None:
    assert manifest_integrity(StatusCodes()) == "unknown"


@pytest.mark.parametrize(
    ("success", "failure", "answer"),
    [
        ((), (), "not-checked"),
        (("assertion.bmffHash.match",), (), "match"),
        (("assertion.dataHash.match",), ("assertion.dataHash.mismatch",), "mismatch"),
        ((), ("assertion.bmffHash.malformed",), "mismatch"),
        (("assertion.hashedURI.match",), ("assertion.hashedURI.mismatch",), "not-checked"),
    ],
)
def test_the_content_is_judged_by_its_hashes_alone(
    success: tuple[str, ...], failure: tuple[str, ...], answer: str
) -> None:
    assert content_binding(StatusCodes(success=success, failure=failure)) == answer


@pytest.mark.parametrize("kind", ["bmffHash", "dataHash", "boxesHash", "collectionHash"])
def test_every_kind_of_hash_binds_the_content(kind: str) -> None:
    codes = StatusCodes(success=(*SIGNED, f"assertion.{kind}.match"))
    assert content_binding(codes) == "match"
    for problem in ("mismatch", "malformed", "unknownBox"):
        broken = codes.with_failure(f"assertion.{kind}.{problem}")
        assert content_binding(broken) == "mismatch"
        assert manifest_integrity(broken) == "intact"


@pytest.mark.parametrize(
    ("kind", "answer"),
    [("dataHash", "not-checked"), ("boxesHash", "not-checked"), ("bmffHash", "match")],
)
def test_a_hash_of_a_part_of_the_file_does_not_bind_it(kind: str, answer: str) -> None:
    """What a BMFF hash leaves out is looked at where the boxes are."""
    codes = StatusCodes(success=(*SIGNED, f"assertion.{kind}.match"))
    left_out = codes.with_note(f"assertion.{kind}.additionalExclusionsPresent")
    assert content_binding(left_out) == answer
    assert content_binding(left_out.with_failure(f"assertion.{kind}.mismatch")) == "mismatch"


def test_only_an_intact_manifest_on_its_own_content_is_intact() -> None:
    answers = {
        (manifest, binding): overall_integrity(manifest, binding)
        for manifest in ("intact", "unknown", "altered")
        for binding in ("match", "not-checked", "mismatch")
    }
    assert answers == {
        ("intact", "match"): "intact",
        ("intact", "not-checked"): "unknown",
        ("intact", "mismatch"): "altered",
        ("unknown", "match"): "unknown",
        ("unknown", "not-checked"): "unknown",
        ("unknown", "mismatch"): "altered",
        ("altered", "match"): "altered",
        ("altered", "not-checked"): "altered",
        ("altered", "mismatch"): "altered",
    }


@pytest.mark.parametrize(
    ("codes", "listed", "answer"),
    [
        (StatusCodes(success=("timeStamp.validated",)), True, "trusted"),
        (StatusCodes(success=("timeStamp.validated",)), False, "unlisted"),
        (StatusCodes(failure=("timeStamp.mismatch",)), True, "invalid"),
        (StatusCodes(informational=("timeStamp.outsideValidity",)), True, "invalid"),
        (StatusCodes(success=SIGNED), True, "absent"),
    ],
)
def test_a_time_stamp_is_worth_what_its_authority_is(
    codes: StatusCodes, listed: bool, answer: str
) -> None:
    assert timestamp_trust(codes, listed=listed) == answer


@pytest.mark.parametrize(
    ("now", "stamped_at", "answer"),
    [
        (START, None, "valid"),
        (END, None, "valid"),
        (START - SECOND, None, "not-yet-valid"),
        (END + SECOND, None, "expired"),
        (END + SECOND, START, "valid-when-signed"),
        (END + SECOND, END, "valid-when-signed"),
        (END + SECOND, START - SECOND, "expired"),
        (END + SECOND, END + SECOND, "expired"),
    ],
)
def test_a_certificate_is_valid_now_or_was_when_it_was_stamped(
    now: datetime, stamped_at: datetime | None, answer: str
) -> None:
    codes = StatusCodes(success=SIGNED)
    said = validity(codes, not_before=START, not_after=END, stamped_at=stamped_at, now=now)
    assert said == answer


@pytest.mark.parametrize(
    ("codes", "not_before", "not_after"),
    [
        (StatusCodes(), START, END),
        (StatusCodes(success=SIGNED), None, END),
        (StatusCodes(success=SIGNED), START, None),
    ],
)
def test_without_signature_or_dates_validity_is_unknown(
    codes: StatusCodes, not_before: datetime | None, not_after: datetime | None
) -> None:
    said = validity(codes, not_before=not_before, not_after=not_after, stamped_at=None, now=START)
    assert said == "unknown"


@pytest.mark.parametrize(
    ("codes", "answer"),
    [
        (StatusCodes(success=SIGNED, failure=("signingCredential.ocsp.revoked",)), "revoked"),
        (StatusCodes(success=SIGNED, failure=("signingCredential.revoked",)), "revoked"),
        (StatusCodes(failure=("signingCredential.ocsp.revoked",)), "unknown"),
        (StatusCodes(success=SIGNED, failure=("signingCredential.ocsp.unknown",)), "unknown"),
        (StatusCodes(success=SIGNED, informational=("signingCredential.ocsp.unknown",)), "unknown"),
        (StatusCodes(success=SIGNED, informational=("signingCredential.ocsp.skipped",)), "valid"),
    ],
)
def test_a_certificate_that_its_authority_took_back_or_does_not_know_is_not_valid(
    codes: StatusCodes, answer: str
) -> None:
    for stamped_at in (None, START):
        said = validity(
            codes, not_before=START, not_after=END, stamped_at=stamped_at, now=START + SECOND
        )
        assert said == answer


def test_a_further_code_drops_none_that_was_there() -> None:
    rows = {
        kind: [{"code": f"{kind}.{number}"} for number in range(2)]
        for kind in ("success", "informational", "failure")
    }
    codes = StatusCodes.from_library(rows)
    assert codes.to_dict() == {kind: [f"{kind}.0", f"{kind}.1"] for kind in rows}
    more = codes.with_failure("new.failure", "failure.0").with_note("new.note", "informational.1")
    assert more.to_dict() == {
        "success": ["success.0", "success.1"],
        "informational": ["informational.0", "informational.1", "new.note"],
        "failure": ["failure.0", "failure.1", "new.failure"],
    }


def test_the_librarys_rows_are_taken_once_and_bounded() -> None:
    assert StatusCodes.from_library(None) == StatusCodes()
    rows = [{"code": f"a.{number // 2}"} for number in range(1000)]
    codes = StatusCodes.from_library({"success": "no list", "failure": ["no row", *rows]})
    assert codes.success == ()
    assert codes.failure == tuple(f"a.{number}" for number in range(200))
