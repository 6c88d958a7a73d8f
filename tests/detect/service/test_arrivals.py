"""One address may not hold the queue with uploads that never end."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from vidigree.detect.service import arrivals
from vidigree.detect.service.arrivals import Arrivals
from vidigree.detect.service.refusals import RefusalError

Start = Callable[..., Any]


def test_slow_uploads_are_counted_and_quick_ones_are_not() -> None:
    now = [0.0]
    counted = Arrivals(2, clock=lambda: now[0]).counted
    with ExitStack() as coming:
        for _ in range(9):  # at once
            coming.enter_context(counted("a"))
        now[0] = 6.0
        with pytest.raises(RefusalError) as refused, counted("a"):
            pass
        assert (refused.value.status, refused.value.kind) == (429, "TooManyUploads")
        with counted("b"):
            pass
    with counted("a"):
        pass


def test_uploads_that_never_end_leave_places_to_others(
    start_service: Start, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "_SLOW_SECONDS", 0.0)
    service = start_service(max_queue=8)
    key = {"X-API-Key": service.context.keys.add("A")}
    with ExitStack() as held:
        for _ in range(8):
            raw = socket.create_connection(("127.0.0.1", service.port), timeout=10)
            held.enter_context(raw)
            raw.sendall(
                b"POST /v1/audits HTTP/1.1\r\nHost: a\r\nContent-Type: video/mp4\r\n"
                b"Content-Length: 1000\r\n\r\nbegun"
            )
        deadline = time.monotonic() + 10
        while service.context.jobs.count() != {"receiving": 2} and time.monotonic() < deadline:
            time.sleep(0.05)
        refused = service.audit(clip)
        assert (refused.status_code, refused.json()["error"]["kind"]) == (429, "TooManyUploads")
        assert int(refused.headers["retry-after"]) > 0
        assert service.context.jobs.count() == {"receiving": 2}
        with clip.open("rb") as file:
            answer = service.http.post("/v1/audits", files={"file": file}, headers=key)
        assert answer.status_code == 200
