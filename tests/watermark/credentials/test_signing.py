"""Signing is whole or not at all, and claims what C2PA 2.4 asks for."""

from __future__ import annotations

import errno
import io
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from fixtures.authority import CLAIM_SIGNING, EMAIL, TIME_STAMPING
from fixtures.chain_authority import ChainAuthority
from fixtures.issued import disclosed

from vidigree.media.errors import CredentialsError, OutputError
from vidigree.watermark.clip import Origin
from vidigree.watermark.credentials import (
    Disclosure,
    ManifestRequest,
    SigningIdentity,
    Timestamping,
    TrustList,
    TrustSettings,
    init_identity,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.embedding import embedded_store
from vidigree.watermark.credentials.manifest import manifest_definition
from vidigree.watermark.credentials.sdk import sdk_context
from vidigree.watermark.credentials.signature import write_signature
from vidigree.watermark.credentials.signing import _builder


def test_returned_store_is_what_stands_in_the_file(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    signed = tmp_path / "signed.mp4"
    store = sign_file(clip, signed, request=request_for_clip, identity=identity)
    assert embedded_store(signed) == store
    assert embedded_store(clip) is None


def test_in_place_signing_keeps_the_picture(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip.read_bytes())
    sign_file(path, path, request=request_for_clip, identity=identity)
    assert path.stat().st_size > clip.stat().st_size
    assert read_credentials(path, trust=TrustSettings()).integrity == "intact"


def test_failed_signing_leaves_nothing(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    broken = replace(identity, chain=identity.root)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(CredentialsError, match="cannot be signed"):
        sign_file(clip, out / "signed.mp4", request=request_for_clip, identity=broken)
    assert list(out.iterdir()) == []


def test_failed_signing_leaves_the_file_that_was_there(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    target = tmp_path / "target.mp4"
    target.write_bytes(b"precious")
    broken = replace(identity, chain=identity.root)
    with pytest.raises(CredentialsError, match="cannot be signed"):
        sign_file(clip, target, request=request_for_clip, identity=broken)
    assert target.read_bytes() == b"precious"


def test_folder_that_is_not_there_is_an_output_error(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    with pytest.raises(OutputError):
        sign_file(clip, tmp_path / "no" / "x.mp4", request=request_for_clip, identity=identity)


def test_created_claim_over_signed_file_is_refused(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    signed = tmp_path / "signed.mp4"
    sign_file(clip, signed, request=request_for_clip, identity=identity)
    with pytest.raises(CredentialsError, match="carries content credentials"):
        sign_file(signed, tmp_path / "again.mp4", request=request_for_clip, identity=identity)
    assert not (tmp_path / "again.mp4").exists()


def test_text_to_video_manifest(request_for_clip: ManifestRequest) -> None:
    definition = manifest_definition(request_for_clip)
    by_label = {row["label"]: row for row in definition["assertions"]}
    actions = by_label["c2pa.actions.v2"]
    assert actions["created"] is True
    assert actions["data"]["allActionsIncluded"] is True
    created, watermarked = actions["data"]["actions"]
    assert created["action"] == "c2pa.created"
    assert created["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert watermarked["action"] == "c2pa.watermarked.bound"
    binding = by_label["c2pa.soft-binding"]["data"]
    assert binding["alg"] == "org.vidigree.robust.3"
    assert binding["blocks"][0]["value"] == "published-1:0123456789abcdef"
    assert binding["blocks"][0]["scope"]["timespan"] == {"start": 0, "end": 2000}
    assert definition["claim_generator_info"][0]["specVersion"] == "2.4.0"


def test_renderer_is_an_algorithm_not_a_model(request_for_clip: ManifestRequest) -> None:
    origin = replace(request_for_clip.origin, engine="render", model="", trained_model=False)
    definition = manifest_definition(replace(request_for_clip, origin=origin))
    labels = [row["label"] for row in definition["assertions"]]
    created = definition["assertions"][0]["data"]["actions"][0]
    assert created["digitalSourceType"].endswith("/algorithmicMedia")
    assert "c2pa.ai-disclosure" not in labels
    assert definition["ingredients"] == []


def test_clip_made_elsewhere_claims_nothing_about_its_source(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    request = replace(request_for_clip, origin=Origin(), parent=clip)
    sign_file(clip, tmp_path / "signed.mp4", request=request, identity=identity)
    reading = read_credentials(tmp_path / "signed.mp4", trust=TrustSettings())
    assert [row.label for row in reading.actions] == ["c2pa.opened", "c2pa.watermarked.bound"]
    assert reading.claimed_source == "unknown"


def test_disclosure_fields_of_sb_942(request_for_clip: ManifestRequest) -> None:
    request = replace(request_for_clip, disclosure=Disclosure(provider_name="Example Inc."))
    rows = {row["label"]: row["data"] for row in manifest_definition(request)["assertions"]}
    fields = rows["org.vidigree.disclosure"]
    assert fields["provider_name"] == "Example Inc."
    assert fields["unique_id"] == "published-1:0123456789abcdef"
    assert {"system_name", "system_version", "created_at"} <= set(fields)
    assert "parameters" not in fields


def test_what_an_engine_records_is_signed_as_it_was(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    recorded = {"noise_mark": "0123456789abcdef", "steps": 20, "scale": 0.5, "tiled": True}
    recorded |= {"least": -(2**63), "most": 2**63 - 1, "nothing": None}
    origin = replace(request_for_clip.origin, parameters=recorded)
    request = replace(request_for_clip, origin=origin)
    sign_file(clip, tmp_path / "signed.mp4", request=request, identity=identity)
    assert disclosed(tmp_path / "signed.mp4")["parameters"] == recorded


def test_no_prompt_and_no_file_name_in_the_store(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    source = tmp_path / "holiday of Alice.mp4"
    source.write_bytes(clip.read_bytes())
    request = replace(request_for_clip, parent=source)
    store = sign_file(clip, tmp_path / "signed.mp4", request=request, identity=identity)
    assert b"Alice" not in store


def test_input_that_c2pa_cannot_describe_is_kept_by_name_of_its_kind(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    source = tmp_path / "source.webm"
    source.write_bytes(b"\x1a\x45\xdf\xa3" + b"x" * 200)
    request = replace(request_for_clip, origin=Origin(), parent=source)
    sign_file(clip, tmp_path / "signed.mp4", request=request, identity=identity)
    reading = read_credentials(tmp_path / "signed.mp4", trust=TrustSettings())
    assert reading.integrity == "intact"
    (parent,) = reading.ingredients
    assert (parent.relationship, parent.signed, parent.format) == ("parentOf", False, "video/webm")


def _recorded(path: Path) -> tuple[set[str], set[str]]:
    """Return the codes that a clip's manifest holds of its parent: what held, and what did not."""
    from c2pa import Reader

    with Reader(path, context=sdk_context(TrustSettings())) as reader:
        assertions = json.loads(reader.crjson())["manifests"][0]["assertions"]
    (parent,) = [
        data
        for label, data in assertions.items()
        if label.startswith("c2pa.ingredient") and data["relationship"] == "parentOf"
    ]
    rows = parent["validationResults"]["activeManifest"]
    held, failed = ({row["code"] for row in rows[kind]} for kind in ("success", "failure"))
    return held, failed


@pytest.mark.parametrize(
    ("signer", "listed", "trusted"),
    [("other", True, True), ("other", False, False), ("own", False, True)],
)
def test_what_a_parent_was_worth_by_the_users_lists_is_recorded(
    clip: Path,
    identity: SigningIdentity,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
    signer: str,
    listed: bool,
    trusted: bool,
) -> None:
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    other = init_identity(tmp_path / "other")
    by = {"own": identity, "other": other}[signer]
    sign_file(clip, first, request=request_for_clip, identity=by)
    derived = replace(request_for_clip, parent=first, clip_id=2)
    lists = TrustSettings(lists=(TrustList(name="x", role="claim", anchors=other.root),))
    sign_file(clip, second, request=derived, identity=identity, trust=lists if listed else None)
    held, failed = _recorded(second)
    assert ("signingCredential.trusted" in held) is trusted
    assert ("signingCredential.untrusted" in failed) is not trusted
    assert "claimSignature.validated" in held


def test_identity_without_a_root_of_its_own_signs(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    foreign = replace(identity, root=b"")
    sign_file(clip, tmp_path / "x.mp4", request=request_for_clip, identity=foreign)
    reading = read_credentials(tmp_path / "x.mp4", trust=TrustSettings())
    assert (reading.integrity, reading.signer_trust) == ("intact", "unlisted")


@pytest.mark.parametrize(
    ("begins", "ends", "says"),
    [
        (-9, -2, "expired on {end:%Y-%m-%d}"),
        (2, 9, "is not valid before {start:%Y-%m-%d}"),
    ],
)
def test_certificate_that_is_not_valid_now_is_told_with_its_day(
    clip: Path,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
    begins: int,
    ends: int,
    says: str,
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    start, end = now + timedelta(days=begins), now + timedelta(days=ends)
    issued = ChainAuthority().issue(not_before=start, not_after=end)
    who = issued.identity
    with pytest.raises(CredentialsError, match=says.format(start=start, end=end)):
        sign_file(clip, tmp_path / "x.mp4", request=request_for_clip, identity=who)
    assert list(tmp_path.glob("*.mp4")) == []


def test_certificate_with_a_fault_is_told_by_it_and_not_by_a_warning(
    clip: Path, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    """This one has both: no organization, and a purpose that C2PA forbids."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    purposes = (EMAIL, CLAIM_SIGNING, TIME_STAMPING)
    issued = ChainAuthority().issue(subject=name, usages=purposes)
    who = issued.identity
    with pytest.raises(CredentialsError, match="C2PA forbids"):
        sign_file(clip, tmp_path / "x.mp4", request=request_for_clip, identity=who)


TSA = "http://127.0.0.1:9/"


@pytest.mark.parametrize(
    ("policy", "signed", "kind", "asked", "message", "notes"),
    [
        # It signed, and then no stamp came: tried again, then by policy.
        ("try", True, "Signature", [TSA, TSA, None], "cannot be signed: ", 1),
        ("require", True, "Signature", [TSA, TSA], "gave no time stamp", 0),
        ("none", True, "Signature", [None], "cannot be signed: ", 0),
        # What failed before the signature, or is no fault of it, is not the authority's.
        ("try", False, "Signature", [TSA], "cannot be signed: ", 0),
        ("require", False, "Signature", [TSA], "cannot be signed: ", 0),
        ("try", True, "Io", [TSA], "cannot be signed: ", 0),
        ("require", True, "Io", [TSA], "cannot be signed: ", 0),
    ],
)
def test_authority_is_blamed_only_for_what_came_after_the_signature(
    clip: Path,
    identity: SigningIdentity,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    policy: Any,
    signed: bool,
    kind: str,
    asked: list[str | None],
    message: str,
    notes: int,
) -> None:
    from c2pa import C2paError

    class Call:
        error = None

        def __init__(self, _: object) -> None:
            self.signed = signed

        def for_library(self, url: str | None) -> None:
            urls.append(url)

    class Broken:
        def sign(self, *_: object) -> bytes:
            raise getattr(C2paError, kind)("it went wrong")

    urls: list[str | None] = []
    told: list[str] = []
    monkeypatch.setitem(write_signature.__globals__, "SignatureCall", Call)
    with pytest.raises(CredentialsError, match=message):
        write_signature(
            Broken,  # type: ignore[arg-type]
            clip,
            tmp_path / "x.mp4",
            identity=identity,
            timestamping=Timestamping(policy=policy, url=TSA),
            report=told.append,
        )
    assert urls == asked
    assert ["issued without one" in note for note in told] == [True] * notes


def test_file_that_cannot_be_written_is_no_fault_of_the_signer(
    clip: Path, identity: SigningIdentity, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match="signed clip cannot be written: No such file"):
        write_signature(
            lambda: None,  # type: ignore[arg-type, return-value]
            clip,
            tmp_path / "absent" / "x.mp4",
            identity=identity,
            timestamping=Timestamping(),
            report=pytest.fail,
        )


def test_a_disk_that_fills_up_while_signing_is_no_fault_of_the_signer(
    clip: Path,
    identity: SigningIdentity,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            if self.tell() + len(data) > clip.stat().st_size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    def opened(path: Path, mode: str) -> Any:
        return Full() if mode == "w+b" else io.BytesIO(path.read_bytes())

    builder = _builder(request_for_clip, sdk_context(TrustSettings()))
    data = clip.read_bytes()
    monkeypatch.setattr(Path, "read_bytes", lambda _: data)
    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(OutputError, match="signed clip cannot be written: No space left"):
        write_signature(
            lambda: builder,
            clip,
            tmp_path / "x.mp4",
            identity=identity,
            timestamping=Timestamping(),
            report=pytest.fail,
        )
