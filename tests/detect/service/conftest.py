"""A real service on a real port, in this process; its workers are processes of their own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fixtures.manifest_stores import manifest_store
from fixtures.postgres import ledger_url, new_ledger_url, postgres_server
from fixtures.resolution import CLIP_ID, ISSUED, TOKENS
from starlette.testclient import TestClient

from vidigree.detect.isolation import Answer, Job
from vidigree.detect.service.app import create_app
from vidigree.detect.service.context import ServiceContext
from vidigree.detect.service.resolution import ResolutionSettings, create_resolution_app
from vidigree.detect.service.resolution_search import ContentSearch
from vidigree.detect.service.server import Connection, Server
from vidigree.detect.service.settings import ServiceSettings
from vidigree.detect.worker import perform
from vidigree.watermark.fingerprint import fingerprint_video
from vidigree.watermark.ledger import Ledger, LedgerEntry

__all__ = ["ledger_url", "new_ledger_url", "postgres_server"]


class RunningService:
    """A service and a client for it."""

    def __init__(self, server: uvicorn.Server, settings: ServiceSettings) -> None:
        port = server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.port: int = port
        self.settings = settings
        self.context: ServiceContext = server.config.app.state.context  # type: ignore[union-attr]
        self.http = httpx.Client(base_url=self.url, timeout=60)
        self._server = server

    def send_in_small_pieces(self) -> None:
        """Let the system hold little of what connections from now on have not read."""
        self._server.servers[0].sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

    def connections(self) -> int:
        return len(self._server.server_state.connections)

    def end(self) -> None:
        """Begin to end, as a signal makes it."""
        self._server.should_exit = True

    def audit(self, path: Path, **fields: Any) -> httpx.Response:
        with path.open("rb") as file:
            return self.http.post("/v1/audits", files={"file": (path.name, file)}, data=fields)

    def follow(self, answer: httpx.Response, **headers: str) -> dict[str, Any]:
        assert answer.status_code == 202, answer.text
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            job: dict[str, Any] = self.http.get(answer.headers["location"], headers=headers).json()
            if job["state"] in {"done", "failed"}:
                return job
            time.sleep(0.05)
        raise AssertionError(f"not finished: {job}")

    def spooled(self) -> list[str]:
        return sorted(p.name for p in self.settings.spool.iterdir() if p.name != "spool-id")


@contextmanager
def running(settings: ServiceSettings) -> Iterator[RunningService]:
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        http=Connection,
        port=0,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = Server(config, app.state.context)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    service = RunningService(server, settings)
    try:
        yield service
    finally:
        service.http.close()
        service.end()
        thread.join(20)
        assert not thread.is_alive()


def settings_in(folder: Path, **wishes: Any) -> ServiceSettings:
    """Return settings for a service of one worker that reads credentials only."""
    defaults: dict[str, Any] = {
        "ledger": f"sqlite:///{folder}/service.sqlite3",
        "spool": folder / "spool",
        "workers": 1,
        "layers": ("credentials",),
        "per_minute": 10_000,
        "worker_memory_bytes": 4 << 30,
    }
    return ServiceSettings(**(defaults | wishes))


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[Callable[..., RunningService]]:
    """Start services with settings of one's own; they end with the test."""
    with ExitStack() as stack:

        def start(**wishes: Any) -> RunningService:
            return stack.enter_context(running(settings_in(tmp_path, **wishes)))

        yield start


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A file that holds no video."""
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"no video at all " * 64)
    return path


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """Return a service that the tests of a module share."""
    with running(settings_in(tmp_path_factory.mktemp("service"))) as started:
        yield started


@pytest.fixture
def ledger(tmp_path: Path, clip: Path) -> Iterator[Ledger]:
    """A ledger in which one clip was issued."""
    fingerprint = fingerprint_video(clip)
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite3") as opened:
        opened.record(
            LedgerEntry(
                clip_id=CLIP_ID,
                key_id="published-1",
                method="robust",
                manifest_store=manifest_store("urn:c2pa:parent", ISSUED),
                fingerprint=fingerprint.to_bytes(),
                created_at=datetime(2026, 11, 20, tzinfo=UTC),
            )
        )
        yield opened


@pytest.fixture
def jobs() -> list[Job]:
    """The clips that were looked at."""
    return []


@pytest.fixture
def search(ledger: Ledger, jobs: list[Job], tmp_path: Path) -> ContentSearch:
    """Looks at clips in this process, and does not fetch any."""

    def audit(job: Job) -> Answer:
        jobs.append(job)
        if job.name.startswith("https://"):
            error = {"kind": "MediaError", "message": "secrets of the network", "hint": ""}
            return Answer(row={"error": error}, exit_code=3)
        # The mark has tests of its own and takes seconds.
        fast = replace(job, settings=replace(job.settings, layers=("ledger",)))
        return Answer(**perform(fast.to_dict()))

    return ContentSearch(audit, ledger, ledger_url=f"sqlite:///{tmp_path}/ledger.sqlite3")


@pytest.fixture
def app(ledger: Ledger, search: ContentSearch) -> FastAPI:
    return create_resolution_app(ledger, search, ResolutionSettings(tokens=TOKENS))


@pytest.fixture
def http(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)
