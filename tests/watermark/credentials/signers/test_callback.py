"""A cloud key service that fails is quoted, not swallowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.chain_authority import ChainAuthority, Issued

from vidigree.media.errors import CredentialsError, UsageError
from vidigree.watermark.credentials import ManifestRequest, sign_file
from vidigree.watermark.credentials.certificate_check import check_identity
from vidigree.watermark.credentials.identity import identity_from_chain
from vidigree.watermark.credentials.signature_call import SignatureCall
from vidigree.watermark.credentials.signers import SignerSettings, open_signer
from vidigree.watermark.credentials.signers.callback import CallbackSigner

MakeSigner = Callable[[str, Issued], SignerSettings]


def denied(data: bytes) -> bytes:
    raise PermissionError("AccessDeniedException: no kms:Sign on key/1234")


def interrupted(data: bytes) -> bytes:
    raise KeyboardInterrupt


FAULTS = [
    (denied, r"PermissionError: AccessDeniedException: no kms:Sign on key/1234"),
    (lambda data: b"", "instead of a signature"),
    (lambda data: None, "NoneType instead of a signature"),
    (lambda data: 64, "int instead of a signature"),
    (lambda data: b"garbage", "no es256 signature"),
    (lambda data: bytes(64), "does not fit the certificate"),
]


@pytest.mark.parametrize(("function", "words"), FAULTS)
def test_fault_is_told_and_leaves_nothing(
    function: Callable[[bytes], bytes],
    words: str,
    authority: ChainAuthority,
    clip: Path,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    identity = identity_from_chain(authority.issue().chain, CallbackSigner(function))
    target = tmp_path / "signed.mp4"
    target.write_bytes(b"precious")
    with pytest.raises(CredentialsError, match=words):
        sign_file(clip, target, request=request_for_clip, identity=identity)
    assert target.read_bytes() == b"precious"


def test_interrupt_inside_the_signer_is_an_interrupt(
    authority: ChainAuthority, clip: Path, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    identity = identity_from_chain(authority.issue().chain, CallbackSigner(interrupted))
    with pytest.raises(KeyboardInterrupt):
        sign_file(clip, tmp_path / "x.mp4", request=request_for_clip, identity=identity)


def test_what_a_signer_of_ours_says_is_kept_as_it_is(authority: ChainAuthority) -> None:
    told = CredentialsError("The token was pulled out.", hint="Put it back.")

    def gone(data: bytes) -> bytes:
        raise told

    identity = identity_from_chain(authority.issue().chain, CallbackSigner(gone))
    with pytest.raises(CredentialsError) as caught:
        SignatureCall(identity).sign(b"x")
    assert caught.value is told
    assert check_identity(identity)[0].problem == "The token was pulled out."


@pytest.mark.parametrize("target", ["no_such_module_at_all:sign", "json:no_such_function"])
def test_function_that_cannot_be_loaded(
    target: str, authority: ChainAuthority, make_signer: MakeSigner, tmp_path: Path
) -> None:
    make_signer("pem", authority.issue())
    options = {"chain": "chain.pem", "function": target}
    with pytest.raises(CredentialsError, match="cannot be loaded"):
        open_signer(SignerSettings(kind="callback", options=options, base=tmp_path))


@pytest.mark.parametrize("target", ["json", "json:", ":dumps", "json:__doc__"])
def test_text_that_names_no_function(
    target: str, authority: ChainAuthority, make_signer: MakeSigner, tmp_path: Path
) -> None:
    make_signer("pem", authority.issue())
    options = {"chain": "chain.pem", "function": target}
    with pytest.raises(UsageError, match="function"):
        open_signer(SignerSettings(kind="callback", options=options, base=tmp_path))
