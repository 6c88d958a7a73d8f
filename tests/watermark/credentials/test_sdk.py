"""Each setting we hand to c2pa-python does what we rely on; a renamed one fails here, loudly."""

from __future__ import annotations

import http.server
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from cryptography import x509
from fixtures.authority import CLAIM_SIGNING, EMAIL
from fixtures.chain_authority import ChainAuthority, trusting

from vidigree.watermark.credentials import (
    ManifestRequest,
    SigningIdentity,
    TrustList,
    TrustSettings,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.sdk import ingredient_type, sdk_context
from vidigree.watermark.credentials.signature_call import SignatureCall


def _crjson(path: Path, trust: TrustSettings) -> dict[str, Any]:
    from c2pa import Reader

    with Reader.try_create(path, context=sdk_context(trust)) as reader:
        return dict(json.loads(reader.crjson())["manifests"][0])


@pytest.fixture
def signed(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> Path:
    path = tmp_path / "signed.mp4"
    sign_file(clip, path, request=request_for_clip, identity=identity)
    return path


def test_library_is_the_tested_line() -> None:
    import c2pa

    assert c2pa.sdk_version().startswith("0.91."), "probe everything here again, then move the pin"


def test_padding_is_hashed(signed: Path) -> None:
    rows = _crjson(signed, TrustSettings())["assertions"]["c2pa.hash.bmff.v3"]["exclusions"]
    assert {row["xpath"] for row in rows} == {"/uuid", "/ftyp", "/mfra"}


def test_labels_in_the_settings_make_created_assertions(
    clip: Path, identity: SigningIdentity, tmp_path: Path
) -> None:
    from c2pa import Builder, C2paBuilderIntent, C2paDigitalSourceType

    definition = {
        "claim_generator_info": [{"name": "probe", "version": "1"}],
        "assertions": [
            {
                "label": "c2pa.soft-binding",
                "data": {"alg": "a.b", "blocks": [{"scope": {}, "value": "1"}]},
            }
        ],
    }
    builder = Builder(json.dumps(definition), context=sdk_context(TrustSettings()))
    builder.set_intent(C2paBuilderIntent.CREATE, C2paDigitalSourceType.ALGORITHMIC_MEDIA)
    with clip.open("rb") as source, (tmp_path / "x.mp4").open("w+b") as target:
        builder.sign(SignatureCall(identity).for_library(), "video/mp4", source, target)
    created = _crjson(tmp_path / "x.mp4", TrustSettings())["claim.v2"]["created_assertions"]
    assert any(row["url"].endswith("c2pa.soft-binding") for row in created)


def test_anchors_and_their_uri_reach_the_library(signed: Path, identity: SigningIdentity) -> None:
    trust = TrustSettings(lists=(TrustList(name="probe", role="claim", anchors=identity.root),))
    rows = _crjson(signed, trust)["validationResults"]["success"]
    (text,) = [row["explanation"] for row in rows if row["code"] == "signingCredential.trusted"]
    assert trust.groups()[0].uri in text


def test_reading_validates(signed: Path) -> None:
    results = _crjson(signed, TrustSettings())["validationResults"]
    assert "assertion.bmffHash.match" in [row["code"] for row in results["success"]]
    assert [row["code"] for row in results["failure"]] == ["signingCredential.untrusted"]


def test_no_thumbnail_of_an_ingredient() -> None:
    from c2pa import Builder

    _, data = cv2.imencode(".png", np.full((64, 64, 3), 90, np.uint8))
    builder = Builder(
        json.dumps({"claim_generator_info": [{"name": "x"}]}), context=sdk_context(TrustSettings())
    )
    builder.add_ingredient("{}", "image/png", io.BytesIO(data.tobytes()))
    archive = io.BytesIO()
    builder.to_archive(archive)
    assert b"thumbnail" not in archive.getvalue()


class _Counter(http.server.BaseHTTPRequestHandler):
    seen: list[str] = []  # noqa: RUF012  # of this test server only

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response(404)
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - the library's name

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    _Counter.seen.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Counter) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/store.c2pa"
        running.shutdown()
        thread.join()


def test_nothing_is_fetched(
    server: str, clip: Path, identity: SigningIdentity, tmp_path: Path
) -> None:
    from c2pa import (
        Builder,
        C2paBuilderIntent,
        C2paDigitalSourceType,
        C2paError,
        Reader,
    )

    builder = Builder(
        json.dumps({"claim_generator_info": [{"name": "x"}]}), context=sdk_context(TrustSettings())
    )
    builder.set_intent(C2paBuilderIntent.CREATE, C2paDigitalSourceType.ALGORITHMIC_MEDIA)
    builder.set_remote_url(server)
    builder.set_no_embed()
    target = tmp_path / "remote.mp4"
    with clip.open("rb") as source, target.open("w+b") as stream:
        builder.sign(SignatureCall(identity).for_library(), "video/mp4", source, stream)
    with pytest.raises(C2paError, match="Remote"):
        Reader.try_create(target, context=sdk_context(TrustSettings()))
    assert _Counter.seen == []


def test_nobody_is_asked_whether_a_certificate_was_revoked(
    server: str, clip: Path, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    """The certificate names a responder, who would learn of every clip that is looked at."""
    authority = ChainAuthority()
    issued = authority.issue(responder=server)
    who = issued.identity
    sign_file(clip, tmp_path / "x.mp4", request=request_for_clip, identity=who)
    reading = read_credentials(tmp_path / "x.mp4", trust=trusting(authority))
    assert (reading.integrity, reading.signer_trust) == ("intact", "trusted")
    assert _Counter.seen == []


DOCUMENT = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")


@pytest.mark.parametrize(
    "purposes",
    [(EMAIL,), (DOCUMENT,), (CLAIM_SIGNING,), (EMAIL, CLAIM_SIGNING), (DOCUMENT, CLAIM_SIGNING)],
)
def test_every_purpose_that_the_specification_allows_is_trusted(
    purposes: tuple[x509.ObjectIdentifier, ...],
    clip: Path,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    authority = ChainAuthority()
    issued = authority.issue(usages=purposes)
    who = issued.identity
    sign_file(clip, tmp_path / "x.mp4", request=request_for_clip, identity=who)
    reading = read_credentials(tmp_path / "x.mp4", trust=trusting(authority))
    assert (reading.integrity, reading.signer_trust) == ("intact", "trusted")
    assert reading.codes.failure == ()


def test_what_we_say_ourselves_is_said_as_ours(signed: Path) -> None:
    claim = _crjson(signed, TrustSettings())["claim.v2"]
    created = {row["url"].rpartition("/")[2] for row in claim["created_assertions"]}
    assert {"c2pa.actions.v2", "c2pa.soft-binding", "c2pa.ai-disclosure"} <= created


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.mp4", b"\0\0\0\x18ftypisom", "video/mp4"),
        ("a.mov", b"\0\0\0\x18ftypqt  ", "video/quicktime"),
        ("photo.mp4", b"\xff\xd8\xff\xe0" + b"\0" * 12, "image/jpeg"),
        ("a.webm", b"\x1a\x45\xdf\xa3" + b"\0" * 12, "video/webm"),
        ("a.avi", b"RIFF\0\0\0\0AVI LIST", "video/x-msvideo"),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        ("nothing", b"", "application/octet-stream"),
        ("photo.mov", b"\0\0\0\x18ftypqt  ", "video/quicktime"),
        ("named-otherwise.png", b"\0\0\0\x18ftypisom", "video/mp4"),
        ("clip.mp4", b"RIFF\0\0\0\0AVI LIST", "video/x-msvideo"),
        ("clip.avi", b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        ("text", b"XXXX\0\0\0\0AVI LIST", "application/octet-stream"),
        ("text", b"RIFF\0\0\0\0AVIX", "application/octet-stream"),
        ("clip.png", b"GIF89a" + b"\0" * 12, "image/gif"),
        ("clip.jpg", b"\x89PNG\r\n\x1a\n" + b"\0" * 12, "image/png"),
        ("photo.jpg", b"not a picture", "image/jpeg"),
    ],
)
def test_type_of_an_input_is_seen_in_its_content(
    name: str, head: bytes, kind: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(head)
    assert ingredient_type(tmp_path / name) == kind


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("photo.AVIF", b"\0\0\0\x18ftypavif"),
        ("photo.heic", b"\0\0\0\x18ftypheic"),
        ("photo.heif", b"\0\0\0\x18ftypmif1"),
        ("sound.wav", b"RIFF\0\0\0\0WAVEfmt "),
    ],
)
def test_what_has_the_container_of_a_video_is_not_called_one(
    name: str, head: bytes, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(head)
    assert not ingredient_type(tmp_path / name).startswith("video/")
