"""Bodies that the framework parses are limited in size and time before it reads them."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest
from fixtures.resolution import TOKEN, TOKENS

from vidigree.detect.service import bounded_route, resolution_mount, resolution_routes
from vidigree.detect.service.receiving import UploadLimits
from vidigree.detect.service.resolution import ResolutionSettings
from vidigree.detect.service.resolution_models import MAX_VALUE

Start = Callable[..., Any]
ROUTES = ["matches/byBinding", "matches/byReference", "manifests"]


@pytest.fixture
def send(start_service: Start, monkeypatch: pytest.MonkeyPatch) -> Callable[..., httpx.Response]:
    """Send the head of a request and some of its body, then nothing; return the answer."""
    limits = UploadLimits(max_bytes=1 << 20, max_seconds=20, idle_seconds=0.5)
    monkeypatch.setattr(bounded_route, "BODY_LIMITS", limits)
    monkeypatch.setattr(resolution_routes, "_STORE_LIMITS", limits)
    writable = partial(ResolutionSettings, tokens=TOKENS)
    monkeypatch.setattr(resolution_mount, "ResolutionSettings", writable)
    port = start_service().port

    def send_(route: str, body: bytes, *, declared: int) -> httpx.Response:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
            kind = "application/c2pa" if route == "manifests" else "application/json"
            raw.sendall(
                f"POST /c2pa/v1/{route} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n"
                f"Content-Type: {kind}\r\nContent-Length: {declared}\r\n\r\n".encode()
            )
            raw.sendall(body)
            head, _, rest = raw.recv(1 << 16).partition(b"\r\n\r\n")
            while not rest:
                rest = raw.recv(1 << 16)
        return httpx.Response(int(head.split()[1]), content=rest)

    return send_


@pytest.mark.parametrize("route", ROUTES)
def test_a_body_that_does_not_end_is_refused(send: Callable[..., Any], route: str) -> None:
    """Once who sent none held a connection for ever."""
    answer = send(route, b'{"alg": ', declared=1000)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (408, "UploadTooSlow")


@pytest.mark.parametrize("route", ROUTES)
def test_a_body_without_end_does_not_fill_the_memory(send: Callable[..., Any], route: str) -> None:
    answer = send(route, b" " * ((1 << 20) + 1), declared=3 << 30)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (413, "UploadTooLarge")


def test_the_longest_value_is_read_however_it_is_written(service: Any) -> None:
    written = "".join(f"\\u{ord('A'):04x}" for _ in range(MAX_VALUE))
    for value, status in ((written, 200), (written + "A", 400)):
        answer = service.http.post(
            "/c2pa/v1/matches/byBinding",
            content=f'{{"alg": "com.example.none", "value": "{value}"}}',
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == status, json.dumps(answer.json())[:500]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_whatever_brings_a_body_counts_against_the_limit_of_its_address(
    start_service: Start, method: str
) -> None:
    service = start_service(per_minute=1)
    for status in (401, 429):
        answer = service.http.request(
            method,
            "/c2pa/v1/manifests/a" if method == "DELETE" else "/c2pa/v1/bindings",
            json={"bindingValue": "YQ==", "manifestId": "a"},
        )
        assert answer.status_code == status
    assert service.http.get("/c2pa/v1/manifests/a").status_code == 404
