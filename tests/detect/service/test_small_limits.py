"""Limits that a stranger would go past first: guesses, tokens, callers, uploads without a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fixtures.resolution import ISSUED, READER, TOKENS
from starlette.testclient import TestClient

from vidigree.detect.service import rate
from vidigree.detect.service.rate import RateLimiter
from vidigree.detect.service.resolution import ResolutionSettings, create_resolution_app
from vidigree.detect.service.resolution_access import ScopedTokens
from vidigree.detect.service.resolution_search import ContentSearch
from vidigree.detect.service.spool import Spool
from vidigree.media.errors import UsageError
from vidigree.watermark.ledger import Ledger


def test_keys_are_guessed_only_so_often(start_service: Callable[..., Any]) -> None:
    service = start_service(per_minute=2)
    wrong = {"X-API-Key": "vdg_000000000000_00"}
    answers = [service.http.get("/v1/audits/none", headers=wrong) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]


def test_callers_that_were_not_seen_for_long_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "_MAX_CALLERS", 2)
    limiter = RateLimiter(clock=lambda: 0.0)
    for caller in ("first", "second", "third"):
        assert limiter.take(caller, 1) == 0
    assert limiter.take("third", 1) > 0
    assert limiter.take("first", 1) == 0


def test_a_token_has_twenty_characters_at_least() -> None:
    assert ScopedTokens.from_text(f"{'t' * 20} fetch:manifests").scopes
    with pytest.raises(UsageError):
        ScopedTokens.from_text(f"{'t' * 19} fetch:manifests")


@pytest.mark.parametrize(("scheme", "status"), [("Bearer", 200), ("bearer", 200), ("Basic", 401)])
def test_a_token_comes_as_a_bearer_token(
    ledger: Ledger, search: ContentSearch, scheme: str, status: int
) -> None:
    closed = ResolutionSettings(tokens=replace(TOKENS, open_reading=False))
    http = TestClient(create_resolution_app(ledger, search, closed))
    headers = {"Authorization": f"{scheme} {READER}"}
    assert http.get(f"/manifests/{ISSUED}", headers=headers).status_code == status


def test_an_upload_without_a_job_goes_with_its_look_up(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with spool.without_job() as empty:
        assert not empty.exists()
        spool.renew()  # not begun
    with pytest.raises(KeyError), spool.without_job() as path:
        path.write_bytes(b"a clip")
        raise KeyError
    assert not path.exists()
    spool.renew()
    assert [left.name for left in tmp_path.iterdir()] == ["spool-id"]
