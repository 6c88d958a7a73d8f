"""Credentials are read as four separate answers."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vidigree.media.container import walk_boxes
from vidigree.media.errors import MediaNotFoundError, UnsupportedMediaError
from vidigree.watermark.clip import Origin
from vidigree.watermark.credentials import (
    CredentialsReading,
    ManifestRequest,
    SigningIdentity,
    TrustSettings,
    init_identity,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.jumbf import stored_manifests


def test_unsigned_clip_has_no_credentials(clip: Path) -> None:
    reading = read_credentials(clip, trust=TrustSettings.load())
    assert reading.status == "absent"
    assert reading.integrity == "unknown"


def test_own_signature_is_trusted_as_own_and_called_development(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    signed = tmp_path / "signed.mp4"
    sign_file(clip, signed, request=request_for_clip, identity=identity)
    reading = read_credentials(signed, trust=TrustSettings.load())
    assert reading.status == "present"
    assert reading.integrity == "intact"
    assert (reading.signer_trust, reading.trusted_by) == ("trusted", "own")
    assert reading.validity == "valid"
    assert reading.claimed_source == "generated"
    assert reading.signer is not None
    assert reading.signer.development
    assert "development certificate" in reading.signer.organization
    assert reading.codes.failure == ()


def test_same_signature_is_unlisted_for_somebody_else(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    signed = tmp_path / "signed.mp4"
    sign_file(clip, signed, request=request_for_clip, identity=identity)
    reading = read_credentials(signed, trust=TrustSettings())
    assert (reading.integrity, reading.signer_trust) == ("intact", "unlisted")
    assert reading.trusted_by is None


def test_own_root_outlives_its_replacement(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    signed = tmp_path / "signed.mp4"
    sign_file(clip, signed, request=request_for_clip, identity=identity)
    assert init_identity(replace=True).serial != identity.serial
    assert read_credentials(signed, trust=TrustSettings.load()).trusted_by == "own"


def test_expired_certificate_without_stamp_is_expired_not_altered(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    signed = tmp_path / "signed.mp4"
    sign_file(clip, signed, request=request_for_clip, identity=identity)
    later = datetime.now(UTC) + timedelta(days=400)
    reading = read_credentials(signed, trust=TrustSettings.load(), now=later)
    assert (reading.integrity, reading.validity) == ("intact", "expired")


def test_one_changed_byte_of_video_is_altered_and_the_manifest_is_not(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    signed = tmp_path / "signed.mp4"
    sign_file(clip, signed, request=request_for_clip, identity=identity)
    data = bytearray(signed.read_bytes())
    data[data.index(b"mdat") + 200] ^= 1
    signed.write_bytes(data)
    reading = read_credentials(signed, trust=TrustSettings.load())
    assert reading.integrity == "altered"
    assert (reading.manifest_integrity, reading.content_binding) == ("intact", "mismatch")


def test_recovered_store_validates_against_a_stripped_file(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    store = sign_file(clip, tmp_path / "signed.mp4", request=request_for_clip, identity=identity)
    reading = read_credentials(clip, trust=TrustSettings.load(), store=store)
    assert reading.recovered
    assert reading.manifest_integrity == "intact"
    assert (reading.content_binding, reading.integrity) == ("mismatch", "altered")
    assert reading.signer_trust == "trusted"
    assert reading.soft_bindings[0].value == "published-1:0123456789abcdef"


def test_recovered_store_believes_no_file_that_hides_something(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    signed = tmp_path / "signed.mp4"
    store = sign_file(clip, signed, request=request_for_clip, identity=identity)
    plain = read_credentials(signed, trust=TrustSettings.load(), store=store)
    assert (plain.recovered, plain.content_binding, plain.integrity) == (True, "match", "intact")
    signed.write_bytes(signed.read_bytes() + b"\0\0\0\x0cftypisom")
    for given in (store, None):
        reading = read_credentials(signed, trust=TrustSettings.load(), store=given)
        assert (reading.content_binding, reading.integrity) == ("match", "unknown")
        assert "vidigree.container.duplicateFtyp" in reading.codes.failure


def test_store_is_recovered_for_a_kind_of_file_that_c2pa_does_not_know(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    store = sign_file(clip, tmp_path / "signed.mp4", request=request_for_clip, identity=identity)
    (tmp_path / "stripped.webm").write_bytes(b"\x1a\x45\xdf\xa3" + b"x" * 100)
    reading = read_credentials(tmp_path / "stripped.webm", trust=TrustSettings(), store=store)
    assert (reading.status, reading.content_binding) == ("present", "mismatch")
    assert reading.manifest_integrity == "intact"
    assert reading.claimed_source == "generated"


def test_damaged_store_is_unreadable(clip: Path) -> None:
    reading = read_credentials(clip, trust=TrustSettings(), store=b"not a store")
    assert reading.status == "unreadable"
    assert reading.codes.failure


def test_history_is_walked_to_the_root(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    sign_file(clip, first, request=request_for_clip, identity=identity)
    origin = replace(request_for_clip.origin, task="video-to-video", inputs=(first,))
    derived = replace(request_for_clip, origin=origin, parent=first, clip_id=2)
    sign_file(clip, second, request=derived, identity=identity, trust=TrustSettings.load())
    reading = read_credentials(second, trust=TrustSettings.load())
    assert reading.claimed_source == "composite-with-generated"
    (parent,) = [row for row in reading.ingredients if row.relationship == "parentOf"]
    assert parent.signed
    assert (parent.integrity, parent.signer_trust) == ("intact", "trusted")
    assert parent.claimed_source == "generated"
    assert parent.soft_bindings[0].value == "published-1:0123456789abcdef"


def test_altered_parent_under_a_good_signature_is_told(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    sign_file(clip, first, request=request_for_clip, identity=identity)
    data = bytearray(first.read_bytes())
    data[data.index(b"mdat") + 200] ^= 1
    first.write_bytes(data)
    derived = replace(request_for_clip, parent=first, clip_id=2)
    sign_file(clip, second, request=derived, identity=identity, trust=TrustSettings.load())
    reading = read_credentials(second, trust=TrustSettings.load())
    assert reading.integrity == "intact"
    (parent,) = [row for row in reading.ingredients if row.relationship == "parentOf"]
    assert parent.integrity == "altered"


@pytest.fixture
def derived_store(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> bytes:
    """Return a store of two manifests: a signed parent, and a clip that only opened it."""
    sign_file(clip, tmp_path / "first.mp4", request=request_for_clip, identity=identity)
    opened = replace(request_for_clip, origin=Origin(), parent=tmp_path / "first.mp4", clip_id=2)
    return sign_file(clip, tmp_path / "second.mp4", request=opened, identity=identity)


def _exchanged(store: bytes, inner: bytes, other: bytes) -> bytes:
    """Put another manifest in the place of the first one and correct the length of the store."""
    body = store.replace(inner, other)
    return len(body).to_bytes(4, "big") + body[4:]


def test_parents_claim_is_lent_while_it_is_whole(derived_store: bytes, clip: Path) -> None:
    reading = read_credentials(clip, trust=TrustSettings.load(), store=derived_store)
    assert reading.claimed_source == "generated"
    assert [row.integrity for row in reading.ingredients] == ["intact"]


@pytest.mark.parametrize(("most", "source"), [(0, "unknown"), (1, "generated"), (2, "generated")])
def test_ingredients_that_are_not_read_are_told(
    derived_store: bytes, clip: Path, monkeypatch: pytest.MonkeyPatch, most: int, source: str
) -> None:
    """There are two: the parent, and the model that made the parent."""
    monkeypatch.setattr("vidigree.watermark.credentials.ingredients.MAX_INGREDIENTS", most)
    reading = read_credentials(clip, trust=TrustSettings.load(), store=derived_store)
    assert len([*reading.walk_ingredients()]) == most
    assert ("vidigree.ingredients.notAllRead" in reading.codes.informational) is (most < 2)
    assert reading.all_ingredients_read is (most == 2)
    assert reading.claimed_source == source


def test_exchanged_parent_is_altered_and_lends_nothing(
    derived_store: bytes, clip: Path, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    """A forger's own manifest under the parent's label; it may be whole in itself."""
    forger = init_identity(tmp_path / "forger")
    forged = sign_file(clip, tmp_path / "forged.mp4", request=request_for_clip, identity=forger)
    parent, _ = stored_manifests(derived_store)
    (other,) = stored_manifests(forged)
    box = other.box.replace(other.label.encode(), parent.label.encode())
    store = _exchanged(derived_store, parent.box, box)
    reading = read_credentials(clip, trust=TrustSettings.load(), store=store)
    (found,) = reading.ingredients
    assert found.integrity == "altered"
    assert "ingredient.manifest.mismatch" in found.codes.failure
    assert reading.claimed_source == "unknown"


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFoundError):
        read_credentials(tmp_path / "missing.mp4", trust=TrustSettings())


def _row_of(folder: Path, name: str) -> str:
    with (folder / "files.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["file"]: row for row in csv.DictReader(stream)}
    return rows[name]["what it is and what a reader should say"]


def _official(folder: Path) -> TrustSettings:
    return TrustSettings.from_files(
        claim=(folder / "C2PA-TRUST-LIST.pem",), tsa=(folder / "C2PA-TSA-TRUST-LIST.pem",)
    )


def _read(folder: Path, name: str) -> CredentialsReading:
    return read_credentials(folder / name, trust=_official(folder))


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["sora-00.mp4", "sora-03.mp4", "sora-06.mp4"])
def test_sora_is_intact_unlisted_and_valid_when_signed(shared_c2pa: Path, name: str) -> None:
    line = _row_of(shared_c2pa, name)
    assert "signingCredential.untrusted signingCredential.expired" in line
    reading = _read(shared_c2pa, name)
    assert reading.integrity == "intact"
    assert reading.signer_trust == "unlisted"
    assert (reading.validity, reading.timestamp) == ("valid-when-signed", "unlisted")
    assert reading.claimed_source == "generated"
    assert reading.signer is not None
    assert reading.signer.organization == "OpenAI"
    assert set(reading.codes.failure) == {
        "signingCredential.untrusted",
        "signingCredential.expired",
    }
    assert reading.actions[0].label == "c2pa.created"
    assert reading.actions[0].digital_source_type == "trainedAlgorithmicMedia"


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["veo-00.mp4", "veo-03.mp4", "veo-06.mp4"])
def test_veo_is_trusted_under_the_official_lists(shared_c2pa: Path, name: str) -> None:
    assert "Trusted; issuer Google LLC; failures: none" in _row_of(shared_c2pa, name)
    # The library names the first of several fitting lists, another one on each run.
    for _ in range(5):
        reading = _read(shared_c2pa, name)
        assert (reading.integrity, reading.signer_trust) == ("intact", "trusted")
        assert (reading.trusted_by, reading.trust_list) == ("list", "C2PA-TRUST-LIST")
        assert (reading.validity, reading.timestamp) == ("valid-when-signed", "trusted")
        assert reading.claimed_source == "generated"
        assert reading.codes.failure == ()
    assert reading.signer is not None
    assert reading.signer.organization == "Google LLC"


@pytest.mark.shared_data
def test_sony_capture_with_a_foreign_soft_binding(shared_c2pa: Path) -> None:
    assert "tv.kinetiq.watercast.48.1" in _row_of(shared_c2pa, "sony-ebu-cawg.mp4")
    reading = _read(shared_c2pa, "sony-ebu-cawg.mp4")
    assert (reading.integrity, reading.signer_trust) == ("intact", "unlisted")
    assert reading.claimed_source == "captured"
    assert [binding.alg for binding in reading.soft_bindings] == ["tv.kinetiq.watercast.48.1"]
    assert set(reading.codes.failure) == {
        "signingCredential.untrusted",
        "cawg.x509.credential.untrusted",
    }
    (parent,) = reading.ingredients
    assert parent.signer is not None
    assert parent.signer.organization == "Sony Corporation"
    # Its certificate has run out; the broadcaster's time stamp shows that it existed before.
    assert (parent.validity, parent.timestamp) == ("valid-when-signed", "absent")
    assert parent.actions[0].digital_source_type == "digitalCapture"


@pytest.mark.shared_data
def test_ingredient_with_an_expired_signer(shared_c2pa: Path) -> None:
    assert "its ingredient: signingCredential.untrusted and .expired" in _row_of(
        shared_c2pa, "invalid-ingredient.mp4"
    )
    reading = _read(shared_c2pa, "invalid-ingredient.mp4")
    assert reading.codes.failure == ("signingCredential.untrusted",)
    (ingredient,) = reading.ingredients
    assert set(ingredient.codes.failure) == {
        "signingCredential.untrusted",
        "signingCredential.expired",
    }


@pytest.mark.shared_data
def test_claim_of_version_one(shared_c2pa: Path) -> None:
    assert "claim v1" in _row_of(shared_c2pa, "video1.mp4")
    reading = _read(shared_c2pa, "video1.mp4")
    assert (reading.integrity, reading.signer_trust) == ("intact", "unlisted")
    assert reading.codes.failure == ("signingCredential.untrusted",)
    assert [row.codes.failure for row in reading.ingredients] == [("signingCredential.untrusted",)]


@pytest.mark.shared_data
def test_parser_bomb_is_a_clear_error(shared_c2pa: Path) -> None:
    assert "must give a clear error" in _row_of(shared_c2pa, "nested_moov_1000.mp4")
    with pytest.raises(UnsupportedMediaError, match="nested"):
        _read(shared_c2pa, "nested_moov_1000.mp4")


@pytest.mark.shared_data
def test_chunks_put_in_another_order_under_an_older_hash(shared_c2pa: Path, tmp_path: Path) -> None:
    data = bytearray((shared_c2pa / "video1.mp4").read_bytes())
    boxes = walk_boxes(io.BytesIO(bytes(data)))
    table = next(box.payload_offset + 8 for box in boxes if box.kind == b"stco")
    data[table : table + 8] = data[table + 4 : table + 8] + data[table : table + 4]
    (tmp_path / "x.mp4").write_bytes(data)
    reading = read_credentials(tmp_path / "x.mp4", trust=_official(shared_c2pa))
    assert (reading.integrity, reading.content_binding) == ("unknown", "match")
    assert "vidigree.container.offsetsNotHashed" in reading.codes.failure


@pytest.mark.shared_data
def test_history_of_a_foreign_clip_is_kept_with_what_it_was_worth(
    shared_c2pa: Path,
    clip: Path,
    identity: SigningIdentity,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    request = replace(
        request_for_clip, origin=Origin(), parent=shared_c2pa / "veo-00.mp4", clip_id=2
    )
    sign_file(
        clip,
        tmp_path / "x.mp4",
        request=request,
        identity=identity,
        trust=_official(shared_c2pa),
    )
    reading = read_credentials(tmp_path / "x.mp4", trust=_official(shared_c2pa))
    assert (reading.integrity, reading.signer_trust) == ("intact", "unlisted")
    assert reading.claimed_source == "generated", "stamping leaves the picture's origin as it was"
    (parent,) = reading.ingredients
    assert (parent.integrity, parent.signer_trust) == ("intact", "trusted")
    assert parent.signer is not None
    assert parent.signer.organization == "Google LLC"
