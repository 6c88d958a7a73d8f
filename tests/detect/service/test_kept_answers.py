"""How long answers are kept, and how much of them in all."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vidigree.detect.service.schema import jobs

Start = Callable[..., Any]


def test_an_answer_is_kept_when_asked(service: Any, clip: Path) -> None:
    job = service.audit(clip, keep=600).json()
    kept = service.http.get(f"/v1/audits/{job['id']}").json()
    assert kept["verdict"] == job["verdict"]
    assert service.spooled() == []  # the answer, never the clip


@pytest.mark.parametrize("wait", [0, 20])
@pytest.mark.parametrize(
    ("keep", "stays"), [(0, 60), (10, 60), (600, 600), (7200, 7200), (10**9, 7 * 86400)]
)
def test_an_answer_that_was_fetched_stays_as_long_as_was_asked(
    service: Any, broken: Path, keep: int, stays: int, wait: int
) -> None:
    answer = service.audit(broken, keep=keep, wait=wait)
    job = answer.json() if wait else service.follow(answer)
    with service.context.engine.connect() as connection:
        query = sa.select(jobs.c.expires_at - jobs.c.finished_at).where(jobs.c.id == job["id"])
        left = connection.execute(query).scalar_one_or_none()
    if wait and not keep:
        assert left is None  # sent, and gone
    else:
        assert stays <= left < stays + 5


def test_no_more_is_kept_than_there_is_room_for(start_service: Start, broken: Path) -> None:
    service = start_service(max_kept_bytes=100)
    assert service.audit(broken, keep=600).status_code == 422
    refused = service.audit(broken, keep=600)
    assert (refused.status_code, refused.json()["error"]["kind"]) == (507, "NoRoomToKeep")
    assert int(refused.headers["retry-after"]) > 0
    assert service.spooled() == []
    assert service.audit(broken).status_code == 422
    unfetched = service.audit(broken, wait=0).json()
    deadline = time.monotonic() + 30
    while (job := service.context.jobs.find(unfetched["id"])).state != "done":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with service.context.engine.connect() as connection:
        query = sa.select(jobs.c.expires_at - jobs.c.finished_at).where(jobs.c.id == job.job_id)
        assert connection.execute(query).scalar_one() == pytest.approx(60, abs=1)
