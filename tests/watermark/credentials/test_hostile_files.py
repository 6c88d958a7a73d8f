"""Files that are made to exhaust, mislead or break a reader."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidigree.media.errors import (
    CredentialsError,
    MediaError,
    OutputError,
    UnsupportedMediaError,
)
from vidigree.watermark.credentials import (
    Action,
    ManifestRequest,
    SigningIdentity,
    TrustSettings,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.embedding import (
    C2PA_BOX_TYPE,
    MAX_STORE_BYTES,
    embedded_store,
)
from vidigree.watermark.credentials.jumbf import activate, stored_manifests

EVIL = "<script>alert(1)</script>\x1b[2J\u202e'; DROP TABLE entries; --" + "A" * 5000


def test_huge_store_is_refused_unread(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    size = MAX_STORE_BYTES + 100
    with path.open("wb") as stream:
        stream.write(clip.read_bytes())
        stream.write(struct.pack(">I4s", size, b"uuid") + C2PA_BOX_TYPE)
        stream.seek(size - 25, 1)
        stream.write(b"\0")
    with pytest.raises(UnsupportedMediaError, match="limit"):
        read_credentials(path, trust=TrustSettings())


def test_huge_recovered_store_is_refused(clip: Path) -> None:
    with pytest.raises(UnsupportedMediaError, match="limit"):
        read_credentials(clip, trust=TrustSettings(), store=bytes(MAX_STORE_BYTES + 1))


def test_every_string_of_a_manifest_is_bounded_and_printable(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    origin = replace(request_for_clip.origin, model=EVIL[:512], engine_version=EVIL)
    action = Action(label="org.evil.action", description=EVIL, digital_source_type=EVIL)
    request = replace(request_for_clip, origin=origin, title=EVIL, actions=(action,))
    sign_file(clip, tmp_path / "x.mp4", request=request, identity=identity)
    reading = read_credentials(tmp_path / "x.mp4", trust=TrustSettings())
    assert reading.integrity == "intact"

    def strings(value: object) -> list[str]:
        if isinstance(value, dict):
            return [text for item in value.values() for text in strings(item)]
        if isinstance(value, list | tuple):
            return [text for item in value for text in strings(item)]
        return [value] if isinstance(value, str) else []

    found = strings(reading.to_dict())
    assert any("script" in text for text in found), "the test reaches the strings"
    assert max(map(len, found)) <= 256
    assert all(text.isprintable() for text in found)


@pytest.fixture(scope="module")
def store(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    from fractions import Fraction

    from vidigree.watermark.clip import Origin
    from vidigree.watermark.credentials import init_identity

    folder = tmp_path_factory.mktemp("store")
    request = ManifestRequest(
        origin=Origin(synthetic=True), clip_id=1, key_id="published-1", duration=Fraction(2)
    )
    return sign_file(clip, folder / "x.mp4", request=request, identity=init_identity(folder / "i"))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None
)
@given(data=st.data())
def test_no_damage_to_a_store_is_intact_or_a_crash(
    clip: Path, store: bytes, data: st.DataObject
) -> None:
    position = data.draw(st.integers(0, len(store) - 1))
    length = data.draw(st.integers(1, 64))
    noise = data.draw(st.binary(min_size=length, max_size=length))
    damaged = store[:position] + noise + store[position + length :]
    reading = read_credentials(clip, trust=TrustSettings(), store=damaged)
    assert reading.integrity != "intact"


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(data=st.data())
def test_no_damage_to_a_file_is_a_crash_or_makes_credentials(
    clip: Path, tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(clip.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        position = data.draw(st.integers(0, len(content) - 9))
        content[position : position + 4] = data.draw(st.binary(min_size=4, max_size=4))
    path = tmp_path / "damaged.mp4"
    path.write_bytes(content)
    try:
        reading = read_credentials(path, trust=TrustSettings())
    except MediaError:
        return
    assert reading.status != "present"


@settings(deadline=None)
@given(st.data())
def test_any_store_ends_in_manifests_or_in_our_error(store: bytes, data: st.DataObject) -> None:
    content = bytearray(store)
    for _ in range(data.draw(st.integers(1, 6))):
        position = data.draw(st.integers(0, len(content) - 1))
        content[position : position + 4] = data.draw(st.binary(max_size=4))
    damaged = bytes(content)
    try:
        labels = [one.label for one in stored_manifests(damaged)]
        for label in set(labels):
            if labels.count(label) == 1:
                assert stored_manifests(activate(damaged, label))[-1].label == label
    except CredentialsError:
        return


@given(st.binary(max_size=300))
def test_no_bytes_are_a_store_with_a_manifest(data: bytes) -> None:
    with pytest.raises(CredentialsError):
        activate(data, "x")


def test_store_comes_back_whole_from_being_taken_apart(store: bytes) -> None:
    (only,) = stored_manifests(store)
    assert activate(store, only.label) == store


def test_place_that_cannot_be_written_is_told(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest
) -> None:
    with pytest.raises(OutputError):
        sign_file(clip, Path("/proc/x.mp4"), request=request_for_clip, identity=identity)


def test_source_that_is_missing_is_told(
    identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    request = replace(request_for_clip, parent=tmp_path / "parent.mp4")
    with pytest.raises(CredentialsError, match=r"parent\.mp4"):
        sign_file(tmp_path / "missing.mp4", tmp_path / "x.mp4", request=request, identity=identity)
    assert list(tmp_path.glob("*.mp4")) == []


def test_source_that_is_no_video_is_told(
    identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    (tmp_path / "text.mp4").write_text("this is text")
    with pytest.raises(CredentialsError):
        sign_file(
            tmp_path / "text.mp4", tmp_path / "x.mp4", request=request_for_clip, identity=identity
        )
    assert not (tmp_path / "x.mp4").exists()


def test_store_of_a_signed_file_is_found_behind_other_boxes(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    signed = tmp_path / "x.mp4"
    expected = sign_file(clip, signed, request=request_for_clip, identity=identity)
    data = signed.read_bytes()
    signed.write_bytes(data + struct.pack(">I4s", 24, b"uuid") + b"0123456789abcdef")
    assert embedded_store(signed) == expected
