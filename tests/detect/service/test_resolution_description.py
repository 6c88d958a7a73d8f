"""The resolution API is described as the specification does, and answers as it is described."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fixtures.resolution import WRITE
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.testclient import TestClient

OPERATIONS = {
    ("get", "/matches/byBinding"): "queryByBinding",
    ("post", "/matches/byBinding"): "queryByLargeBinding",
    ("post", "/matches/byContent"): "uploadFile",
    ("post", "/matches/byReference"): "queryByReference",
    ("post", "/bindings"): "associateManifest",
    ("put", "/bindings"): "updateAssociatedManifest",
    ("post", "/manifests"): "addManifest",
    ("get", "/manifests/{manifestId}"): "getManifestById",
    ("delete", "/manifests/{manifestId}"): "deleteManifest",
    ("get", "/manifests/{manifestId}/receipts"): "getVerifiedReceipt",
    ("post", "/manifests/{manifestId}/receipts"): "verifyReceipt",
    ("get", "/services/supportedAlgorithms"): "getSupportedBindings",
}
PARAMETERS = {
    "queryByBinding": {"value", "alg", "maxResults"},
    "queryByLargeBinding": {"maxResults"},
    "uploadFile": {"alg", "maxResults", "hintAlg", "hintValue"},
    "queryByReference": {"alg", "maxResults", "hintAlg", "hintValue"},
    "addManifest": {"returnReceipt"},
    "getManifestById": {"manifestId", "returnActiveManifest"},
}
SCHEMAS = {
    "c2pa.softBindingAlgList": {"watermarks", "fingerprints"},
    "c2pa.softBindingQuery": {"alg", "value"},
    "c2pa.bindings": {"bindingValue", "manifestId"},
    "c2pa.softBindingQueryResult": {"matches"},
    "c2pa.manifestCreateResult": {"manifestId", "receipt"},
    "c2pa.manifestReceipt": {"@context", "@type", "repository", "anchor"},
    "c2pa.verifiedManifestReceipt": {
        "@context", "@type", "repository", "anchor", "verified", "error",
    },
}  # fmt: skip


def test_description_is_that_of_the_specification(http: TestClient) -> None:
    document = http.get("/openapi.json").json()
    operations = {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert {key: row["operationId"] for key, row in operations.items()} == OPERATIONS
    for operation in operations.values():
        named = {parameter["name"] for parameter in operation.get("parameters", [])}
        assert PARAMETERS.get(operation["operationId"], named) == named
        assert "422" not in operation["responses"]
    schemas = document["components"]["schemas"]
    for name, fields in SCHEMAS.items():
        assert set(schemas[name]["properties"]) == fields
    assert {"content", "description"} <= set(
        operations["get", "/manifests/{manifestId}"]["responses"]["200"]
    )


def test_the_page_names_every_route() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "ledger.md").read_text("utf-8")
    told, methods = set(), []
    for row in re.findall(r"^\| (`[A-Z]+\W.*?`) \|", page, re.MULTILINE):
        for word in re.findall(r"[A-Z]{3,}|/[\w/{}]+", row):
            if word.startswith("/"):
                told |= {(method.lower(), word) for method in methods}
                methods = []
            else:
                methods.append(word)
    assert told == set(OPERATIONS)


def test_refusals_of_what_is_too_much_are_described(http: TestClient) -> None:
    """Of bodies that are parsed size and time are limited, and of all how often."""
    for methods in http.get("/openapi.json").json()["paths"].values():
        for operation in methods.values():
            told = set(operation["responses"])
            assert "429" in told, operation["operationId"]
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                assert {"408", "413"} <= told, operation["operationId"]


@schemathesis.serializer("video/*", "application/c2pa")
def _as_it_is(_: Any, value: Any) -> Any:
    """Let Schemathesis send bytes of these types."""
    return value if isinstance(value, bytes) else getattr(value, "data", str(value).encode())


@pytest.mark.slow
def test_answers_hold_to_their_description(app: FastAPI) -> None:
    """Schemathesis sends what the description allows, and what it does not."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    tried = []
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=12, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        def check(case: schemathesis.Case) -> None:
            # Not every text is a value of the algorithm, which the description cannot say.
            case.call_and_validate(headers=WRITE, excluded_checks=[positive_data_acceptance])
            tried.append(case.operation.label)

        given(case=operation.as_strategy())(check)()
    assert len(set(tried)) == len(OPERATIONS)
