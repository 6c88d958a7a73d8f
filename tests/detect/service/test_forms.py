"""Forms that are damaged, cut off, or made to cost much."""

from __future__ import annotations

from typing import Any

import pytest

FILE = b'Content-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
LONG = b"X: " + b"x" * (1 << 20) + b"\r\n"


@pytest.mark.parametrize(
    ("boundary", "body", "status", "kind"),
    [
        ("b" * 300, b"x", 400, "DamagedBody"),
        ("b", b"--b\r\n" + FILE + b"cut off", 400, "DamagedBody"),
        ("b", b"--b\r\n" + FILE + b"cut off\r\n--b\r\n", 400, "DamagedBody"),
        ("b", b"--b\r\n" + LONG + FILE + b"v\r\n--b--\r\n", 400, "DamagedBody"),
        ("b", b"--b\r\n\r\n\r\n" * 1000 + b"--b--\r\n", 413, "UploadTooLarge"),
    ],
)
def test_forms_of_a_hostile_or_broken_client(
    service: Any, boundary: str, body: bytes, status: int, kind: str
) -> None:
    answer = service.http.post(
        "/v1/audits",
        content=body,
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    assert (answer.status_code, answer.json()["error"]["kind"]) == (status, kind)
    assert answer.json()["error"]["hint"] or status != 400
    assert service.spooled() == []
    assert service.context.jobs.count().get("receiving", 0) == 0


@pytest.mark.parametrize("content_type", ["Text/Plain; charset=utf-8", "multipart/mixed"])
def test_a_body_of_a_type_without_clips_is_no_clip(service: Any, content_type: str) -> None:
    answer = service.http.post("/v1/audits", content=b"x", headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (415, "WrongContentType")
    assert service.spooled() == []
