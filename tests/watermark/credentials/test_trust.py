"""Lists for signers and for time stamps stay apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials import (
    ManifestRequest,
    SigningIdentity,
    TrustList,
    TrustSettings,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.ingredients import stamp_is_listed


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
