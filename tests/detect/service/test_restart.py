"""Jobs survive the death of the service, sudden or not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
