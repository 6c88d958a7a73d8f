"""One caller may not hold the queue: not with jobs that wait, nor uploads that never end."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from vidigree.detect.service.database import open_database
from vidigree.detect.service.job_store import JobOptions, JobStore
from vidigree.detect.service.places import Places
from vidigree.detect.service.refusals import RefusalError
from vidigree.detect.service.settings import ServiceSettings

Start = Callable[..., Any]


@pytest.fixture
def store(tmp_path: Path) -> Any:
    engine = open_database(f"sqlite:///{tmp_path}/jobs.sqlite3")
    yield JobStore(engine, lease_seconds=30, max_attempts=3)
    engine.dispose()


def takers(store: JobStore) -> Callable[..., str]:
    """Return what takes a place at a service of its own, and says how that ended."""
    places = Places(store, spool="here", max_queue=5)

    async def take(*callers: str, owner: str = "") -> list[str]:
        taken = (places.take(caller, owner=owner, most=2) for caller in callers)
        ended = await asyncio.gather(*taken, return_exceptions=True)
        assert all(
            not isinstance(end, BaseException) or isinstance(end, RefusalError) for end in ended
        )
        return [getattr(end, "kind", "taken") for end in ended]

    def run(*callers: str, owner: str = "") -> str:
        # In a thread of its own: tests with a browser leave a loop running in this one.
        with ThreadPoolExecutor(1) as thread:
            ended = thread.submit(lambda: asyncio.run(take(*callers, owner=owner))).result()
        return " ".join(sorted(ended))

    return run


def test_a_caller_holds_only_so_many_places(store: JobStore) -> None:
    take = takers(store)
    assert take("a", "a", "a") == "TooManyAtOnce taken taken"  # at once
    assert take("a") == "TooManyAtOnce"
    assert take("b", "c", "d") == "taken taken taken"
    assert take("e") == "QueueFull"
    for job_id in store.unfinished():
        store.delete(job_id)
    assert take("a", "a") == "taken taken"


def test_an_upload_of_a_key_counts_once_while_its_row_is_made(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it counted as a row and as one that was coming, and the second was refused."""
    made = store.receive

    def slow(*given: Any, **more: Any) -> Any:
        job = made(*given, **more)
        seen.set()
        assert go_on.wait(20)
        return job

    seen, go_on = threading.Event(), threading.Event()
    places = Places(store, spool="here", max_queue=5)

    async def twice() -> None:
        first = asyncio.ensure_future(places.take("key a", owner="a", most=2))
        assert await asyncio.to_thread(seen.wait, 20)
        monkeypatch.setattr(store, "receive", made)
        await places.take("key a", owner="a", most=2)
        go_on.set()
        await first
        with pytest.raises(RefusalError):
            await places.take("key a", owner="a", most=2)

    monkeypatch.setattr(store, "receive", slow)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(twice())).result()


def test_a_job_that_is_finished_holds_no_place(store: JobStore) -> None:
    take = takers(store)
    assert take("a", "a") == "taken taken"
    (first, *_) = store.unfinished()
    received = store.find(first)
    assert received is not None
    assert store.enqueue(received, name="a", options=JobOptions())
    claimed = store.claim("here")
    assert claimed is not None
    assert take("a") == "TooManyAtOnce"
    store.finish(claimed, {"row": {}, "pictures": []}, keep=60)
    assert take("a", "a") == "TooManyAtOnce taken"


def test_a_key_is_counted_across_services(store: JobStore) -> None:
    one, other = takers(store), takers(store)
    assert one("key k", owner="k") == "taken"
    assert other("key k", owner="k") == "taken"
    assert (one("key k", owner="k"), other("key k", owner="k")) == ("TooManyAtOnce",) * 2
    assert other("key l", owner="l") == "taken"


@pytest.mark.parametrize(
    ("wishes", "most"),
    [
        ({"max_queue": 32}, (8, 16)),
        ({"max_queue": 1}, (1, 1)),
        ({"max_queue": 32, "max_per_address": 2}, (2, 16)),
        ({"max_queue": 32, "max_per_address": 20}, (20, 20)),
    ],
)
def test_the_part_of_a_caller(wishes: dict[str, int], most: tuple[int, int]) -> None:
    settings = ServiceSettings(spool=Path("spool"), **wishes)  # type: ignore[arg-type]
    assert (settings.most_for_address, settings.most_for_key) == most


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


def test_uploads_that_never_end_leave_places_to_others(start_service: Start, clip: Path) -> None:
    service = start_service(max_queue=8)
    key = {"X-API-Key": service.context.keys.add("A")}
    with ExitStack() as held:
        uploads = [held.enter_context(begin_upload(service, "/v1/audits")) for _ in range(8)]
        for raw in answered(uploads, 6):
            assert b"TooManyAtOnce" in answer_of(raw)
        refused = service.audit(clip)
        assert (refused.status_code, refused.json()["error"]["kind"]) == (429, "TooManyAtOnce")
        assert int(refused.headers["retry-after"]) > 0
        assert service.context.jobs.count() == {"receiving": 2}
        with clip.open("rb") as file:
            answer = service.http.post("/v1/audits", files={"file": file}, headers=key)
        assert answer.status_code == 200


def test_look_ups_that_never_come_in_leave_places_to_others(
    start_service: Start, clip: Path
) -> None:
    service = start_service(max_queue=4)
    path = "/c2pa/v1/matches/byContent"
    with ExitStack() as held:
        uploads = [held.enter_context(begin_upload(service, path)) for _ in range(4)]
        refused = answered(uploads, 3)
        for raw in refused:
            assert b"TooManyAtOnce" in answer_of(raw)
        (kept,) = set(uploads) - set(refused)
        kept.sendall(b"x" * 995)
        assert b"TooManyAtOnce" not in answer_of(kept)
    video = {"Content-Type": "video/mp4"}
    assert service.http.post(path, content=clip.read_bytes(), headers=video).status_code == 200


def test_jobs_that_wait_leave_places_to_others(start_service: Start, clip: Path) -> None:
    """Once an address could fill the queue with jobs, which nobody waits for, at its rate."""
    service = start_service(max_queue=8)
    runner = service.context.runner
    runner.pool.audit = lambda *_, **__: runner._stopping.wait(60)
    key = {"X-API-Key": service.context.keys.add("A")}

    def audit(**headers: str) -> int:
        answer = service.http.post(
            "/v1/audits?wait=0",
            content=clip.read_bytes(),
            headers={"Content-Type": "video/mp4"} | headers,
        )
        return int(answer.status_code)

    assert [audit() for _ in range(3)] == [202, 202, 429]
    assert [audit(**key) for _ in range(5)] == [202] * 4 + [429]
    assert audit(**{"X-Forwarded-For": "203.0.113.9"}) == 202
    assert sum(service.context.jobs.count().values()) == 7
