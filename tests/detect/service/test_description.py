"""The description of the interface says what the service does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

Start = Callable[..., Any]
WRONG = {"X-API-Key": "vdg_000000000000_00"}


def described(service: Any, method: str, path: str) -> dict[str, Any]:
    operation: dict[str, Any] = service.http.get("/openapi.json").json()["paths"][path][method]
    return operation


@pytest.mark.parametrize(
    ("method", "path", "arguments", "status"),
    [
        ("get", "/v1/audits/{job_id}", {}, 404),
        ("get", "/v1/audits/{job_id}", {"headers": WRONG}, 401),
        ("delete", "/v1/audits/{job_id}", {}, 404),
        ("delete", "/v1/audits/{job_id}", {"headers": WRONG}, 401),
        ("post", "/v1/audits", {"json": {}}, 400),
        ("post", "/v1/audits", {"data": {"url": "http://127.0.0.1/a"}}, 422),
        ("post", "/v1/audits", {"json": {"url": "http://127.0.0.1/a", "wait": 0}}, 202),
        ("get", "/healthz", {}, 200),
        ("get", "/metrics", {}, 200),
        ("get", "/v1/service", {}, 200),
    ],
)
def test_an_answer_is_one_of_those_that_are_described(
    service: Any, method: str, path: str, arguments: dict[str, Any], status: int
) -> None:
    answer = service.http.request(method, path.format(job_id="0"), **arguments)
    assert answer.status_code == status
    response = described(service, method, path)["responses"][str(status)]
    (kind,) = response["content"]
    assert answer.headers["content-type"].partition(";")[0] == kind
    if kind == "application/json":
        jsonschema.validate(answer.json(), response["content"][kind]["schema"])
        assert response["content"][kind]["schema"]["properties"]
    for name in response.get("headers", {}):
        assert name in answer.headers


def test_nothing_is_described_that_no_one_gets(service: Any) -> None:
    for method in ("get", "delete"):
        assert "422" not in described(service, method, "/v1/audits/{job_id}")["responses"]
    document = service.http.get("/openapi.json").json()
    assert set(document["components"]) == {"securitySchemes"}


def test_health_that_fails_is_described(start_service: Start) -> None:
    service = start_service()
    (service.settings.spool / "spool-id").unlink()
    service.settings.spool.rmdir()
    answer = service.http.get("/healthz")
    assert answer.status_code == 503
    schema = described(service, "get", "/healthz")["responses"]["503"]["content"]
    jsonschema.validate(answer.json(), schema["application/json"]["schema"])
    service.settings.spool.mkdir()


@pytest.mark.parametrize("scheme", ["bearer", "key"])
def test_a_key_is_sent_as_described(start_service: Start, scheme: str) -> None:
    service = start_service(require_key=True)
    document = service.http.get("/openapi.json").json()
    how = document["components"]["securitySchemes"][scheme]
    for path in ("/v1/audits", "/v1/audits/{job_id}"):
        for operation in document["paths"][path].values():
            assert {scheme: []} in operation["security"]
    key = service.context.keys.add("A")
    headers = {how["name"]: key} if "name" in how else {"Authorization": f"{how['scheme']} {key}"}
    assert service.http.get("/v1/audits/0", headers=headers).status_code == 404
    assert service.http.get("/v1/audits/0").status_code == 401


@pytest.mark.parametrize("option", ["keep", "wait", "pictures"])
def test_what_is_below_the_described_least_is_refused(service: Any, option: str) -> None:
    body = described(service, "post", "/v1/audits")["requestBody"]["content"]
    least = body["application/json"]["schema"]["properties"][option]["minimum"]
    answer = service.http.post(
        "/v1/audits", json={"url": "https://example.org/a", option: least - 1}
    )
    assert answer.status_code == 400
