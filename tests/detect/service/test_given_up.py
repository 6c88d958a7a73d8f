"""Jobs that nobody can finish: told, counted and gone; the service goes on."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vidigree.detect.service.job_store import JobOptions
from vidigree.detect.service.journal import JsonLines
from vidigree.detect.service.schema import jobs

Start = Callable[..., Any]


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_job_that_was_given_up_is_logged_counted_and_its_upload_deleted(
    start_service: Start, caplog: pytest.LogCaptureFixture
) -> None:
    service = start_service()
    store = service.context.jobs
    with caplog.at_level(logging.INFO, logger="vidigree.service"):
        job = store.receive(owner="", spool=service.context.spool.spool_id, max_queue=9)
        (service.settings.spool / job.job_id).write_bytes(b"a clip that ends every service")
        with service.context.engine.begin() as connection:
            connection.execute(sa.update(jobs).values(attempts=3))
        assert store.enqueue(job, name="clip.mp4", options=JobOptions())
        until(lambda: "audit-given-up" in caplog.text)
    assert service.spooled() == []
    answer = service.http.get(f"/v1/audits/{job.job_id}").json()
    assert (answer["state"], answer["error"]["kind"]) == ("failed", "ServiceError")
    metrics = service.http.get("/metrics").text
    assert 'vidigree_audits_total{finding="given-up"} 1.0' in metrics
    assert "vidigree_audit_seconds_count 0.0" in metrics


def test_a_job_that_was_given_up_is_answered_where_a_report_was_asked_for(
    start_service: Start,
) -> None:
    """It asked for the report of a clip that nobody had looked at, as the page does: 500."""
    service = start_service()
    store = service.context.jobs
    job = store.receive(owner="", spool=service.context.spool.spool_id, max_queue=9)
    with service.context.engine.begin() as connection:
        connection.execute(sa.update(jobs).values(attempts=3))
    assert store.enqueue(job, name="clip.mp4", options=JobOptions(report=True, policy="platform"))
    until(lambda: store.find(job.job_id).state == "failed")
    answer = service.http.get(f"/v1/audits/{job.job_id}")
    assert (answer.status_code, answer.json()["report"]) == (200, None)
    assert answer.json()["error"]["kind"] == "ServiceError"
    # Once nobody decided on it, though a policy was named.
    assert answer.json()["decision"]["row"] == "unreadable"


def test_an_audit_whose_job_was_deleted_is_not_counted(
    start_service: Start, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start_service()
    runner = service.context.runner
    told, events = runner._on_event, list[str]()

    def note(event: str, *job: Any) -> None:
        told(event, *job)
        events.append(event)

    monkeypatch.setattr(runner, "_on_event", note)
    monkeypatch.setattr(service.context.jobs, "finish", lambda *_, **__: False)
    assert service.audit(clip, wait=0).status_code == 202
    until(lambda: events)
    assert events == ["lost"]
    assert 'finding="no-evidence"' not in service.http.get("/metrics").text


def test_a_defect_in_a_thread_costs_one_line_of_the_log(
    start_service: Start, clip: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    service = start_service()
    claim, defects = service.context.jobs.claim, [KeyError("a defect")]

    def claim_badly(*spool: Any, **options: Any) -> Any:
        if defects:
            raise defects.pop()
        return claim(*spool, **options)

    with caplog.at_level(logging.INFO, logger="vidigree.service"):
        monkeypatch.setattr(service.context.jobs, "claim", claim_badly)
        until(lambda: "unexpected-error" in caplog.text)
    assert service.http.get("/healthz").status_code == 200
    assert service.audit(clip).status_code == 200
    rows = [json.loads(JsonLines().format(record)) for record in caplog.records]
    (row,) = [row for row in rows if row["event"] == "unexpected-error"]
    assert row["exception"].endswith("KeyError: 'a defect'")
