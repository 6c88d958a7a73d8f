"""Credentials and their absence in files that are not MP4, and in what is no manifest at all."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import av
import numpy as np
import pytest

from vidigree.watermark.credentials import (
    ManifestRequest,
    SigningIdentity,
    TrustSettings,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.embedding import C2PA_BOX_TYPE, MAX_STORE_BYTES
from vidigree.watermark.credentials.manifest import manifest_definition
from vidigree.watermark.credentials.signature_call import SignatureCall

WITHOUT = "vidigree.container.withoutCredentials"


@pytest.fixture(scope="module")
def avi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small AVI without credentials; nobody may change it."""
    path = tmp_path_factory.mktemp("avi") / "clip.avi"
    random = np.random.default_rng(3)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(8):
            image = random.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def signed_avi(
    avi: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> Path:
    """Return it as another tool would sign it; ours signs MP4 only."""
    from c2pa import Builder, C2paBuilderIntent, C2paDigitalSourceType, Context

    path = tmp_path / "signed.avi"
    definition = json.dumps(manifest_definition(request_for_clip))
    builder = Builder(definition, context=Context.from_dict({}))
    builder.set_intent(C2paBuilderIntent.CREATE, C2paDigitalSourceType.EMPTY)
    signer = SignatureCall(identity).for_library()
    with avi.open("rb") as reading, path.open("w+b") as writing:
        builder.sign(signer, "video/x-msvideo", reading, writing)
    return path


@pytest.mark.parametrize("suffix", [".avi", ".mp4"])
def test_avi_is_read_under_any_name(signed_avi: Path, suffix: str) -> None:
    path = signed_avi.replace(signed_avi.with_suffix(suffix))
    reading = read_credentials(path, trust=TrustSettings.load())
    assert (reading.status, reading.recovered) == ("present", False)
    assert (reading.integrity, reading.signer_trust) == ("intact", "trusted")
    assert reading.claimed_source == "generated"


@pytest.mark.parametrize("place", ["picture", "end"])
def test_changed_avi_is_altered(signed_avi: Path, place: str) -> None:
    data = bytearray(signed_avi.read_bytes())
    if place == "picture":
        data[data.index(b"movi") + 100] ^= 1
    else:
        data += b"LIST" + struct.pack("<I", 4) + b"more"
    signed_avi.write_bytes(data)
    reading = read_credentials(signed_avi, trust=TrustSettings.load())
    assert (reading.manifest_integrity, reading.integrity) == ("intact", "altered")


def test_avi_without_credentials_has_none(avi: Path) -> None:
    reading = read_credentials(avi, trust=TrustSettings())
    assert (reading.status, reading.integrity) == ("absent", "unknown")
    assert reading.codes.to_dict() == {"success": [], "informational": [], "failure": []}


@pytest.mark.parametrize(
    "content",
    [b"\x1a\x45\xdf\xa3" + b"x" * 100, b"RIFF\x20\0\0\0WAVEfmt ", b"AVI RIFF" * 9, b"x"],
    ids=["webm", "wave", "other", "short"],
)
def test_a_kind_that_cannot_hold_credentials_is_said_to_be_one(
    content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "x.avi").write_bytes(content)
    reading = read_credentials(tmp_path / "x.avi", trust=TrustSettings())
    assert (reading.status, reading.recovered) == ("absent", False)
    assert reading.codes.informational == (WITHOUT,)
    assert reading.codes.failure == ()


@pytest.mark.parametrize(
    "payload",
    [b"", b"\0\0\0\0manifest\0" + bytes(8), b"\0\0\0\0manifest\0" + bytes(8) + b"no store"],
    ids=["empty", "no store", "no JUMBF"],
)
def test_c2pa_box_without_a_manifest_is_no_absence(
    clip: Path, tmp_path: Path, payload: bytes
) -> None:
    box = struct.pack(">I4s", 24 + len(payload), b"uuid") + C2PA_BOX_TYPE + payload
    (tmp_path / "x.mp4").write_bytes(clip.read_bytes() + box)
    reading = read_credentials(tmp_path / "x.mp4", trust=TrustSettings())
    assert (reading.status, reading.integrity, reading.recovered) == (
        "unreadable",
        "unknown",
        False,
    )
    assert reading.codes.failure[0].startswith("vidigree.manifest.unreadable: ")


def test_largest_store_is_looked_at(clip: Path) -> None:
    reading = read_credentials(clip, trust=TrustSettings(), store=bytes(MAX_STORE_BYTES))
    assert (reading.status, reading.recovered) == ("unreadable", True)
    assert reading.codes.failure


def test_active_manifest_is_named(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    signed = tmp_path / "signed.mp4"
    store = sign_file(clip, signed, request=request_for_clip, identity=identity)
    label = read_credentials(signed, trust=TrustSettings()).manifest_label
    assert label.startswith("urn:c2pa:")
    assert label.encode() in store
