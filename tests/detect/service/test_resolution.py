"""The C2PA Soft Binding Resolution API: finds manifests, keeps them, and lets few people write."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fixtures.manifest_stores import manifest_store
from fixtures.resolution import CLIP_ID, ISSUED, READER, TOKEN, TOKENS, WRITE, b64
from starlette.testclient import TestClient

from vidigree.detect.fetching import FetchLimits
from vidigree.detect.isolation import Answer, Job
from vidigree.detect.service.resolution import ResolutionSettings, create_resolution_app
from vidigree.detect.service.resolution_access import ScopedTokens
from vidigree.detect.service.resolution_search import FINGERPRINT_ALGORITHM, ContentSearch
from vidigree.detect.worker import perform
from vidigree.media import UsageError
from vidigree.watermark.credentials import SOFT_BINDING_ALGORITHM
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.ledger.repository import ManifestRepository


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [match["manifestId"] for match in answer.json()["matches"]]


def test_clip_is_found_by_its_mark_and_its_manifest_comes_back(http: TestClient) -> None:
    binding = {
        "alg": SOFT_BINDING_ALGORITHM,
        "value": b64(f"published-1:{CLIP_ID:016x}"),
    }
    answer = http.get("/matches/byBinding", params=binding)
    assert answer.json() == {"matches": [{"manifestId": ISSUED, "similarityScore": 100}]}
    assert http.post("/matches/byBinding", json=binding).json() == answer.json()
    manifest = http.get(f"/manifests/{ISSUED}")
    assert manifest.headers["content-type"] == "application/c2pa"
    assert manifest.content == manifest_store("urn:c2pa:parent", ISSUED)
    active = http.get(f"/manifests/{ISSUED}", params={"returnActiveManifest": True})
    assert active.content == manifest_store(ISSUED)


@pytest.mark.parametrize("value", [f"another-key:{CLIP_ID:016x}", "published-1:0000000000000001"])
def test_unknown_mark_has_no_matches(http: TestClient, value: str) -> None:
    asked = {"alg": SOFT_BINDING_ALGORITHM, "value": b64(value)}
    assert ids(http.get("/matches/byBinding", params=asked)) == []


@pytest.mark.parametrize(
    "digits", ["-000000000000001", "+123456789abcdef", "0x00000000000001", "1", "", "g" * 16]
)
def test_value_that_is_no_mark_is_refused(http: TestClient, digits: str) -> None:
    asked = {"alg": SOFT_BINDING_ALGORITHM, "value": b64(f"published-1:{digits}")}
    answer = http.get("/matches/byBinding", params=asked)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "WrongValue")


def test_clip_is_found_by_its_fingerprint(http: TestClient, ledger: Ledger) -> None:
    entry = ledger.find_clip(CLIP_ID)
    assert entry is not None
    asked = {"alg": FINGERPRINT_ALGORITHM, "value": b64(entry.fingerprint)}
    answer = http.post("/matches/byBinding", json=asked)
    assert answer.json() == {"matches": [{"manifestId": ISSUED, "similarityScore": 100}]}


def test_clip_is_found_by_its_content(
    http: TestClient, clip: Path, make_clip: Any, tmp_path: Path
) -> None:
    video = {"Content-Type": "video/mp4"}
    found = http.post("/matches/byContent", content=clip.read_bytes(), headers=video)
    assert found.json()["matches"][0]["manifestId"] == ISSUED
    other = make_clip(tmp_path / "other.mp4", seed=7).read_bytes()
    assert ids(http.post("/matches/byContent", content=other, headers=video)) == []
    hint = {"hintAlg": SOFT_BINDING_ALGORITHM, "hintValue": b64(f"published-1:{CLIP_ID:016x}")}
    hinted = http.post("/matches/byContent", content=other, headers=video, params=hint)
    assert ids(hinted) == [ISSUED]


def test_uploads_are_deleted(http: TestClient, clip: Path, jobs: list[Job]) -> None:
    video = {"Content-Type": "video/mp4"}
    http.post("/matches/byContent", content=clip.read_bytes(), headers=video)
    http.post("/matches/byContent", content=b"damaged", headers=video)
    assert len(jobs) == 2
    assert not any(Path(job.name).exists() for job in jobs)


@pytest.mark.parametrize(
    ("content", "headers", "params", "status"),
    [
        (b"no video", {"Content-Type": "video/mp4"}, {}, 400),
        (b"", {"Content-Type": "video/mp4"}, {}, 400),
        (b"text", {"Content-Type": "text/plain"}, {}, 415),
        (b"x", {"Content-Type": "video/mp4"}, {"alg": "com.example.other"}, 400),
        (b"x", {"Content-Type": "video/mp4"}, {"maxResults": 0}, 400),
    ],
)
def test_content_that_cannot_be_searched_is_refused(
    http: TestClient, content: bytes, headers: Any, params: Any, status: int
) -> None:
    answer = http.post("/matches/byContent", content=content, headers=headers, params=params)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"kind", "message", "hint"}


def test_large_upload_is_refused(ledger: Ledger, search: ContentSearch) -> None:
    small = ResolutionSettings(max_upload_bytes=1000)
    http = TestClient(create_resolution_app(ledger, search, small))
    video = {"Content-Type": "video/mp4"}
    assert http.post("/matches/byContent", content=b"x" * 1001, headers=video).status_code == 413


def test_reference_is_fetched_within_limits(http: TestClient, jobs: list[Job]) -> None:
    asked = {"referenceUrl": "https://example.org/clip.mp4", "assetLength": 5000}
    answer = http.post("/matches/byReference", json=asked)
    assert answer.status_code == 400
    assert "secrets" not in answer.text
    (job,) = jobs
    assert job.name == "https://example.org/clip.mp4"
    assert (job.fetch.max_bytes, job.fetch.public_only, job.fetch.https_only) == (5000, True, True)


@pytest.mark.parametrize(
    "change",
    [
        {"referenceUrl": "http://example.org/clip.mp4"},
        {"referenceUrl": "file:///etc/passwd"},
        {"referenceUrl": "https://[::1/clip.mp4"},
        {"referenceUrl": "https://example.org/\ud800.mp4"},
        {"assetLength": 10**12},
        {"assetLength": 0},
        {"assetType": "image/png"},
        {"region": [{"type": "temporal"}]},
    ],
)
def test_reference_that_is_not_fetched_is_refused(
    http: TestClient, jobs: list[Job], change: dict[str, Any]
) -> None:
    asked = {"referenceUrl": "https://example.org/clip.mp4", "assetLength": 5000} | change
    headers = {"Content-Type": "application/json"}
    body = json.dumps(asked)
    assert http.post("/matches/byReference", content=body, headers=headers).status_code == 400
    assert jobs == []


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/x", "https://localhost/x", "https://[::1]/x", "https://10.0.0.1/x"]
)
def test_own_network_is_not_fetched_from(ledger: Ledger, url: str, tmp_path: Path) -> None:
    search = ContentSearch(
        lambda job: Answer(**perform(job.to_dict())),
        ledger,
        ledger_url=f"sqlite:///{tmp_path}/ledger.sqlite3",
    )
    http = TestClient(create_resolution_app(ledger, search))
    answer = http.post("/matches/byReference", json={"referenceUrl": url, "assetLength": 9})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "UnsupportedMediaError")


def test_plain_http_is_not_fetched_even_after_a_redirect() -> None:
    from vidigree.detect.fetching import _checked_parts
    from vidigree.media import UnsupportedMediaError

    limits = FetchLimits(https_only=True)
    assert _checked_parts("https://example.org/x", limits).scheme == "https"
    with pytest.raises(UnsupportedMediaError, match="not an https"):
        _checked_parts("http://example.org/x", limits)


STORED = "urn:c2pa:99999999-2222-4333-8444-555555555555"


def put_manifest(http: TestClient, manifest_id: str = STORED, **params: Any) -> Any:
    headers = WRITE | {"Content-Type": "application/c2pa"}
    content = manifest_store(manifest_id)
    return http.post("/manifests", content=content, headers=headers, params=params)


def test_manifest_of_others_is_kept_bound_moved_and_deleted(http: TestClient) -> None:
    second = STORED.replace("9", "8")
    for manifest_id in (STORED, second, STORED):  # the last one again
        assert put_manifest(http, manifest_id).json() == {"manifestId": manifest_id}
    value = b64("somebody's watermark")
    asked = {"alg": "com.example.mark", "value": value}
    binding = {"bindingValue": value, "manifestId": STORED}
    for _ in range(2):
        assert http.post("/bindings", json=binding, headers=WRITE).status_code == 204
    assert ids(http.get("/matches/byBinding", params=asked)) == [STORED]
    moved = binding | {"manifestId": second}
    assert http.put("/bindings", json=moved, headers=WRITE).status_code == 204
    assert ids(http.get("/matches/byBinding", params=asked)) == [second]
    assert http.delete(f"/manifests/{second}", headers=WRITE).status_code == 204
    assert ids(http.get("/matches/byBinding", params=asked)) == []
    assert http.get(f"/manifests/{second}").status_code == 404
    assert http.get(f"/manifests/{STORED}").content == manifest_store(STORED)


def test_binding_needs_both_ends(http: TestClient) -> None:
    unknown = {"bindingValue": b64("x"), "manifestId": "urn:c2pa:none"}
    assert http.post("/bindings", json=unknown, headers=WRITE).status_code == 404
    unbound = {"bindingValue": b64("x"), "manifestId": ISSUED}
    assert http.put("/bindings", json=unbound, headers=WRITE).status_code == 404


def test_results_are_limited(http: TestClient) -> None:
    value = b64("many")
    for number in range(5):
        name = f"urn:c2pa:{number}"
        put_manifest(http, name)
        http.post("/bindings", json={"bindingValue": value, "manifestId": name}, headers=WRITE)
    asked = {"alg": "com.example.mark", "value": value}
    assert ids(http.get("/matches/byBinding", params=asked | {"maxResults": 2})) == [
        "urn:c2pa:0",
        "urn:c2pa:1",
    ]


def test_issued_clips_cannot_be_deleted_or_replaced(http: TestClient, ledger: Ledger) -> None:
    assert http.delete(f"/manifests/{ISSUED}", headers=WRITE).status_code == 403
    assert put_manifest(http, ISSUED).status_code == 400
    found = http.get(f"/manifests/{ISSUED}")
    assert found.content == manifest_store("urn:c2pa:parent", ISSUED)


def test_what_is_no_manifest_is_refused(http: TestClient) -> None:
    headers = WRITE | {"Content-Type": "application/c2pa"}
    assert http.post("/manifests", content=b"junk", headers=headers).status_code == 400
    wrong = WRITE | {"Content-Type": "text/plain"}
    assert http.post("/manifests", content=b"junk", headers=wrong).status_code == 415
    huge = http.post("/manifests", content=bytes((16 << 20) + 1), headers=headers)
    assert huge.status_code == 413


def test_receipt_is_verified_against_what_is_kept(http: TestClient) -> None:
    receipt = put_manifest(http, returnReceipt=True).json()["receipt"]
    assert receipt["@type"] == "org.c2pa.manifest-receipt"
    assert receipt["repository"]["manifestId"] == STORED
    place = f"/manifests/{STORED}/receipts"
    assert receipt["anchor"]["uri"].endswith(place)
    assert http.get(place).json() == receipt | {"verified": True}
    assert http.post(place, json=receipt).json() == receipt | {"verified": True}
    for path in (place, f"/manifests/{STORED}"):
        assert http.head(path).headers["content-length"] == str(len(http.get(path).content))
    receipt["anchor"]["proof"]["value"] = "0" * 64
    forged = http.post(place, json=receipt).json()
    assert (forged["verified"], "proof" in forged["error"]) == (False, True)
    receipt["repository"]["manifestId"] = ISSUED
    assert "another manifest" in http.post(place, json=receipt).json()["error"]
    assert http.get("/manifests/urn:c2pa:none/receipts").status_code == 404


@pytest.mark.parametrize("value", ["\ud800", float("nan")])
def test_receipt_that_cannot_be_sent_back_is_refused(http: TestClient, value: object) -> None:
    receipt = put_manifest(http, returnReceipt=True).json()["receipt"]
    receipt["anchor"]["proof"]["value"] = value
    headers = {"Content-Type": "application/json"}
    place = f"/manifests/{STORED}/receipts"
    assert http.post(place, content=json.dumps(receipt), headers=headers).status_code == 400


WRITES = [
    ("POST", "/manifests", "store:manifests"),
    ("DELETE", f"/manifests/{STORED}", "store:manifests"),
    ("POST", "/bindings", "store:bindings"),
    ("PUT", "/bindings", "store:bindings"),
]


@pytest.mark.parametrize(("method", "path", "scope"), WRITES)
def test_writing_needs_its_scope(http: TestClient, method: str, path: str, scope: str) -> None:
    body = {"json": {"bindingValue": "x", "manifestId": "y"}} if path == "/bindings" else {}
    nobody = http.request(method, path, **body)
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    wrong = {"Authorization": "Bearer a-token-of-somebody-else"}
    assert http.request(method, path, headers=wrong, **body).status_code == 401
    reader = {"Authorization": f"Bearer {READER}"}
    refused = http.request(method, path, headers=reader, **body)
    assert refused.status_code == 403
    assert scope in refused.json()["error"]["message"]


def test_reading_may_need_a_scope_too(ledger: Ledger, search: ContentSearch) -> None:
    closed = ResolutionSettings(tokens=replace(TOKENS, open_reading=False))
    http = TestClient(create_resolution_app(ledger, search, closed))
    assert http.get(f"/manifests/{ISSUED}").status_code == 401
    reader = {"Authorization": f"Bearer {READER}"}
    assert http.get(f"/manifests/{ISSUED}", headers=reader).status_code == 200
    assert http.get("/services/supportedAlgorithms").status_code == 200


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("short store:manifests", "under 20 characters"),
        (f"{TOKEN}", "needs known scopes"),
        (f"{TOKEN} store:all", "needs known scopes"),
    ],
)
def test_careless_tokens_are_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ScopedTokens.from_text(text)


def test_long_value_belongs_into_a_body(http: TestClient) -> None:
    asked = {"alg": "com.example.mark", "value": "A" * 9000}
    assert http.get("/matches/byBinding", params=asked).status_code == 414
    assert ids(http.post("/matches/byBinding", json=asked)) == []


@pytest.mark.parametrize("value", ["", "no base64!", b64("published-1:xyz"), b64("junk")])
def test_value_that_means_nothing_is_refused(http: TestClient, value: str) -> None:
    for alg in (SOFT_BINDING_ALGORITHM, FINGERPRINT_ALGORITHM):
        asked = {"alg": alg, "value": value}
        assert http.get("/matches/byBinding", params=asked).status_code == 400


def test_trouble_of_the_database_is_not_told_to_strangers(
    http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vidigree.media import LedgerError

    def fail(self: ManifestRepository, manifest_id: str) -> None:
        raise LedgerError("no connection to db.internal")

    monkeypatch.setattr(ManifestRepository, "find", fail)
    answer = http.get(f"/manifests/{ISSUED}")
    assert (answer.status_code, "internal" in answer.text) == (500, False)


# Operations and schemas of the specification's OpenAPI document (2.4, section 1.4.2).
