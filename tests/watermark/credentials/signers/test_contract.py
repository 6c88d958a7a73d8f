"""What every kind of signer holds: it signs every algorithm, and says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fixtures.chain_authority import DAY, ChainAuthority, Issued, trusting

from vidigree.media.errors import CredentialsError, UsageError
from vidigree.watermark.credentials import (
    ManifestRequest,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.signer import Signer
from vidigree.watermark.credentials.signers import SignerSettings, open_signer

KINDS = ("pem", "pem-encrypted", "pkcs12", "pkcs11", "callback")
ALGORITHMS = ("es256", "es384", "es512", "ps256", "ed25519")
MakeSigner = Callable[[str, Issued], SignerSettings]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", KINDS)
def test_signed_clip_is_trusted(
    kind: str,
    algorithm: str,
    authority: ChainAuthority,
    make_signer: MakeSigner,
    clip: Path,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    identity = open_signer(make_signer(kind, authority.issue(algorithm)))
    assert isinstance(identity.signer, Signer)
    assert identity.signer.kind == kind.partition("-")[0]
    sign_file(clip, tmp_path / "signed.mp4", request=request_for_clip, identity=identity)
    reading = read_credentials(tmp_path / "signed.mp4", trust=trusting(authority))
    assert (reading.integrity, reading.signer_trust) == ("intact", "trusted")
    assert reading.signer is not None
    assert reading.signer.algorithm == algorithm
    assert reading.signer.organization == "Example Ltd"


@pytest.mark.parametrize("kind", KINDS)
def test_expired_certificate_says_when(
    kind: str,
    authority: ChainAuthority,
    make_signer: MakeSigner,
    clip: Path,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    now = datetime.now(UTC)
    issued = authority.issue(not_before=now - 30 * DAY, not_after=now - 2 * DAY)
    identity = open_signer(make_signer(kind, issued))
    target = tmp_path / "out" / "signed.mp4"
    target.parent.mkdir()
    with pytest.raises(CredentialsError, match=f"expired on {now - 2 * DAY:%Y-%m-%d}"):
        sign_file(clip, target, request=request_for_clip, identity=identity)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_key_of_another_certificate_is_refused(
    kind: str,
    authority: ChainAuthority,
    make_signer: MakeSigner,
    clip: Path,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    issued, other = authority.issue(), authority.issue()
    mixed = replace(issued, key=other.key)
    if kind == "pkcs12":
        with pytest.raises(ValueError, match="do not match"):
            make_signer(kind, mixed)  # such a file cannot even be written
        return
    target = tmp_path / "out" / "signed.mp4"
    target.parent.mkdir()
    with pytest.raises(CredentialsError, match=r"does not (belong|fit)"):
        identity = open_signer(make_signer(kind, mixed))
        sign_file(clip, target, request=request_for_clip, identity=identity)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_are_in_no_text(
    kind: str, authority: ChainAuthority, make_signer: MakeSigner
) -> None:
    settings = make_signer(kind, authority.issue())
    identity = open_signer(settings)
    for text in (repr(identity), repr(identity.signer), repr(settings), str(identity.to_dict())):
        assert "correct horse" not in text
        assert "4711" not in text
        assert "PRIVATE KEY" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_option_names_the_nearest(
    kind: str, authority: ChainAuthority, make_signer: MakeSigner
) -> None:
    settings = make_signer(kind, authority.issue())
    name = next(iter(settings.options))
    wrong = replace(settings, options={**settings.options, f"{name}s": "x"})
    with pytest.raises(UsageError, match=f"Did you mean '{name}'"):
        open_signer(wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_missing_option_is_named(
    kind: str, authority: ChainAuthority, make_signer: MakeSigner
) -> None:
    settings = make_signer(kind, authority.issue())
    with pytest.raises(UsageError, match="needs the option"):
        open_signer(replace(settings, options={}))


def test_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="pkcs11"):
        open_signer(SignerSettings(kind="pkcs-11"))
