"""The service over HTTP: answers, limits, and nothing kept."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from vidigree.detect import isolation
from vidigree.detect.service.journal import JsonLines

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "detect" / "schema" / "verdict-1.json").read_text("utf-8")
)
Start = Callable[..., Any]


def test_an_upload_is_answered_at_once_and_nothing_stays(service: Any, clip: Path) -> None:
    answer = service.audit(clip, pictures=3)
    assert answer.status_code == 200, answer.text
    job = answer.json()
    assert job["state"] == "done"
    assert job["verdict"]["finding"] == "no-evidence"
    assert job["verdict"]["file"] == clip.name
    jsonschema.validate(job["verdict"], SCHEMA)
    assert len(job["pictures"]) == 3
    assert service.spooled() == []
    assert service.context.jobs.find(job["id"]) is None
    assert str(service.settings.spool) not in answer.text


@pytest.mark.parametrize("content_type", ["video/mp4", "application/octet-stream"])
def test_a_raw_body_is_a_clip(service: Any, clip: Path, content_type: str) -> None:
    answer = service.http.post(
        "/v1/audits?name=a.mp4&language=zh",
        content=clip.read_bytes(),
        headers={"Content-Type": content_type},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["verdict"]["file"] == "a.mp4"
    assert any("一" <= sign <= "鿿" for sign in answer.json()["verdict"]["title"])


def test_a_bad_clip_is_an_error_with_a_hint(service: Any, broken: Path) -> None:
    answer = service.audit(broken, policy="platform")
    assert answer.status_code == 422
    job = answer.json()
    assert job["verdict"] is None
    assert job["error"]["kind"] == "NotAVideoError"
    assert job["error"]["hint"]
    assert job["decision"]["row"] == "unreadable"
    assert str(service.settings.spool) not in answer.text
    assert service.spooled() == []


def test_a_long_job_is_followed(service: Any, clip: Path) -> None:
    answer = service.audit(clip, wait=0)
    job = service.follow(answer)
    assert job["verdict"]["finding"] == "no-evidence"
    assert answer.headers["location"] == f"/v1/audits/{job['id']}"
    # It lingers for a client that lost the connection, and can be forgotten at once.
    assert service.http.get(answer.headers["location"]).status_code == 200
    stored = service.context.jobs.find(job["id"])
    assert stored is not None
    assert service.http.delete(answer.headers["location"]).status_code == 204
    assert service.http.get(answer.headers["location"]).status_code == 404


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1/clip.mp4", "public internet"),
        ("http://169.254.169.254/latest/meta-data", "public internet"),
        ("http://[::1]/clip.mp4", "public internet"),
        ("http://[::ffff:10.0.0.1]/clip.mp4", "public internet"),
        ("http://localhost:6379/", "Port 6379"),
    ],
)
def test_urls_inside_are_not_fetched(service: Any, url: str, words: str) -> None:
    answer = service.http.post("/v1/audits", json={"url": url})
    assert answer.status_code == 422
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "status", "kind"),
    [
        ({"json": {}}, 400, "NoClip"),
        ({"json": []}, 400, "DamagedBody"),
        ({"content": b"", "headers": {"Content-Type": "video/mp4"}}, 400, "NoClip"),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "DamagedBody"),
        (
            {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
            400,
            "DamagedBody",
        ),
        (
            {"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
            400,
            "DamagedBody",
        ),
        ({"files": [("file", b"a"), ("file", b"b")]}, 400, "DamagedBody"),
        (
            {
                "content": b"x" * 100_000,
                "headers": {"Content-Type": "application/x-www-form-urlencoded"},
            },
            415,
            "WrongContentType",
        ),
        ({"json": {"url": "https://example.org/a", "policy": "none"}}, 400, "WrongOption"),
        ({"json": {"url": "https://example.org/a", "pictures": "x"}}, 400, "WrongOption"),
        ({"json": {"url": "http://[::1/a"}}, 400, "WrongOption"),
        (
            {
                "content": rb'{"url": "https://example.org/\ud800"}',
                "headers": {"Content-Type": "application/json"},
            },
            400,
            "WrongOption",
        ),
    ],
)
def test_requests_that_mean_nothing(
    service: Any, arguments: dict[str, Any], status: int, kind: str
) -> None:
    answer = service.http.post("/v1/audits", **arguments)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (status, kind)
    assert answer.json()["error"]["hint"]
    assert service.spooled() == []
    assert service.context.jobs.count().get("receiving", 0) == 0


def test_too_large_an_upload_is_refused_declared_or_not(start_service: Start) -> None:
    service = start_service(max_upload_bytes=10_000)
    body = bytes(20_000)
    headers = {"Content-Type": "video/mp4"}
    declared = service.http.post("/v1/audits", content=body, headers=headers)
    streamed = service.http.post(
        "/v1/audits", content=(body[:5000] for _ in range(4)), headers=headers
    )
    form = service.http.post("/v1/audits", files={"file": ("a.mp4", body)})
    assert [answer.status_code for answer in (declared, streamed, form)] == [413, 413, 413]
    assert service.spooled() == []


def test_an_upload_that_stalls_is_cut_off(start_service: Start) -> None:
    service = start_service(idle_seconds=0.3)
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as raw:
        raw.sendall(
            b"POST /v1/audits HTTP/1.1\r\nHost: a\r\nContent-Type: video/mp4\r\n"
            b"Content-Length: 1000\r\n\r\nbegun"
        )
        answer = raw.recv(4096)
    assert b"408" in answer.split(b"\r\n")[0]
    assert service.context.jobs.count() == {}
    assert service.spooled() == []


def test_a_caller_who_hangs_up_leaves_nothing(start_service: Start) -> None:
    service = start_service()
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as raw:
        raw.sendall(
            b"POST /v1/audits HTTP/1.1\r\nHost: a\r\nContent-Type: video/mp4\r\n"
            b"Content-Length: 1000\r\n\r\nbegun"
        )
        time.sleep(0.2)
    deadline = time.monotonic() + 10
    while service.context.jobs.count() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert service.context.jobs.count() == {}
    assert service.spooled() == []


def test_beyond_the_queue_the_answer_is_429(start_service: Start, clip: Path) -> None:
    service = start_service(max_queue=2)
    places = [
        service.context.jobs.receive(owner="", spool="elsewhere", max_queue=9) for _ in range(2)
    ]
    refused = service.audit(clip)
    assert (refused.status_code, refused.json()["error"]["kind"]) == (429, "QueueFull")
    assert int(refused.headers["retry-after"]) >= 1
    service.context.jobs.delete(places[0].job_id)
    assert service.audit(clip).status_code == 200


def test_one_address_may_ask_only_so_often(start_service: Start, broken: Path) -> None:
    service = start_service(per_minute=2)
    assert [service.audit(broken).status_code for _ in range(3)] == [422, 422, 429]
    refused = service.audit(broken)
    assert refused.json()["error"]["kind"] == "TooOften"
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    key = {"Authorization": f"Bearer {service.context.keys.add('A', per_minute=1)}"}
    with broken.open("rb") as file:
        keyed = service.http.post("/v1/audits", files={"file": file}, headers=key)
    assert keyed.status_code == 422  # a key has a limit of its own


def test_keys_are_needed_where_asked_and_jobs_belong_to_them(
    start_service: Start, clip: Path
) -> None:
    service = start_service(require_key=True)
    missing = service.audit(clip)
    assert (missing.status_code, missing.headers["www-authenticate"]) == (401, "Bearer")
    assert service.http.get("/v1/service").json()["key_required"] is True
    mine = {"Authorization": f"Bearer {service.context.keys.add('A')}"}
    other = {"X-API-Key": service.context.keys.add("B")}
    wrong = {"X-API-Key": "vdg_000000000000_00"}
    with clip.open("rb") as file:
        answer = service.http.post("/v1/audits?wait=0", files={"file": file}, headers=mine)
    assert service.follow(answer, **mine)["state"] == "done"
    place = answer.headers["location"]
    assert service.http.get(place, headers=other).status_code == 404
    assert service.http.delete(place, headers=other).status_code == 404
    assert service.http.get(place).status_code == 401
    assert service.http.get(place, headers=wrong).status_code == 401
    assert service.http.get(place, headers=mine).status_code == 200


def test_a_crashed_decoder_costs_one_error(start_service: Start, clip: Path) -> None:
    service = start_service(job_seconds=0.05)
    slow = service.audit(clip)
    assert slow.status_code == 422
    assert "takes longer than" in slow.json()["error"]["message"]
    assert service.http.get("/healthz").status_code == 200


DEFECT = """
from vidigree.detect import worker

def audit_job(job, *_):
    raise KeyError(f"a defect over {job['name']}")

worker.audit_job = audit_job
worker.main()
"""


def test_a_defect_is_one_line_of_the_log_and_none_of_it_is_told(
    start_service: Start,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    script = tmp_path / "defect.py"
    script.write_text(DEFECT, encoding="utf-8")
    monkeypatch.setattr(isolation, "_WORKER", (str(script),))
    with caplog.at_level(logging.INFO, logger="vidigree.service"):
        answer = start_service().audit(clip)
    assert answer.json()["error"]["kind"] == "VidigreeError"
    assert "defect of vidigree: KeyError" in answer.text
    assert "Traceback" not in answer.text
    assert "a defect over" not in answer.text
    rows = [json.loads(JsonLines().format(record)) for record in caplog.records]
    assert not [row for row in rows if row["event"] == "worker-output"]
    (row,) = [row for row in rows if row["event"] == "unexpected-error"]
    assert row["level"] == "error"
    assert row["exception"].startswith("Traceback (most recent call last):\n")
    assert row["exception"].endswith("KeyError: 'a defect over (the clip)'\n")


def test_health_metrics_and_description(service: Any, broken: Path) -> None:
    service.audit(broken)
    assert service.http.get("/healthz").json()["status"] == "ok"
    text = service.http.get("/metrics").text
    assert 'vidigree_audits_total{finding="error"}' in text
    assert 'vidigree_jobs{state="running"} 0.0' in text
    description = service.http.get("/openapi.json").json()
    assert {"/v1/audits", "/v1/audits/{job_id}", "/healthz"} <= set(description["paths"])
    body = description["paths"]["/v1/audits"]["post"]["requestBody"]["content"]
    assert {"multipart/form-data", "application/json", "video/*"} <= set(body)
    for number in range(3):  # what a client makes up must not become a measurement of its own
        service.http.request(f"MADEUP{number}", f"/made/up/{number}")
    assert "MADEUP" not in service.http.get("/metrics").text
    assert "/made/up" not in service.http.get("/metrics").text
    assert service.http.get("/docs").status_code == 404  # its scripts would come from elsewhere


@pytest.mark.parametrize(
    "path", ["/", "/page/page.js", "/page/nothing", "/page/..%2fapp.py", "/healthz", "/v1/audits/x"]
)
def test_every_answer_carries_the_strict_policy(service: Any, path: str) -> None:
    answer = service.http.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.status_code in {200, 404}
    assert ".py" not in path or answer.status_code == 404


def test_page_parts_are_not_sent_twice(service: Any) -> None:
    first = service.http.get("/page/page.css")
    again = service.http.get("/page/page.css", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_logs_say_what_happened_and_not_to_what(
    service: Any, clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = tmp_path / "secret-name.mp4"
    secret.write_bytes(clip.read_bytes())
    with caplog.at_level(logging.INFO, logger="vidigree.service"):
        service.audit(secret)
        service.http.post("/v1/audits", json={"url": "http://secret-host.invalid/secret-path"})
        deadline = time.monotonic() + 5
        while caplog.text.count("audit-finished") < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    lines = [JsonLines().format(record) for record in caplog.records]
    rows = [json.loads(line) for line in lines]
    assert {"request", "audit-finished"} <= {row["event"] for row in rows}
    assert any(row.get("route") == "/v1/audits" and row["status"] == 200 for row in rows)
    assert "secret" not in "".join(lines)
    assert "127.0.0.1" not in "".join(lines)


def test_the_resolution_api_stands_beside_the_audits(start_service: Start) -> None:
    service = start_service(per_minute=1)
    listed = service.http.get("/c2pa/v1/services/supportedAlgorithms")
    assert listed.status_code == 200
    assert "org.vidigree.robust.3" in listed.text
    assert "default-src 'none'" in listed.headers["content-security-policy"]
    answers = [
        service.http.post("/c2pa/v1/matches/byContent", content=b"x", headers=header)
        for header in ({"Content-Type": "video/mp4"},) * 2
    ]
    assert answers[0].status_code == 400
    assert answers[1].status_code == 429
    assert int(answers[1].headers["retry-after"]) > 0
    assert 'route="/c2pa/v1' in service.http.get("/metrics").text


@pytest.mark.parametrize("path", ["/v1/audits?layers=credentials", "/c2pa/v1/matches/byContent"])
def test_a_clip_that_is_too_long_is_neither_audited_nor_looked_up(
    start_service: Start, clip: Path, path: str
) -> None:
    """Once only audits had that limit of the service."""
    service = start_service(max_clip_seconds=0.1)
    video = {"Content-Type": "video/mp4"}
    answer = service.http.post(path, content=clip.read_bytes(), headers=video)
    assert answer.status_code in {400, 422}
    assert answer.json()["error"]["kind"] == "UnsupportedMediaError"


def test_a_url_must_come_in_quickly_and_on_the_public_net(start_service: Start) -> None:
    service, asked = start_service(min_fetch_rate=1000, upload_seconds=7), []
    audit = service.context.runner.pool.audit
    service.context.runner.pool.audit = lambda job, **o: asked.append(job) or audit(job, **o)
    service.http.post("/v1/audits", json={"url": "http://127.0.0.1/clip.mp4"})
    (fetch,) = [job.fetch for job in asked]
    assert (fetch.min_rate, fetch.idle_seconds, fetch.max_seconds) == (1000, 30, 7)
    assert fetch.public_only
