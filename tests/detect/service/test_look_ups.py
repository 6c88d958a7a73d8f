"""Look-ups by clip wait in a queue of their own: whatever they wait for, the service goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from vidigree.detect.isolation import Answer, Job, WorkerPool
from vidigree.detect.service.look_ups import LookUps
from vidigree.detect.service.refusals import RefusalError

PLACES = 40  # more than the threads that ask the database
REFERENCE = {"json": {"referenceUrl": "https://example.org/clip.mp4", "assetLength": 5000}}
CONTENT = {"content": b"clip", "headers": {"Content-Type": "video/mp4"}}


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Workers that answer once the event is set, which it is at the latest when the test ends."""
    event = threading.Event()

    def audit(_: WorkerPool, job: Job, **__: object) -> Answer:
        event.wait(60)
        error = {"kind": "MediaError", "message": job.name, "hint": ""}
        return Answer(row={"error": error}, exit_code=3)

    monkeypatch.setattr(WorkerPool, "audit", audit)
    yield event
    event.set()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(("path", "request_"), [("byReference", REFERENCE), ("byContent", CONTENT)])
def test_look_ups_that_wait_stop_nobody_else(
    start_service: Any, released: threading.Event, path: str, request_: dict[str, Any]
) -> None:
    service = start_service(max_queue=PLACES, max_per_address=PLACES + 1)
    url = f"{service.url}/c2pa/v1/matches/{path}"
    with ThreadPoolExecutor(PLACES + 5) as threads:
        asked = [threads.submit(httpx.post, url, timeout=60, **request_) for _ in range(PLACES + 5)]
        try:
            # Five are refused at once, so that the others are in.
            until(lambda: sum(one.done() for one in asked) == 5)
            assert service.http.get("/healthz", timeout=10).json()["status"] == "ok"
            assert service.http.get("/v1/audits/none", timeout=10).status_code == 404
            assert service.http.delete("/v1/audits/none", timeout=10).status_code == 404
        finally:
            released.set()
        answers = [one.result() for one in asked]
    assert sorted(answer.status_code for answer in answers) == [400] * PLACES + [429] * 5
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["error"]["kind"] == "QueueFull"
    assert int(refused.headers["retry-after"]) >= 1
    # All places are free again.
    assert httpx.post(url, timeout=60, **request_).status_code == 400


def test_no_more_run_or_wait_at_a_time_than_was_said() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    async def look_up(look_ups: LookUps, caller: str) -> None:
        async with look_ups.place(caller):
            await look_ups.run(work)

    async def all_of_them() -> list[Any]:
        look_ups = LookUps(2, 8, 5)
        tasks = (look_up(look_ups, caller) for caller in "aaaaaabbbb")
        return await asyncio.gather(*tasks, return_exceptions=True)

    # In a thread of its own: tests with a browser leave a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        ended = thread.submit(lambda: asyncio.run(all_of_them())).result()
    refused = [error for error in ended if error is not None]
    assert most == 2
    assert all(isinstance(error, RefusalError) for error in refused)
    assert [error.kind for error in refused] == ["TooManyAtOnce", "QueueFull"]
