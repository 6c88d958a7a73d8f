"""Jobs survive the death of the service, sudden or not."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

SERVE = """
import socket, sys
from pathlib import Path
import uvicorn
from vidigree.detect.service.app import create_app
from vidigree.detect.service.settings import ServiceSettings

folder = Path(sys.argv[1])
app = create_app(ServiceSettings(
    ledger=f"sqlite:///{folder}/service.sqlite3", spool=folder / "spool", workers=1,
    layers=("credentials", "mark"), lease_seconds=1.0,
))
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
server.run(sockets=[listener])
"""


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        assert process.stdout is not None
        with httpx.Client(
            base_url=f"http://127.0.0.1:{int(process.stdout.readline())}", timeout=30
        ) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_jobs_survive_a_restart(tmp_path: Path, clip: Path, how: signal.Signals) -> None:
    with serving(tmp_path) as (process, client):
        places = []
        for number in range(6):
            answer = client.post(
                f"/v1/audits?wait=0&keep=600&name={number}.mp4",
                content=clip.read_bytes(),
                headers={"Content-Type": "video/mp4"},
            )
            assert answer.status_code == 202
            places.append(answer.headers["location"])
        process.send_signal(how)
        process.wait(20)
    with serving(tmp_path) as (_, client):
        deadline = time.monotonic() + 60
        jobs = [client.get(place).json() for place in places]
        unfinished = sum(job["state"] != "done" for job in jobs)
        while any(job["state"] != "done" for job in jobs) and time.monotonic() < deadline:
            time.sleep(0.1)
            jobs = [client.get(place).json() for place in places]
    assert unfinished > 0  # else the service died too late to show anything
    assert [job["state"] for job in jobs] == ["done"] * 6, json.dumps(jobs)
    assert [job["verdict"]["file"] for job in jobs] == [f"{number}.mp4" for number in range(6)]
    left = [path.name for path in (tmp_path / "spool").iterdir() if path.name != "spool-id"]
    assert left == []


BEGUN = (
    b"POST /c2pa/v1/matches/byContent HTTP/1.1\r\nHost: a\r\nContent-Type: video/mp4\r\n"
    b"Content-Length: 9000000\r\n\r\n"
)


def spooled(folder: Path) -> list[str]:
    return [path.name for path in (folder / "spool").iterdir() if path.name != "spool-id"]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_upload_to_look_up_does_not_outlive_its_service(tmp_path: Path) -> None:
    """Once it stayed among the temporary files for ever."""
    with serving(tmp_path) as (process, client):
        with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as raw:
            raw.sendall(BEGUN + bytes(2_000_000))
            until(lambda: len(spooled(tmp_path)) == 1)
            process.kill()
            process.wait()
        assert len(spooled(tmp_path)) == 1
    with serving(tmp_path):
        until(lambda: not spooled(tmp_path))


def test_another_service_leaves_an_upload_that_is_looked_up(start_service: Any) -> None:
    service = start_service(lease_seconds=1)
    other = start_service(lease_seconds=1)
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as raw:
        raw.sendall(BEGUN + b"begun")
        until(lambda: len(service.spooled()) == 1)
        swept: list[int] = []
        sweep = other.context.spool.sweep
        other.context.spool.sweep = lambda *a, **o: swept.append(sweep(*a, **o))
        until(lambda: len(swept) > 5)  # beyond the lease
        assert len(service.spooled()) == 1
    until(lambda: not service.spooled())
