"""The walk over ingredients ends, says what it did not read, and dates what it found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from fixtures.manifest_stores import manifest_store

from vidigree.watermark.credentials import CredentialsReading, IngredientReading, TrustSettings
from vidigree.watermark.credentials.answers import StatusCodes
from vidigree.watermark.credentials.ingredients import IngredientWalk, manifest_answers

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MIB = 2**20
HELD = ("claimSignature.validated", "timeStamp.validated")
MISSING = "ingredient.manifest.missing"
MISMATCH, GONE = "ingredient.manifest.mismatch", "ingredient.claimSignature.missing"
OTHER = "signingCredential.untrusted"


def _manifest(label: str, *inner: str | None, stamp: int | None = None) -> dict[str, Any]:
    """Return a manifest of crJSON with these ingredients; its certificate is good in 2026."""
    found: dict[str, Any] = {"c2pa.actions.v2": {"actions": []}}
    for number, other in enumerate(inner):
        row: dict[str, Any] = {"relationship": "inputTo", "dc:title": f"{number}"}
        if other is not None:
            row["activeManifest"] = {"url": f"self#jumbf=/c2pa/{other}"}
        found[f"c2pa.ingredient.v3__{number}"] = row
    span = {"notBefore": "2026-01-01T00:00:00+00:00", "notAfter": "2027-01-01T00:00:00+00:00"}
    signature: dict[str, Any] = {"certificateInfo": {"subject": {"CN": label}, "validity": span}}
    if stamp is not None:
        signature["timeStampInfo"] = {"timestamp": f"{stamp}-06-01T00:00:00+00:00"}
    return {"label": label, "assertions": found, "signature": signature}


def _results(success: tuple[str, ...] = HELD) -> dict[str, Any]:
    return {"activeManifest": {"success": [{"code": code} for code in success]}}


def _walk(
    *manifests: Mapping[str, Any],
    store: bytes | None = None,
    results: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[IngredientWalk, tuple[IngredientReading, ...]]:
    """Walk from the first manifest; ``results`` are those of validation, by label."""
    known = dict(results or {})
    walk = IngredientWalk(
        manifests=manifests, store=store, trust=TrustSettings(), now=NOW, _validated=dict(known)
    )
    first = str(manifests[0]["label"])
    return walk, walk.ingredients_of(manifests[0], known.get(first, {}))


@pytest.mark.parametrize(("number", "truncated"), [(128, False), (129, True), (500, True)])
def test_number_of_ingredients_is_bounded_and_told(number: int, truncated: bool) -> None:
    walk, found = _walk(_manifest("a", *[None] * number))
    assert len(found) == 128
    assert walk.truncated is truncated


def test_number_is_that_of_the_whole_walk() -> None:
    walk, found = _walk(
        _manifest("a", "b", "c"), _manifest("b", *[None] * 100), _manifest("c", *[None] * 100)
    )
    counts = [len(row.ingredients) for row in found]
    assert counts == [100, 26]
    assert walk.truncated


@pytest.mark.parametrize(("length", "truncated"), [(33, False), (34, True), (99, True)])
def test_depth_of_ingredients_is_bounded_and_told(length: int, truncated: bool) -> None:
    chain = [_manifest(f"m{n}", f"m{n + 1}") for n in range(length - 1)]
    walk, found = _walk(*chain, _manifest(f"m{length - 1}"))
    depth = 0
    while found:
        depth, found = depth + 1, found[0].ingredients
    assert depth == 32
    assert walk.truncated is truncated


def test_loop_ends_as_a_missing_manifest() -> None:
    _, (found,) = _walk(_manifest("a", "b"), _manifest("b", "a"))
    (again,) = found.ingredients
    assert (again.signed, again.integrity, again.ingredients) == (True, "unknown", ())
    assert again.codes.failure == (MISSING,)


def test_manifest_that_is_not_in_the_store_is_told() -> None:
    _, (gone, none) = _walk(_manifest("a", "gone", None))
    assert (gone.signed, gone.codes.failure) == (True, (MISSING,))
    assert (none.signed, none.codes.failure) == (False, ())
    assert (gone.title, none.title, none.relationship) == ("0", "1", "inputTo")


def test_without_the_store_nothing_is_intact() -> None:
    _, (found,) = _walk(_manifest("a", "b"), _manifest("b"))
    assert (found.signed, found.integrity, found.signer_trust) == (True, "unknown", "unknown")


def test_assertions_that_are_no_ingredient_are_passed_over() -> None:
    manifest = _manifest("a", None)
    manifest["assertions"]["c2pa.ingredient.v3__8"] = ["no mapping"]
    manifest["assertions"]["x.c2pa.ingredient"] = {"dc:title": "other"}
    walk, found = _walk(manifest)
    assert [row.title for row in found] == ["0"]
    assert not walk.truncated


def test_what_is_told_of_an_ingredient_that_is_named_often_is_bounded() -> None:
    """A file of a megabyte brought a verdict of a hundred, and two hundred in the database."""
    made = {"action": "c2pa.created", "digitalSourceType": "http://x/trainedAlgorithmicMedia"}
    often = _manifest("b")
    often["assertions"] = {
        "c2pa.actions": {"actions": [made] * 400},
        "c2pa.soft-binding": {"alg": "mark", "blocks": [{"value": f"{n}"} for n in range(90)]},
    }
    walk, found = _walk(_manifest("a", *["b"] * 20), often)
    assert [len(row.actions) for row in found] == [400, 400, 200, *[0] * 17]
    assert [len(row.soft_bindings) for row in found] == [*[90] * 11, 10, *[0] * 8]
    assert {row.claimed_source for row in found} == {"generated"}
    assert (walk.truncated, walk.shortened) == (False, True)


@pytest.mark.parametrize(("size", "validated"), [(128 * MIB, 2), (128 * MIB + 1, 1)])
def test_bytes_that_are_validated_are_bounded_and_told(size: int, validated: int) -> None:
    walk, found = _walk(
        _manifest("a", "b", "b", "c", "d"),
        *map(_manifest, "bcd"),
        store=bytes(size),
    )
    # The store is none, which whoever validates it finds out; each manifest is validated once.
    read = [bool(row.codes.failure) for row in found]
    assert read == [True, True, validated == 2, False]
    assert [row.integrity for row in found] == ["unknown"] * 4
    assert walk.truncated


@pytest.mark.parametrize(
    ("outer", "middle", "validity"),
    [
        (None, None, "expired"),
        (2026, None, "valid-when-signed"),
        (None, 2026, "valid-when-signed"),
        (2028, 2026, "valid-when-signed"),
        (2026, 2028, "valid-when-signed"),
        (2028, None, "expired"),
        (2025, 2026, "expired"),
    ],
)
def test_ingredient_is_dated_by_the_earliest_stamp_around_it(
    outer: int | None, middle: int | None, validity: str
) -> None:
    manifests = (
        _manifest("a", "b", stamp=outer),
        _manifest("b", "c", stamp=middle),
        _manifest("c"),
    )
    results = {label: _results() for label in "ab"} | {"c": _results(HELD[:1])}
    _, (found,) = _walk(*manifests, results=results)
    (inner,) = found.ingredients
    assert inner.validity == validity
    assert inner.signed_at is None


def test_own_stamp_dates_a_manifest_before_those_around_it() -> None:
    manifests = _manifest("a", "b", stamp=2028), _manifest("b", stamp=2026)
    _, (found,) = _walk(*manifests, results={label: _results() for label in "ab"})
    assert found.validity == "valid-when-signed"


def test_stamp_that_does_not_hold_dates_nothing() -> None:
    manifests = _manifest("a", "b", stamp=2026), _manifest("b", stamp=2026)
    results = {label: _results(HELD[:1]) for label in "ab"}
    _, (found,) = _walk(*manifests, results=results)
    assert found.validity == "expired"


def _with_deltas(*rows: object) -> dict[str, Any]:
    return {**_results(), "ingredientDeltas": list(rows)}


def _delta(uri: str, *failures: str) -> dict[str, Any]:
    codes = [{"code": code} for code in failures]
    return {"ingredientAssertionURI": uri, "validationDeltas": {"failure": codes}}


@pytest.mark.parametrize(
    ("delta", "integrity"),
    [
        (_delta("self#jumbf=/c2pa/a/c2pa.assertions/c2pa.ingredient.v3__0", MISMATCH), "altered"),
        (_delta("self#jumbf=/c2pa/a/c2pa.assertions/c2pa.ingredient.v3__0", GONE), "altered"),
        (_delta("self#jumbf=/c2pa/a/c2pa.assertions/c2pa.ingredient.v3__0"), "intact"),
        (_delta("self#jumbf=/c2pa/a/c2pa.assertions/c2pa.ingredient.v3__0", OTHER), "intact"),
        (_delta("self#jumbf=/c2pa/a/c2pa.assertions/c2pa.ingredient.v3__1", MISMATCH), "intact"),
        (_delta("self#jumbf=/c2pa/b/c2pa.assertions/c2pa.ingredient.v3__0", MISMATCH), "intact"),
        (_delta("self#jumbf=/c2pa/aa/c2pa.assertions/c2pa.ingredient.v3__0", MISMATCH), "intact"),
        ("no row", "intact"),
    ],
)
def test_link_that_does_not_hold_alters_what_it_leads_to(delta: object, integrity: str) -> None:
    results = {"a": _with_deltas("no row", delta), "b": _results()}
    _, (found,) = _walk(_manifest("a", "b"), _manifest("b"), results=results)
    assert found.integrity == integrity
    assert bool(found.codes.failure) is (integrity == "altered")


@pytest.mark.parametrize(
    ("recorded", "integrity"),
    [
        (None, "intact"),
        ("assertion.dataHash.match", "intact"),
        ("assertion.dataHash.mismatch", "altered"),
        ("assertion.bmffHash.malformed", "altered"),
        ("signingCredential.untrusted", "intact"),
    ],
)
def test_only_the_record_tells_of_the_content_that_is_gone(
    recorded: str | None, integrity: str
) -> None:
    manifest, inner = _manifest("a", "b"), _manifest("b")
    if recorded is not None:
        kind = "success" if recorded.endswith(".match") else "failure"
        record = {"activeManifest": {kind: [{"code": recorded}]}}
        manifest["assertions"]["c2pa.ingredient.v3__0"]["validationResults"] = record
    today = _results()
    today["activeManifest"]["failure"] = [{"code": "assertion.bmffHash.mismatch"}]
    _, (found,) = _walk(manifest, inner, results={"a": _results(), "b": today})
    assert found.integrity == integrity
    assert found.codes.failure == ((recorded,) if integrity == "altered" else ())


def test_altered_manifest_stays_altered_whatever_was_recorded() -> None:
    manifest = _manifest("a", "b")
    record = {"activeManifest": {"success": [{"code": "assertion.bmffHash.match"}]}}
    manifest["assertions"]["c2pa.ingredient.v3__0"]["validationResults"] = record
    today = _results()
    today["activeManifest"]["failure"] = [{"code": "assertion.hashedURI.mismatch"}]
    _, (found,) = _walk(manifest, _manifest("b"), results={"a": _results(), "b": today})
    assert found.integrity == "altered"


@pytest.mark.parametrize(
    ("relationship", "integrity", "source"),
    [
        ("parentOf", "intact", "generated"),
        ("parentOf", "unknown", "unknown"),
        ("parentOf", "altered", "unknown"),
        ("inputTo", "intact", "unknown"),
        ("componentOf", "intact", "unknown"),
    ],
)
def test_only_a_parent_that_is_whole_lends_its_claim(
    relationship: str, integrity: Any, source: str
) -> None:
    manifest = {"assertions": {"c2pa.actions": {"actions": [{"action": "c2pa.opened"}]}}}
    ingredient = IngredientReading(
        relationship=relationship, integrity=integrity, claimed_source="generated"
    )
    answers = manifest_answers(
        manifest, {}, StatusCodes(), (ingredient,), trust=TrustSettings(), now=NOW
    )
    assert answers["claimed_source"] == source


@pytest.mark.parametrize(
    ("said", "own", "title"),
    [
        ({"dc:title": "said", "description": "other"}, "own", "said"),
        ({"description": "other"}, "own", "other"),
        ({}, "own", "own"),
        ({}, None, ""),
    ],
)
@pytest.mark.parametrize("claim", ["claim.v2", "claim"])
def test_ingredient_is_named_by_who_used_it_else_by_itself(
    said: dict[str, str], own: str | None, title: str, claim: str
) -> None:
    manifest, inner = _manifest("a", "b"), _manifest("b")
    row = manifest["assertions"]["c2pa.ingredient.v3__0"]
    del row["dc:title"]
    row.update(said)
    if own is not None:
        inner[claim] = {"dc:title": own, "claim_generator": "Camera"}
    _, (found,) = _walk(manifest, inner)
    assert found.title == title
    assert found.generator == ("" if own is None else "Camera")


def test_what_fails_today_stays_told_beside_the_record() -> None:
    today = _results()
    today["activeManifest"]["failure"] = [
        {"code": "assertion.bmffHash.mismatch"},
        {"code": "assertion.json.invalid"},
        {"code": "signingCredential.untrusted"},
    ]
    _, (found,) = _walk(_manifest("a", "b"), _manifest("b"), results={"b": today})
    assert found.codes.failure == ("assertion.json.invalid", "signingCredential.untrusted")
    assert found.integrity == "altered"


def test_manifest_that_the_library_cannot_read_is_told() -> None:
    """It stands in the store, and nothing is in it."""
    _, (found,) = _walk(_manifest("a", "b"), _manifest("b"), store=manifest_store("b", "a"))
    (failure,) = found.codes.failure
    assert failure.startswith("vidigree.manifest.unreadable: ")
    assert (found.signed, found.integrity, found.signer_trust) == (True, "unknown", "unknown")


def test_material_whose_manifest_is_missing_was_not_read() -> None:
    inner = IngredientReading(codes=StatusCodes().with_failure(MISSING))
    reading = CredentialsReading(ingredients=(IngredientReading(ingredients=(inner,)),))
    assert not reading.all_ingredients_read
    assert CredentialsReading(ingredients=(IngredientReading(),)).all_ingredients_read
