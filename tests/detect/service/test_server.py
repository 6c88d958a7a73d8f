"""Connections of those who send nothing, or not all of it, or do not read what they get."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from vidigree.detect.service import server

Start = Callable[..., Any]
HEAD = (
    b"POST /v1/audits HTTP/1.1\r\nHost: a\r\nContent-Type: video/mp4\r\nContent-Length: 9\r\n\r\n"
)
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def connect(start_service: Start, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(server, "_REQUEST_SECONDS", 0.5)
    port = start_service(idle_seconds=2).port
    opened = []

    def connect_() -> socket.socket:
        opened.append(socket.create_connection(("127.0.0.1", port), timeout=10))
        return opened[-1]

    yield connect_
    for one in opened:
        one.close()


def read_to_the_end(raw: socket.socket) -> bytes:
    return b"".join(iter(lambda: raw.recv(4096), b""))


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTT", HEALTH[:-2]])
@pytest.mark.parametrize("before", [b"", HEALTH])
def test_who_sends_no_whole_request_is_hung_up_on(
    connect: Callable[[], socket.socket], before: bytes, sent: bytes
) -> None:
    """Once such connections stayed for ever, until nobody else got one."""
    raw = connect()
    raw.sendall(before + sent)
    begun = time.monotonic()
    answer = read_to_the_end(raw)
    assert time.monotonic() - begun < 5
    assert answer.count(b"HTTP/1.1 200") == bool(before)


def test_who_goes_on_sending_after_the_answer_is_hung_up_on(
    connect: Callable[[], socket.socket],
) -> None:
    raw = connect()
    raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n")
    begun = time.monotonic()
    with pytest.raises(OSError):  # noqa: PT011 - a pipe that is broken, or a connection reset
        while time.monotonic() - begun < 8:
            raw.sendall(b"x")
            time.sleep(0.05)
    assert time.monotonic() - begun < 8


@pytest.mark.parametrize("times", [1, 20])
def test_who_does_not_read_the_answers_is_hung_up_on(
    start_service: Start, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """What is left of one that was written, and one that cannot be begun."""
    monkeypatch.setattr(server, "_REQUEST_SECONDS", 0.2)
    monkeypatch.setattr(server, "_ANSWER_SECONDS", 0.5)
    service = start_service()
    service.send_in_small_pieces()
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        raw.connect(("127.0.0.1", service.port))
        raw.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * times)
        for there in (True, False):
            deadline = time.monotonic() + 20
            while bool(service.connections()) != there:
                assert time.monotonic() < deadline
                time.sleep(0.02)


@pytest.mark.slow
def test_an_upload_has_limits_of_its_own(connect: Callable[[], socket.socket]) -> None:
    raw = connect()
    raw.sendall(HEAD)
    for _ in range(4):
        time.sleep(0.4)
        raw.sendall(b"x")
    answer = read_to_the_end(raw)  # after idle_seconds
    assert answer.startswith(b"HTTP/1.1 408")
