"""What is measured: every request that was not carried out, once, by its kind."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vidigree.detect.service.metrics import ServiceMetrics

Start = Callable[..., Any]


def refusals(service: Any) -> dict[str, int]:
    text = service.http.get("/metrics").text
    found = re.findall(r'^vidigree_refusals_total\{kind="(\w+)"\} (\d+)', text, re.MULTILINE)
    return {kind: int(number) for kind, number in found}


def test_refusals_of_the_resolution_api_are_counted(start_service: Start) -> None:
    """Once only those for asking too often were."""
    service = start_service(per_minute=5)
    http, video = service.http, {"Content-Type": "video/mp4"}
    by_content = "/c2pa/v1/matches/byContent"
    asked = [
        http.get("/c2pa/v1/nothing"),
        http.get("/c2pa/v1/matches/byBinding", params={"alg": "org.vidigree.robust.3"}),
        http.get("/c2pa/v1/manifests/none"),
        http.post("/c2pa/v1/manifests", content=b"x"),
        http.post(by_content, content=b"x", headers={"Content-Type": "text/plain"}),
        http.post(by_content, content=b"no video", headers=video),
        http.post(by_content, content=b"", headers=video),
        http.post("/c2pa/v1/bindings", json={"bindingValue": "x", "manifestId": "y"}),
        http.post(by_content, content=b"x", headers=video),
    ]
    kinds = [answer.json()["error"]["kind"] for answer in asked]
    assert kinds[-1] == "TooOften"
    assert refusals(service) == {kind: kinds.count(kind) for kind in kinds}


def test_what_the_end_of_the_service_cuts_off_is_counted(start_service: Start) -> None:
    service = start_service()
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as raw:
        raw.sendall(
            b"POST /v1/audits HTTP/1.1\r\nHost: a\r\nContent-Type: video/mp4\r\n"
            b"Content-Length: 1000\r\n\r\nbegun"
        )
        while not service.spooled():
            pass
        service.end()
        while raw.recv(4096):
            pass
    assert b'vidigree_refusals_total{kind="Stopping"} 1.0' in service.context.metrics.render({})


def test_the_page_names_every_metric_with_its_labels() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "service.md").read_text("utf-8")
    rows = re.findall(r"^\| `(vidigree_\w+)` \| (.*?) ?\| ", page, re.MULTILINE)
    told = {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    metrics = ServiceMetrics()
    measured = {
        metric._name + ("_total" if metric._type == "counter" else ""): metric._labelnames
        for metric in vars(metrics).values()
        if hasattr(metric, "_labelnames")
    }
    assert told == measured
    assert len(measured) == len(list(metrics._registry.collect()))
