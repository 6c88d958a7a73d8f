"""The service as proxies, monitors and clients of other makers meet it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/page/page.css",
        "/healthz",
        "/metrics",
        "/v1/service",
        "/c2pa/v1/openapi.json",
        "/c2pa/v1/services/supportedAlgorithms",
        "/c2pa/v1/matches/byBinding?alg=com.example.none&value=YQ==",
    ],
)
def test_what_can_be_read_can_be_asked_for_by_head(service: Any, path: str) -> None:
    answer, whole = service.http.head(path), service.http.get(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == whole.headers["content-type"]


def test_asking_by_head_fetches_no_answer(start_service: Start, clip: Path) -> None:
    service = start_service(linger_seconds=0)
    place = service.audit(clip, wait=0).headers["location"]
    jobs, job = service.context.jobs, place.rpartition("/")[2]
    deadline = time.monotonic() + 60
    while jobs.find(job).state != "done":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert service.http.head(place).status_code == 200
    jobs.sweep()
    assert service.http.get(place).status_code == 200
    jobs.sweep()  # unless the service itself did it meanwhile
    assert jobs.find(job) is None


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/", "GET, HEAD"),
        ("/healthz", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
        ("/v1/audits", "POST"),
        ("/v1/audits/0", "DELETE, GET, HEAD"),
        ("/c2pa/v1/matches/byBinding", "GET, HEAD, POST"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(service: Any, path: str, methods: str) -> None:
    answer = service.http.patch(path)
    assert answer.status_code == 405
    assert sorted(answer.headers["allow"].split(", ")) == methods.split(", ")


@pytest.mark.parametrize("known", ["W/{}", '"other", {}', '"other",W/{}', "*"])
def test_a_page_that_is_known_is_not_sent_again(service: Any, known: str) -> None:
    tag = service.http.get("/page/page.css").headers["etag"]
    answer = service.http.get("/page/page.css", headers={"If-None-Match": known.format(tag)})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)


@pytest.mark.parametrize("path", ["/v1/audits/", "/c2pa/v1/matches/byContent/"])
def test_nobody_is_sent_elsewhere_with_key_and_clip(service: Any, path: str) -> None:
    """Once a slash too many led to where the Host header says, by http even behind TLS."""
    headers = {"Host": "elsewhere.example", "X-API-Key": "vdg_0_0", "Content-Type": "video/mp4"}
    answer = service.http.post(path, content=b"clip", headers=headers)
    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert "elsewhere" not in answer.text


def test_a_slash_too_many_is_told(service: Any) -> None:
    assert "slash" in service.http.get("/v1/audits/").json()["error"]["hint"]
    assert service.http.get("/nothing").json()["error"]["hint"] == ""


def test_a_request_with_two_lengths_is_refused_and_nothing_behind_it_answered(service: Any) -> None:
    """Once what a proxy takes for its body was answered as a request of its own."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as raw:
        raw.sendall(
            b"POST /c2pa/v1/matches/byContent HTTP/1.1\r\nHost: a\r\nContent-Type: video/mp4\r\n"
            b"Content-Length: 42\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        answer = b""
        while block := raw.recv(4096):
            answer += block
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"TwoLengths" in answer
    assert 'kind="TwoLengths"' in service.http.get("/metrics").text
