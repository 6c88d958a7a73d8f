"""Lists for signers and for time stamps stay apart."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fixtures.authority import pem
from fixtures.chain_authority import ChainAuthority

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials import (
    ManifestRequest,
    SigningIdentity,
    TrustList,
    TrustSettings,
    identity_from_chain,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.answers import StatusCodes
from vidigree.watermark.credentials.ingredients import manifest_answers, stamp_is_listed
from vidigree.watermark.credentials.private_key import FileKey


def test_time_stamp_list_does_not_vouch_for_a_signer(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    sign_file(clip, tmp_path / "signed.mp4", request=request_for_clip, identity=identity)
    only_tsa = TrustSettings(lists=(TrustList(name="tsa", role="tsa", anchors=identity.root),))
    reading = read_credentials(tmp_path / "signed.mp4", trust=only_tsa)
    assert (reading.integrity, reading.signer_trust) == ("intact", "unlisted")


def test_root_in_both_lists_vouches_for_a_signer(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    sign_file(clip, tmp_path / "signed.mp4", request=request_for_clip, identity=identity)
    both = TrustSettings(
        lists=(
            TrustList(name="stamps", role="tsa", anchors=identity.root),
            TrustList(name="signers", role="claim", anchors=identity.root),
        )
    )
    reading = read_credentials(tmp_path / "signed.mp4", trust=both)
    assert (reading.trusted_by, reading.trust_list) == ("list", "signers")


def test_a_single_signer_is_own_by_its_certificate_and_nobody_below_it(
    clip: Path, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    authority = ChainAuthority()
    one, other = authority.issue(), authority.issue()
    key = FileKey(one.key)  # type: ignore[arg-type]
    identity = identity_from_chain(one.chain, key)
    sign_file(clip, tmp_path / "signed.mp4", request=request_for_clip, identity=identity)
    found = {}
    for name, signers in {
        "leaf": pem(one.leaf),
        "both": pem(other.leaf) + pem(one.leaf),
        "other": pem(other.leaf),
        "issuer": pem(one.issuer),
        "root": pem(one.root),
        "none": b"",
    }.items():
        reading = read_credentials(tmp_path / "signed.mp4", trust=TrustSettings(signers=signers))
        assert reading.integrity == "intact"
        found[name] = (reading.signer_trust, reading.trusted_by, reading.trust_list)
    ours, unlisted = ("trusted", "own", "signers"), ("unlisted", None, "")
    assert found == {"leaf": ours, "both": ours} | dict.fromkeys(
        ("other", "issuer", "root", "none"), unlisted
    )


def test_every_anchor_is_in_one_group(identity: SigningIdentity) -> None:
    twice = TrustSettings(
        lists=(
            TrustList(name="a", role="claim", anchors=identity.root + identity.root),
            TrustList(name="b", role="tsa", anchors=identity.root),
        )
    )
    (group,) = twice.groups()
    assert group.roles == {"claim", "tsa"}
    assert group.anchors.count(b"BEGIN CERTIFICATE") == 1


def test_user_lists_are_read_from_the_data_folder(home: Path, identity: SigningIdentity) -> None:
    (home / "trust" / "claim").mkdir(parents=True)
    (home / "trust" / "claim" / "partners.pem").write_bytes(identity.root)
    roles = [(entry.name, entry.role) for entry in TrustSettings.load().lists]
    assert roles == [("partners", "claim"), ("identity", "own")]


def test_list_without_a_certificate_is_refused() -> None:
    empty = TrustSettings(lists=(TrustList(name="empty", role="claim", anchors=b"hello"),))
    with pytest.raises(CredentialsError, match="no certificate"):
        empty.groups()


def test_certificate_cannot_be_named_after_a_list(identity: SigningIdentity) -> None:
    settings = TrustSettings(lists=(TrustList(name="x", role="tsa", anchors=identity.root),))
    again = TrustSettings(lists=settings.lists)
    assert settings.groups()[0].uri != again.groups()[0].uri
    assert settings == again
    assert settings.nonce not in repr(settings)


@pytest.mark.parametrize(
    ("words", "listed"),
    [("legacy timestamp cert trusted: Evil", False), ("timestamp cert trusted: T", True)],
)
def test_name_in_a_legacy_stamp_is_no_list(
    identity: SigningIdentity, words: str, listed: bool
) -> None:
    settings = TrustSettings(lists=(TrustList(name="x", role="tsa", anchors=identity.root),))
    uri = settings.groups()[0].uri
    row = {"code": "timeStamp.trusted", "explanation": f"{words}, trust list: {uri}"}
    assert stamp_is_listed({"success": [row]}, settings) is listed


def _answers(success: list[dict[str, str]], trust: TrustSettings, *failure: str) -> dict[str, Any]:
    """Return what is said of a manifest with these rows of the library."""
    rows = {"success": [*success, {"code": "claimSignature.validated"}]}
    codes = StatusCodes.from_library(rows).with_failure(*failure)
    now = datetime.now(UTC)
    return manifest_answers({}, {"activeManifest": rows}, codes, (), trust=trust, now=now)


@pytest.mark.parametrize(
    ("explanation", "failure", "trust", "by"),
    [
        ("signing certificate trusted, found in [{uri}]", (), "trusted", "list"),
        ("found in [{uri}]", ("signingCredential.untrusted",), "unlisted", None),
        ("found in [{uri}]", ("signingCredential.invalid",), "unlisted", None),
        ("found in [{uri}:more]", (), "unlisted", None),
        ("found in [ {uri}]", (), "unlisted", None),
        ("{uri}", (), "unlisted", None),
        ("found in [urn:vidigree:trust::claim/x]", (), "unlisted", None),
        ("", (), "unlisted", None),
    ],
)
def test_signer_is_trusted_by_a_list_that_is_named_whole(
    identity: SigningIdentity,
    explanation: str,
    failure: tuple[str, ...],
    trust: str,
    by: str | None,
) -> None:
    settings = TrustSettings(lists=(TrustList(name="x", role="claim", anchors=identity.root),))
    said = explanation.format(uri=settings.groups()[0].uri)
    row = {"code": "signingCredential.trusted", "explanation": said}
    answers = _answers([row], settings, *failure)
    assert (answers["signer_trust"], answers["trusted_by"]) == (trust, by)
    assert answers["trust_list"] == ("x" if by else "")
    # Under another code the same words vouch for nobody.
    other = _answers([row | {"code": "timeStamp.trusted"}], settings)
    assert (other["signer_trust"], other["trusted_by"]) == ("unlisted", None)


@pytest.mark.parametrize(
    ("role", "explanation", "listed"),
    [
        ("tsa", "timestamp cert trusted: T, trust list: {uri}", True),
        ("claim", "timestamp cert trusted: T, trust list: {uri}", False),
        ("own", "timestamp cert trusted: T, trust list: {uri}", False),
        ("tsa", "timestamp cert trusted: T, trust list: {uri} and more", False),
        ("tsa", "timestamp cert trusted: T, {uri}", False),
        ("tsa", "T, trust list: {uri}", False),
    ],
)
def test_authority_is_listed_by_a_list_for_time_stamps_alone(
    identity: SigningIdentity, role: Any, explanation: str, listed: bool
) -> None:
    settings = TrustSettings(lists=(TrustList(name="x", role=role, anchors=identity.root),))
    said = explanation.format(uri=settings.groups()[0].uri)
    row = {"code": "timeStamp.trusted", "explanation": said}
    assert stamp_is_listed({"success": ["no row", row]}, settings) is listed
    assert not stamp_is_listed({"success": [row | {"code": "timeStamp.validated"}]}, settings)
    assert not stamp_is_listed({"failure": [row]}, settings)
    assert not stamp_is_listed({"success": "no list"}, settings)


def test_list_that_cannot_be_read_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "folder.pem").mkdir()
    for name in ("folder.pem", "missing.pem"):
        with pytest.raises(CredentialsError, match="cannot be read"):
            TrustSettings.from_files(claim=(tmp_path / name,))
        with pytest.raises(CredentialsError, match="cannot be read"):
            TrustSettings.from_files(tsa=(tmp_path / name,))


def test_damaged_certificate_in_a_list_is_told(identity: SigningIdentity) -> None:
    damaged = identity.root.replace(b"M", b"=", 1)
    settings = TrustSettings(lists=(TrustList(name="x", role="claim", anchors=damaged),))
    with pytest.raises(CredentialsError, match="damaged certificate"):
        settings.groups()


def test_lists_are_kept_in_their_order_and_role(home: Path, identity: SigningIdentity) -> None:
    for role, name in [("tsa", "b"), ("tsa", "a"), ("claim", "d"), ("claim", "c")]:
        (home / "trust" / role).mkdir(parents=True, exist_ok=True)
        (home / "trust" / role / f"{name}.pem").write_bytes(identity.root)
    (home / "trust" / "claim" / "note.txt").write_text("no list")
    found = [(entry.name, entry.role) for entry in TrustSettings.load().lists]
    assert found == [
        ("c", "claim"),
        ("d", "claim"),
        ("identity", "own"),
        ("a", "tsa"),
        ("b", "tsa"),
    ]
    (group,) = TrustSettings.load().groups()
    assert group.roles == {"claim", "own", "tsa"}


def test_lists_are_those_of_the_folder_that_is_named(
    home: Path, identity: SigningIdentity, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "trust" / "claim").mkdir(parents=True)
    (elsewhere / "trust" / "claim" / "there.pem").write_bytes(identity.root)
    found = [(entry.name, entry.role) for entry in TrustSettings.load(elsewhere).lists]
    assert found == [("there", "claim")]
    assert [entry.role for entry in TrustSettings.load().lists] == ["own"]
