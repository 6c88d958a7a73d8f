"""Keys are shown once and kept as hashes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from vidigree.detect.service.api_keys import ApiKeyStore
from vidigree.detect.service.database import open_database
from vidigree.detect.service.schema import api_keys
from vidigree.media.errors import UsageError


@pytest.fixture
def engine(ledger_url: str) -> Iterator[sa.Engine]:
    opened = open_database(ledger_url)
    yield opened
    opened.dispose()


def test_a_key_is_found_until_it_is_revoked(engine: sa.Engine) -> None:
    store = ApiKeyStore(engine)
    key = store.add("Newsroom", per_minute=7)
    found = store.find(key)
    assert found is not None
    assert (found.name, found.per_minute) == ("Newsroom", 7)
    store.revoke(found.key_id)
    assert store.find(key) is None
    assert [row.revoked_at is not None for row in store.list()] == [True]
    with pytest.raises(UsageError, match="no valid key"):
        store.revoke(found.key_id)


@pytest.mark.parametrize("change", ["", "x", "secret", "prefix", "id"])
def test_another_key_is_not_found(engine: sa.Engine, change: str) -> None:
    store = ApiKeyStore(engine)
    prefix, key_id, secret = store.add("A").split("_")
    wrong = {
        "": "",
        "x": "x",
        "secret": f"{prefix}_{key_id}_{'0' * len(secret)}",
        "prefix": f"abc_{key_id}_{secret}",
        "id": f"{prefix}_{'0' * 12}_{secret}",
    }[change]
    assert store.find(wrong) is None


def test_the_secret_is_nowhere_in_the_database(engine: sa.Engine) -> None:
    secret = ApiKeyStore(engine).add("A").split("_")[2]
    with engine.connect() as connection:
        rows = connection.execute(sa.select(api_keys)).all()
    assert len(rows) == 1
    assert not any(secret in str(value) for value in rows[0])


@pytest.mark.parametrize("name", ["", "  ", "n" * 129])
def test_a_key_needs_a_name(engine: sa.Engine, name: str) -> None:
    with pytest.raises(UsageError, match="1 to 128"):
        ApiKeyStore(engine).add(name)
