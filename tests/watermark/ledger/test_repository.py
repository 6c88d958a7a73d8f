"""The repository keeps what it was given, points where it was told, and gives up nothing issued."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from fixtures.manifest_stores import manifest_store

from vidigree.media.errors import UsageError
from vidigree.watermark.ledger import Ledger, LedgerEntry
from vidigree.watermark.ledger.repository import IssuedManifestError, ManifestRepository
from vidigree.watermark.ledger.schema import bindings, manifests

MakeEntry = Callable[..., LedgerEntry]

ISSUED, KEPT, OTHER = "urn:c2pa:issued", "urn:c2pa:kept", "urn:c2pa:other"


@pytest.fixture
def ledger(ledger_url: str, make_entry: MakeEntry) -> Iterator[Ledger]:
    """A ledger with one issued clip."""
    with Ledger.open(ledger_url) as opened:
        opened.record(replace(make_entry(1), manifest_store=manifest_store(ISSUED)))
        yield opened


@pytest.fixture
def repository(ledger: Ledger) -> ManifestRepository:
    return ledger.repository


def _rows(ledger: Ledger, table: sa.Table) -> int:
    with ledger._engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_store_is_kept_under_the_label_of_its_active_manifest(
    repository: ManifestRepository,
) -> None:
    store = manifest_store(OTHER, KEPT)
    assert repository.add(store) == KEPT
    found = repository.find(KEPT)
    assert found is not None
    assert (found.manifest_id, found.store, found.issued) == (KEPT, store, False)
    assert abs(datetime.now(UTC) - found.created_at) < timedelta(minutes=5)
    assert repository.find(OTHER) is None


def test_store_that_is_kept_again_changes_nothing(
    repository: ManifestRepository, ledger: Ledger
) -> None:
    for _ in range(2):
        assert repository.add(manifest_store(KEPT)) == KEPT
        assert repository.add(manifest_store(ISSUED)) == ISSUED
    assert _rows(ledger, manifests) == 1
    issued = repository.find(ISSUED)
    assert issued is not None
    assert issued.issued


@pytest.mark.parametrize("name", [KEPT, ISSUED])
def test_other_store_of_the_same_name_is_refused(repository: ManifestRepository, name: str) -> None:
    repository.add(manifest_store(KEPT))
    with pytest.raises(UsageError, match="Another manifest store has the id"):
        repository.add(manifest_store(OTHER, name))
    found = repository.find(name)
    assert found is not None
    assert found.store == manifest_store(name)


@pytest.mark.parametrize("faster", [manifest_store(KEPT), manifest_store(OTHER, KEPT)])
def test_somebody_who_is_faster_wins(
    repository: ManifestRepository, monkeypatch: pytest.MonkeyPatch, faster: bytes
) -> None:
    """The other store comes in after it was seen that there is none."""
    repository.add(faster)
    look, seen = repository.find, iter([None])
    monkeypatch.setattr(repository, "find", lambda name: next(seen, look(name)))
    store = manifest_store(KEPT)
    if faster == store:
        assert repository.add(store) == KEPT
    else:
        with pytest.raises(UsageError, match="Another manifest store"):
            repository.add(store)
    found = look(KEPT)
    assert found is not None
    assert found.store == faster


@pytest.mark.parametrize("junk", [b"", b"junk", manifest_store(), manifest_store(KEPT)[:-1]])
def test_bytes_that_are_no_store_are_refused(
    repository: ManifestRepository, ledger: Ledger, junk: bytes
) -> None:
    with pytest.raises(UsageError, match="not a C2PA manifest store"):
        repository.add(junk)
    assert _rows(ledger, manifests) == 0


def test_deleted_manifest_takes_its_bindings_along(
    repository: ManifestRepository, ledger: Ledger
) -> None:
    for name in (KEPT, OTHER):
        repository.add(manifest_store(name))
        assert repository.bind("YQ==", name)
    assert repository.delete(KEPT)
    assert repository.find(KEPT) is None
    assert repository.bound("YQ==", 10) == [OTHER]
    assert not repository.delete(KEPT)
    assert _rows(ledger, bindings) == 1
    # Added anew, it has no bindings from before.
    repository.add(manifest_store(KEPT))
    assert repository.bound("YQ==", 10) == [OTHER]


def test_issued_manifest_is_not_deleted(repository: ManifestRepository) -> None:
    assert repository.bind("YQ==", ISSUED)
    with pytest.raises(IssuedManifestError, match="never deleted"):
        repository.delete(ISSUED)
    assert repository.find(ISSUED) is not None
    assert repository.bound("YQ==", 10) == [ISSUED]


def test_value_is_bound_to_known_manifests_once_and_in_order(
    repository: ManifestRepository, ledger: Ledger
) -> None:
    repository.add(manifest_store(KEPT))
    for name in (KEPT, ISSUED, KEPT):
        assert repository.bind("YQ==", name)
    assert not repository.bind("YQ==", OTHER)
    assert repository.bound("YQ==", 10) == [KEPT, ISSUED]
    assert repository.bound("YQ==", 1) == [KEPT]
    assert repository.bound("Yg==", 10) == []
    assert _rows(ledger, bindings) == 2


def test_rebound_value_points_to_one_manifest_alone(
    repository: ManifestRepository, ledger: Ledger
) -> None:
    for name in (KEPT, OTHER):
        repository.add(manifest_store(name))
        repository.bind("YQ==", name)
        repository.bind("Yg==", name)
    assert repository.rebind("YQ==", ISSUED)
    assert repository.bound("YQ==", 10) == [ISSUED]
    assert repository.bound("Yg==", 10) == [KEPT, OTHER]
    # A value or a manifest that is not known changes nothing.
    assert not repository.rebind("YQ==", "urn:c2pa:none")
    assert not repository.rebind("Yw==", ISSUED)
    assert repository.bound("YQ==", 10) == [ISSUED]
    assert repository.bound("Yw==", 10) == []
    assert _rows(ledger, bindings) == 3
