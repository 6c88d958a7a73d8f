"""What was issued before is found, however many copies were stamped since."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import cv2
import numpy as np
import pytest
import sqlalchemy as sa
from numpy.typing import NDArray

from vidigree.watermark.credentials.claims import source_of_term
from vidigree.watermark.fingerprint import fingerprint_frames
from vidigree.watermark.ledger import Ledger, LedgerEntry, earlier
from vidigree.watermark.ledger import index as ledger_index
from vidigree.watermark.ledger.schema import entries

MakeEntry = Callable[..., LedgerEntry]
MakeScene = Callable[[int], list[NDArray[np.uint8]]]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(params=[250_000, 10], ids=["scanned", "inverted"])
def ledger(
    request: pytest.FixtureRequest, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ledger]:
    monkeypatch.setattr(ledger_index, "SCAN_LIMIT", request.param)
    with Ledger.open(ledger_url) as opened:
        yield opened


def _copies(ledger: Ledger, entry: LedgerEntry, number: int) -> None:
    """Record stamped copies, one every second after the entry."""
    later = [
        replace(
            entry,
            clip_id=1000 + n,
            engine="external",
            created_at=entry.created_at + timedelta(seconds=1 + n),
        )
        for n in range(number)
    ]
    for copy in later:
        ledger.record(copy)


def _found(ledger: Ledger, wanted: bytes, before: datetime, likeness: float = 0.6) -> list[int]:
    found = ledger.find_earlier(wanted, before=before, likeness=likeness)
    return [entry.clip_id for entry, _ in found]


def _again(scene: list[NDArray[np.uint8]]) -> bytes:
    """Return the fingerprint of a copy that was encoded badly."""
    blurred = [cv2.GaussianBlur(image, (0, 0), 3) // 16 * 16 for image in scene]
    return fingerprint_frames(blurred, 20).to_bytes()


@pytest.mark.parametrize("number", [12, 300])
def test_a_generated_clip_comes_before_all_its_stamped_copies(
    ledger: Ledger, make_entry: MakeEntry, scene: MakeScene, number: int
) -> None:
    generated = replace(make_entry(7), engine="render", created_at=NOON)
    assert _again(scene(0)) != generated.fingerprint
    ledger.record(generated)
    copy = replace(generated, fingerprint=_again(scene(0)))
    _copies(ledger, copy, number)
    ledger.record(make_entry(8, seed=5))
    found = _found(ledger, copy.fingerprint, NOON + timedelta(seconds=number))
    assert found == [7, *range(1000, 999 + number)]
    alike = [entry.clip_id for entry, _ in ledger.find_similar(copy.fingerprint, 10)]
    assert 7 not in alike  # which is why the other search is not enough


def test_a_stamped_clip_that_says_generated_comes_before_those_that_do_not(
    ledger: Ledger, make_entry: MakeEntry
) -> None:
    says = replace(
        make_entry(7),
        engine="external",
        created_at=NOON + timedelta(minutes=5),
        manifest_store=b"... compositeWithTrainedAlgorithmicMedia ...",
    )
    ledger.record(says)
    _copies(ledger, replace(make_entry(9), created_at=NOON), 12)
    found = _found(ledger, says.fingerprint, NOON + timedelta(hours=1))
    assert found == [7, *range(1000, 1012)]


def test_only_what_was_issued_before_is_found(ledger: Ledger, make_entry: MakeEntry) -> None:
    entry = replace(make_entry(7), created_at=NOON)
    ledger.record(entry)
    second = timedelta(seconds=1)
    for before, found in ((NOON, []), (NOON + second, [7]), (NOON - second, [])):
        assert _found(ledger, entry.fingerprint, before) == found
        elsewhere = before.astimezone(timezone(timedelta(hours=9)))
        assert _found(ledger, entry.fingerprint, elsewhere) == found


def test_another_picture_and_another_version_are_not_found(
    ledger: Ledger, make_entry: MakeEntry, scene: MakeScene
) -> None:
    entry, later = make_entry(7), NOON + timedelta(days=1)
    ledger.record(entry)
    ledger.record(make_entry(8, seed=4))
    assert _found(ledger, entry.fingerprint, later) == [7]
    turned = [image[:, ::-1] for image in scene(0)]
    for images in (turned, [255 - image for image in scene(0)], [255 - image for image in turned]):
        assert _found(ledger, fingerprint_frames(images, 20).to_bytes(), later) == [7]
    assert _found(ledger, _again(scene(0)), later, likeness=1.0) == []
    with ledger._engine.begin() as connection:
        connection.execute(sa.update(entries).values(fingerprint=b"VFP1 of another version"))
    assert _found(ledger, entry.fingerprint, later) == []


def test_the_search_ends_somewhere(
    ledger: Ledger, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = replace(make_entry(7), created_at=NOON)
    _copies(ledger, entry, 9)
    for name in ("_BATCH", "_MOST_STORES"):
        monkeypatch.setattr(earlier, name, 4)
    assert _found(ledger, entry.fingerprint, NOON + timedelta(days=1)) == list(range(1000, 1009))
    monkeypatch.setattr(earlier, "_MOST_COMPARED", 3)
    assert _found(ledger, entry.fingerprint, NOON + timedelta(days=1)) == [1000, 1001, 1002]


def test_the_words_for_generated_pictures_are_those_of_claims() -> None:
    told = {source_of_term(term.decode()) for term in earlier._TERMS}
    assert told == {"generated", "generated-by-algorithm", "composite-with-generated"}
    assert b"algorithmicMedia" in earlier._TERMS
