"""Who counts as one caller, and who is stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vidigree.detect.service.callers import _network


@pytest.mark.parametrize(
    ("addresses", "network"),
    [
        (("203.0.113.9", "203.0.113.9:1234", "::ffff:203.0.113.9", "[::ffff:203.0.113.9]:9"),
         "203.0.113.9"),
        (("2001:db8::1", "2001:db8::2%eth0", "[2001:db8::3]", "[2001:db8::4]:443"),
         "2001:db8::/64"),
        (("unknown",), "unknown"),
        (("_hidden:7",), "_hidden:7"),
    ],
)  # fmt: skip
def test_one_caller_is_counted_as_one_however_a_proxy_writes_it(
    addresses: tuple[str, ...], network: str
) -> None:
    assert {_network(address) for address in addresses} == {network}


def test_who_guesses_keys_is_stopped_and_nobody_else_at_that_address(
    start_service: Callable[..., Any], clip: Path
) -> None:
    service = start_service(per_minute=2)
    wrong = {"X-API-Key": "vdg_000000000000_00"}
    right = {"X-API-Key": service.context.keys.add("A")}

    def ask(key: dict[str, str]) -> int:
        return int(service.http.get("/v1/audits/none", headers=key).status_code)

    assert [ask(wrong) for _ in range(4)] == [401, 401, 429, 429]
    assert (ask(right), ask({})) == (404, 404)
    assert service.audit(clip, wait=0).status_code == 202


@pytest.mark.parametrize("path", ["/v1/audits/none", "/c2pa/v1/manifests/none"])
def test_reading_is_limited_far_beyond_what_clients_need(
    start_service: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Once whoever asked for answers, whether there were any, was asked nothing in return."""
    service = start_service(per_minute=2, max_queue=8)
    least = 60 * 2 + 120 * 2  # of an address; the page asks 100 times a minute for each of its two
    rate = service.context.rate
    now = rate._clock()
    monkeypatch.setattr(rate, "_clock", lambda: now)
    rate.take("reading address 127.0.0.1", least)
    for _ in range(least - 2):
        rate.take("reading address 127.0.0.1", least)
    assert service.http.get(path).status_code == 404
    refused = service.http.get(path)
    assert (refused.status_code, refused.json()["error"]["kind"]) == (429, "TooOften")
    assert refused.headers["retry-after"] == "1"
    right = {"X-API-Key": service.context.keys.add("A")}
    assert service.http.get("/v1/audits/none", headers=right).status_code == 404
    for open_ in ("/healthz", "/metrics", "/v1/service", "/"):
        assert service.http.get(open_).status_code == 200
    assert service.http.post("/v1/audits", json={}).status_code == 400  # counted apart


def test_a_job_made_without_a_key_is_for_whoever_knows_its_id(
    start_service: Callable[..., Any], clip: Path
) -> None:
    service = start_service()
    key = {"X-API-Key": service.context.keys.add("A")}
    place = service.audit(clip, wait=0).headers["location"]
    assert service.http.get(place, headers=key).status_code == 200
    with clip.open("rb") as file:
        keyed = service.http.post("/v1/audits?wait=0", files={"file": file}, headers=key)
    assert service.http.get(keyed.headers["location"]).status_code == 404
    assert service.http.delete(place, headers=key).status_code == 204
    assert service.http.get(place).status_code == 404
