"""One address may not hold the queue with uploads that never end."""

from __future__ import annotations

import asyncio
import select
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


def test_slow_uploads_are_counted_and_quick_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "_SLOW_SECONDS", 0.2)
    counted = Arrivals(2).counted
    ended: list[str] = []

    async def upload(name: str, caller: str, end: asyncio.Event) -> None:
        try:
            async with counted(caller):
                await end.wait()
                ended.append(name)
        except RefusalError as refused:
            ended.append(f"{name} {refused.status} {refused.kind}")

    async def uploads() -> None:
        quick, slow = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(9):  # at once
                tasks.create_task(upload("quick", "a", quick))
            for number in range(4):
                tasks.create_task(upload(f"slow {number}", "a", slow))
            tasks.create_task(upload("another's", "b", slow))
            await asyncio.sleep(0)
            quick.set()
            while len(ended) < 11:
                await asyncio.sleep(0.01)
            assert ended[:9] == ["quick"] * 9
            assert ended[9:] == ["slow 2 429 TooManyUploads", "slow 3 429 TooManyUploads"]
            await upload("late", "a", quick)
            assert ended.pop() == "late 429 TooManyUploads"
            slow.set()
        assert sorted(ended[11:]) == ["another's", "slow 0", "slow 1"]
        await upload("after", "a", quick)
        assert ended[-1] == "after"

    asyncio.run(asyncio.wait_for(uploads(), 10))


def test_an_error_of_an_upload_is_not_taken_for_the_limit() -> None:
    async def upload() -> None:
        with pytest.raises(TimeoutError):
            async with Arrivals(2).counted("a"):
                raise TimeoutError

    asyncio.run(upload())


def begin_upload(service: Any, path: str) -> socket.socket:
    raw = socket.create_connection(("127.0.0.1", service.port), timeout=10)
    raw.sendall(
        f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: video/mp4\r\n"
        "Content-Length: 1000\r\n\r\nbegun".encode()
    )
    return raw


def answered(uploads: list[socket.socket], number: int) -> list[socket.socket]:
    """Wait until so many of them, or more, got an answer."""
    deadline = time.monotonic() + 20
    while len(ready := select.select(uploads, [], [], 0)[0]) < number:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return ready


def answer_of(raw: socket.socket) -> bytes:
    answer = b""
    while not answer.endswith(b"}"):  # of its body
        block = raw.recv(1 << 16)
        assert block
        answer += block
    return answer


@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_uploads_that_never_end_leave_places_to_others(
    start_service: Start, clip: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """Begun one after the other, or all at once, as a burst that is allowed lets them."""
    monkeypatch.setattr(arrivals, "_SLOW_SECONDS", seconds)
    service = start_service(max_queue=8)
    key = {"X-API-Key": service.context.keys.add("A")}
    with ExitStack() as held:
        uploads = [held.enter_context(begin_upload(service, "/v1/audits")) for _ in range(8)]
        for raw in answered(uploads, 6):
            assert b"TooManyUploads" in answer_of(raw)
        refused = service.audit(clip)
        assert (refused.status_code, refused.json()["error"]["kind"]) == (429, "TooManyUploads")
        assert int(refused.headers["retry-after"]) > 0
        assert service.context.jobs.count() == {"receiving": 2}
        with clip.open("rb") as file:
            answer = service.http.post("/v1/audits", files={"file": file}, headers=key)
        assert answer.status_code == 200


def test_look_ups_that_never_come_in_leave_places_to_others(
    start_service: Start, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "_SLOW_SECONDS", 0.5)
    service = start_service(max_queue=4)
    path = "/c2pa/v1/matches/byContent"
    with ExitStack() as held:
        uploads = [held.enter_context(begin_upload(service, path)) for _ in range(4)]
        refused = answered(uploads, 3)
        for raw in refused:
            assert b"TooManyUploads" in answer_of(raw)
        (kept,) = set(uploads) - set(refused)
        kept.sendall(b"x" * 995)
        assert b"TooManyUploads" not in answer_of(kept)
    video = {"Content-Type": "video/mp4"}
    assert service.http.post(path, content=clip.read_bytes(), headers=video).status_code == 200
