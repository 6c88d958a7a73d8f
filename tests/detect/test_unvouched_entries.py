"""A ledger entry of which only a stranger says that it was generated accuses no recording."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from fixtures.chain_authority import ChainAuthority, trusting
from fixtures.issued import CLIP_ID, record
from fixtures.readings import CAPTURED, CLEAN, ENTRY, GENERATED, MARK, NO_MARK, Ingredient

from vidigree.detect.credentials import is_vouched_generated
from vidigree.detect.findings import Finding
from vidigree.detect.look_up import look_up
from vidigree.detect.verdict import judge
from vidigree.watermark.clip import Origin
from vidigree.watermark.credentials import (
    ManifestRequest,
    TrustSettings,
    init_identity,
    sign_file,
)
from vidigree.watermark.fingerprint import fingerprint_video
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.method import MarkReading

LISTED = {"signer_trust": "trusted", "trusted_by": "list"}


UNVOUCHED = replace(ENTRY, claimed_source="unknown", passed_on=True, vouched=False)


@pytest.mark.parametrize(
    ("found_by", "same", "mark"),
    [
        ("mark", True, MARK),
        ("mark", None, MARK),
        ("fingerprint", True, NO_MARK),
        ("fingerprint", True, replace(MARK, message=7)),  # which the ledger does not know
        ("fingerprint", True, replace(MARK, message=None)),
    ],
)
@pytest.mark.parametrize("key_id", ["mk-1", PUBLISHED_KEY.key_id])
def test_a_stranger_s_word_in_the_ledger_contradicts_no_trusted_recording(
    found_by: str, same: bool | None, mark: MarkReading, key_id: str
) -> None:
    """Anybody can sign a recording as generated and have it stamped."""
    marks = (replace(mark, key_id=key_id) if mark.present else mark,)
    entry = replace(UNVOUCHED, found_by=found_by, same_content=same)
    seen = replace(CLEAN, credentials=CAPTURED, marks=marks, ledger=entry)
    result = judge(seen)
    assert (result.finding, result.reason) == (
        Finding.INCONCLUSIVE,
        "capture-against-unvouched-entry",
    )
    vouched = judge(replace(seen, ledger=replace(entry, vouched=True)))
    assert vouched.reason in {"capture-over-mark", "capture-over-ledger"}


def test_material_speaks_for_what_it_is_only_by_way_of_signers_to_believe() -> None:
    known = Ingredient(claimed_source="generated", **LISTED)
    stranger = Ingredient(claimed_source="generated")
    silent = replace(GENERATED, claimed_source="unknown")

    def vouched(*parts: Ingredient, timestamp: str = "absent") -> bool:
        return is_vouched_generated(replace(silent, ingredients=parts), timestamp)

    assert is_vouched_generated(GENERATED, "absent")
    assert vouched(known)
    assert vouched(stranger, known)
    assert vouched(replace(known, trusted_by="own"))
    assert not vouched(stranger)
    assert not vouched(Ingredient(ingredients=(known,)))
    assert vouched(Ingredient(ingredients=(known,), **LISTED))
    assert not vouched(replace(known, integrity="altered"))
    assert not vouched(replace(known, claim_of_parent=True, ingredients=(stranger,)))
    late = replace(known, validity="valid-when-signed")
    assert vouched(late, timestamp="trusted")
    assert not vouched(late)
    deep = Ingredient(ingredients=(late,), timestamp="trusted", **LISTED)
    assert vouched(deep)
    assert not vouched(replace(deep, timestamp="unlisted"), timestamp="trusted")


@pytest.mark.parametrize("issued_before", [True, False])
def test_a_stranger_s_word_does_not_hide_that_the_clip_was_issued_before(
    clip: Path, tmp_path: Path, issued_before: bool
) -> None:
    fingerprint = fingerprint_video(clip)
    if issued_before:
        record(b"", fingerprint.to_bytes(), engine="render", clip_id=7, day=1)
    origins = (Origin(engine="elsewhere", synthetic=True), Origin())
    first, second = (
        ManifestRequest(origin=origin, clip_id=CLIP_ID, key_id="published-1", duration=Fraction(2))
        for origin in origins
    )
    source, path = tmp_path / "stranger.mp4", tmp_path / "stamped.mp4"
    sign_file(clip, source, request=first, identity=ChainAuthority("Anybody").issue().identity)
    second = replace(second, parent=source)
    store = sign_file(clip, path, request=second, identity=init_identity(), trust=TrustSettings())
    for number, day in ((CLIP_ID, 3), (8, 2)):
        record(store, fingerprint.to_bytes(), engine="external", clip_id=number, day=day)
    mark = MarkReading(method="robust", present=True, message=CLIP_ID, scale=1.0, rotation=0.0)
    with Ledger.open() as ledger:
        trust = trusting(ChainAuthority("Studio"))
        reading = look_up(clip, marks=[mark], fingerprint=fingerprint, ledger=ledger, trust=trust)
    assert (reading.generated, reading.vouched) == (True, False)
    assert [one.clip_id for one in reading.others] == [f"{7:016x}"] * issued_before
