"""A full disk, or one that is gone: told as such, and over as soon as there is room again."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from vidigree.detect.service import receiving
from vidigree.detect.service.journal import JsonLines
from vidigree.media.errors import LedgerError

Start = Callable[..., Any]


def full(*_: Any, **__: Any) -> Any:
    raise LedgerError("The job cannot be changed: database or disk is full.")


def rows(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(JsonLines().format(record)) for record in caplog.records]


def test_an_upload_that_fills_the_disk_makes_room_again(
    start_service: Start,
    clip: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once the database, beside it on the disk, could not forget the job, and the upload stayed."""
    service = start_service()
    delete = service.context.jobs.delete

    def delete_where_there_is_room(job_id: str) -> None:
        full() if service.spooled() else delete(job_id)

    def write(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(service.context.jobs, "delete", delete_where_there_is_room)
    with monkeypatch.context() as patch, caplog.at_level(logging.INFO, logger="vidigree.service"):
        patch.setattr(receiving.os, "write", write)
        answer = service.audit(clip)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (507, "NoSpace")
    assert int(answer.headers["retry-after"]) > 0
    assert service.spooled() == []
    assert service.context.jobs.count() == {}
    (row,) = [row for row in rows(caplog) if row["event"] == "spool-trouble"]
    assert row["message"] == "No space left on device"
    assert service.audit(clip).status_code == 200


def test_uploads_are_swept_even_where_the_database_can_write_nothing(
    start_service: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start_service(lease_seconds=1)
    for name in ("sweep", "renew"):
        monkeypatch.setattr(service.context.jobs, name, full)
    left = service.settings.spool / ("ab" * 16)
    left.write_bytes(b"of a service that was killed")
    os.utime(left, (0, 0))
    deadline = time.monotonic() + 20
    while service.spooled() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert service.spooled() == []


def test_a_verdict_is_given_even_where_it_cannot_be_forgotten(
    start_service: Start, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start_service()
    for name in ("delete", "expire_soon"):
        monkeypatch.setattr(service.context.jobs, name, full)
    answer = service.audit(clip)
    assert answer.status_code == 200, answer.text
    assert answer.json()["verdict"]["finding"] == "no-evidence"
    assert service.http.get(f"/v1/audits/{answer.json()['id']}").status_code == 200


def test_a_spool_folder_that_is_gone_is_told(
    start_service: Start, clip: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = start_service()
    shutil.rmtree(service.settings.spool)
    with caplog.at_level(logging.INFO, logger="vidigree.service"):
        answer = service.audit(clip)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (507, "NoSpace")
    health = service.http.get("/healthz")
    assert (health.status_code, health.json()["status"]) == (503, "spool-unusable")
    events = [row["event"] for row in rows(caplog)]
    assert "spool-trouble" in events
    assert "unexpected-error" not in events
    service.settings.spool.mkdir()
    assert service.http.get("/healthz").status_code == 200
    assert service.audit(clip).status_code == 200


def test_a_look_up_without_room_for_the_clip_is_told(
    start_service: Start, clip: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = start_service()
    shutil.rmtree(service.settings.spool)
    with caplog.at_level(logging.INFO, logger="vidigree.service"):
        answer = service.http.post(
            "/c2pa/v1/matches/byContent",
            content=clip.read_bytes(),
            headers={"Content-Type": "video/mp4"},
        )
    assert (answer.status_code, answer.json()["error"]["kind"]) == (507, "NoSpace")
    assert "spool-trouble" in [row["event"] for row in rows(caplog)]


def test_a_look_up_without_a_folder_for_temporary_files_is_told(
    http: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    answer = http.post("/matches/byContent", content=b"clip", headers={"Content-Type": "video/mp4"})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (507, "NoSpace")
