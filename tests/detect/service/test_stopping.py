"""A service that is stopped tells whoever waits where to ask, or to come again."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from vidigree.detect.service.database import open_database
from vidigree.detect.service.job_store import JobStore

Start = Callable[..., Any]


def wait_for(service: Any, jobs: dict[str, int]) -> None:
    deadline = time.monotonic() + 30
    while service.context.jobs.count() != jobs:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_who_waits_for_an_audit_is_told_where_to_ask(start_service: Start, clip: Path) -> None:
    """Once they got 500 in plain text, and nobody knew the id of the job that went on."""
    service = start_service()
    runner = service.context.runner
    runner.pool.audit = lambda *_, **__: runner._stopping.wait(60)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(service.audit, clip, wait=20)
        wait_for(service, {"running": 1})
        before = time.monotonic()
        service.end()
        answer = asked.result(timeout=30)
    assert time.monotonic() - before < 5
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/audits/{answer.json()['id']}"
    engine = open_database(service.settings.ledger)
    kept = JobStore(engine, lease_seconds=30, max_attempts=3).find(answer.json()["id"])
    engine.dispose()
    assert kept is not None
    assert kept.state in {"queued", "running"}


def test_an_upload_that_is_cut_off_by_the_end_is_told_to_come_again(start_service: Start) -> None:
    service = start_service()
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as raw:
        raw.sendall(
            b"POST /v1/audits HTTP/1.1\r\nHost: a\r\nContent-Type: video/mp4\r\n"
            b"Content-Length: 1000\r\n\r\nbegun"
        )
        wait_for(service, {"receiving": 1})
        service.end()
        answer = b""
        while block := raw.recv(4096):
            answer += block
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 10" in head
    assert httpx.Response(503, content=body).json()["error"]["kind"] == "Stopping"
    # A thread deletes it, and a cancelled answer does not always wait for that.
    deadline = time.monotonic() + 10
    while service.spooled() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert service.spooled() == []
