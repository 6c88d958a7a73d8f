"""Which key of a token signs is said by the settings and never guessed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from fixtures.chain_authority import ChainAuthority, Issued

from vidigree.media.errors import CredentialsError, UsageError
from vidigree.watermark.credentials.signature_call import SignatureCall
from vidigree.watermark.credentials.signers import SignerSettings, open_signer

if TYPE_CHECKING:
    from cryptography import x509

MakeSigner = Callable[[str, Issued], SignerSettings]


def _changed(settings: SignerSettings, **changes: str | None) -> SignerSettings:
    options = {**settings.options, **changes}
    return replace(settings, options={name: text for name, text in options.items() if text})


def test_a_key_is_named_by_its_label_or_its_id(
    authority: ChainAuthority, make_signer: MakeSigner
) -> None:
    make_signer("pkcs11", authority.issue())  # another key on the same token
    settings = make_signer("pkcs11", authority.issue())
    label = f"key-{int(settings.options['key_id'], 16)}"
    for named in (
        settings,
        _changed(settings, key_id=None, key_label=label),
        _changed(settings, key_label=label),
    ):
        assert SignatureCall(open_signer(named)).sign(b"x")
    with pytest.raises(CredentialsError, match="no such private key"):
        open_signer(_changed(settings, key_label="key-0")).signer.sign(b"x")


def test_no_key_is_taken_that_nobody_named(
    authority: ChainAuthority, make_signer: MakeSigner
) -> None:
    settings = make_signer("pkcs11", authority.issue())
    with pytest.raises(UsageError, match="needs the option 'key_label' or 'key_id'"):
        open_signer(_changed(settings, key_id=None))
    with pytest.raises(UsageError, match="'no hex' is not hexadecimal"):
        open_signer(_changed(settings, key_id="no hex"))


def test_a_module_that_can_lie_nowhere_is_not_called_a_wrong_key_id() -> None:
    options = {"module": "~nobody-of-this-name/x.so", "token": "x", "key_label": "x"}
    with pytest.raises(UsageError, match=r"module .* home folder that is not known"):
        open_signer(SignerSettings(kind="pkcs11", options=options))


def test_another_key_of_the_token_signs_nothing(
    authority: ChainAuthority, make_signer: MakeSigner
) -> None:
    other = make_signer("pkcs11", authority.issue()).options["key_id"]
    settings = make_signer("pkcs11", authority.issue())
    identity = open_signer(_changed(settings, key_id=other))
    with pytest.raises(CredentialsError, match="does not fit the certificate"):
        SignatureCall(identity).sign(b"x")


def test_the_certificate_is_the_one_with_the_id_of_the_key(
    authority: ChainAuthority, make_signer: MakeSigner
) -> None:
    import pkcs11

    issued, other = authority.issue(), authority.issue()
    settings = make_signer("pkcs11", issued)
    token = pkcs11.lib(settings.options["module"]).get_token(token_label=settings.options["token"])
    with token.open(rw=True, user_pin="4711") as session:
        for certificate, its_id in (
            (issued.issuer, b"\xca"),
            (other.leaf, b"\xcb"),
            (issued.leaf, bytes.fromhex(settings.options["key_id"])),
            (issued.root, b"\xcc"),
        ):
            _store(session, certificate, its_id)
    assert open_signer(_changed(settings, chain=None)).chain == issued.chain


def _store(session: object, certificate: x509.Certificate, its_id: bytes) -> None:
    from pkcs11 import Attribute, CertificateType, ObjectClass

    session.create_object(  # type: ignore[attr-defined]
        {
            Attribute.CLASS: ObjectClass.CERTIFICATE,
            Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
            Attribute.ID: its_id,
            Attribute.TOKEN: True,
            Attribute.SUBJECT: certificate.subject.public_bytes(),
            Attribute.VALUE: certificate.public_bytes(Encoding.DER),
        }
    )


def test_a_pin_that_is_not_given_is_told(
    authority: ChainAuthority, make_signer: MakeSigner
) -> None:
    identity = open_signer(_changed(make_signer("pkcs11", authority.issue()), pin_file=None))
    with pytest.raises(CredentialsError, match="cannot sign"):
        identity.signer.sign(b"x")


def test_the_package_that_speaks_to_tokens_is_named_where_it_is_missing(
    authority: ChainAuthority, make_signer: MakeSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_signer("pem", authority.issue())
    options = {"module": "m", "token": "t", "key_id": "01", "chain": settings.options["chain"]}
    for given in (options, {**options, "chain": ""}):
        named = SignerSettings(kind="pkcs11", options=given, base=settings.base)
        monkeypatch.setitem(sys.modules, "pkcs11", None)
        with pytest.raises(CredentialsError, match="need the Python package python-pkcs11"):
            open_signer(named).signer.sign(b"x")
