"""Passwords and PINs that are missing or wrong give a sentence, and so do damaged files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    NoEncryption,
    pkcs12,
)
from fixtures.authority import key_pem, pem
from fixtures.chain_authority import ChainAuthority, Issued

from vidigree.media.errors import CredentialsError, UsageError
from vidigree.watermark.credentials import init_identity
from vidigree.watermark.credentials.signers import SignerSettings, open_signer

MakeSigner = Callable[[str, Issued], SignerSettings]


@pytest.mark.parametrize("kind", ["pem-encrypted", "pkcs12"])
def test_wrong_password(
    kind: str,
    authority: ChainAuthority,
    make_signer: MakeSigner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = make_signer(kind, authority.issue())
    monkeypatch.setenv("TEST_SECRET", "wrong")
    (tmp_path / "password").write_text("wrong")
    with pytest.raises(CredentialsError, match=r"password (does not open|is wrong)"):
        open_signer(settings)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"p\xc3\xa4ss", ""),
        (b"p\xc3\xa4ss\r\n", ""),
        (b"\xef\xbb\xbfp\xc3\xa4ss\n", ""),  # with a byte order mark
        (b"p\xe4ss", "no text in UTF-8"),  # Latin-1
        ("päss".encode("utf-16"), "no text in UTF-8"),
    ],
)
def test_a_password_is_text_in_utf_8(
    authority: ChainAuthority, tmp_path: Path, content: bytes, words: str
) -> None:
    issued = authority.issue()
    (tmp_path / "chain.pem").write_bytes(issued.chain)
    (tmp_path / "key.pem").write_bytes(key_pem(issued.key, "päss".encode()))
    (tmp_path / "password").write_bytes(content)
    options = {"chain": "chain.pem", "key": "key.pem", "password_file": "password"}
    settings = SignerSettings(kind="pem", options=options, base=tmp_path)
    if not words:
        assert open_signer(settings).organization == "Example Ltd"
        return
    with pytest.raises(CredentialsError, match=words) as told:
        open_signer(settings)
    assert "Save it as UTF-8" in told.value.hint
    assert told.value.__suppress_context__  # whose words quote the secret


def test_wrong_pin(authority: ChainAuthority, make_signer: MakeSigner, tmp_path: Path) -> None:
    settings = make_signer("pkcs11", authority.issue())
    (tmp_path / "pin").write_text("0000")
    identity = open_signer(settings)
    with pytest.raises(CredentialsError, match="the PIN is wrong"):
        identity.signer.sign(b"x")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"token": "other"}, "no token of that name"),
        ({"key_id": "ffff"}, "no such private key"),
    ],
)
def test_wrong_place_on_the_token(
    change: dict[str, str], words: str, authority: ChainAuthority, make_signer: MakeSigner
) -> None:
    settings = make_signer("pkcs11", authority.issue())
    identity = open_signer(replace(settings, options={**settings.options, **change}))
    with pytest.raises(CredentialsError, match=words):
        identity.signer.sign(b"x")


def test_threads_share_a_token(authority: ChainAuthority, make_signer: MakeSigner) -> None:
    from concurrent.futures import ThreadPoolExecutor

    identity = open_signer(make_signer("pkcs11", authority.issue("ed25519")))
    with ThreadPoolExecutor(8) as pool:
        signatures = set(pool.map(identity.signer.sign, [b"the same"] * 40))
    assert len(signatures) == 1  # Ed25519 is deterministic


def test_threads_that_open_the_token_each_for_itself_take_turns(
    authority: ChainAuthority, make_signer: MakeSigner
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    settings = make_signer("pkcs11", authority.issue("ed25519"))

    def signed(_: int) -> bytes:
        return open_signer(settings).signer.sign(b"the same")

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(signed, range(24)))) == 1


def test_pkcs11_module_that_is_not_there(
    authority: ChainAuthority, make_signer: MakeSigner
) -> None:
    settings = make_signer("pkcs11", authority.issue())
    wrong = replace(settings, options={**settings.options, "module": "/no/such/module.so"})
    with pytest.raises(CredentialsError, match=r"/no/such/module\.so"):
        open_signer(wrong).signer.sign(b"x")


def test_certificates_beside_the_key_on_the_token(
    authority: ChainAuthority, make_signer: MakeSigner, softhsm: object
) -> None:
    import pkcs11

    issued = authority.issue()
    settings = make_signer("pkcs11", issued)
    options = {name: value for name, value in settings.options.items() if name != "chain"}
    without = replace(settings, options=options)
    with pytest.raises(CredentialsError, match="holds no certificate with the id of the key"):
        open_signer(without)
    token = pkcs11.lib(options["module"]).get_token(token_label=options["token"])
    with token.open(rw=True, user_pin="4711") as session:
        # What is no certificate comes first, under the id of the key as well.
        for its_id in (options["key_id"], "ee"):
            _store(session, issued.leaf, its_id, content=b"garbage")
    with pytest.raises(CredentialsError, match="holds no certificate with the id of the key"):
        open_signer(without)
    with token.open(rw=True, user_pin="4711") as session:
        for certificate, its_id in ((issued.leaf, options["key_id"]), (issued.issuer, "ca")):
            _store(session, certificate, its_id)
    assert open_signer(without).chain == issued.chain


def _store(session: object, certificate: object, its_id: str, content: bytes | None = None) -> None:
    from cryptography.hazmat.primitives import serialization
    from pkcs11 import Attribute, CertificateType, ObjectClass

    session.create_object(  # type: ignore[attr-defined]
        {
            Attribute.CLASS: ObjectClass.CERTIFICATE,
            Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
            Attribute.ID: bytes.fromhex(its_id.zfill(4)),
            Attribute.TOKEN: True,
            Attribute.SUBJECT: certificate.subject.public_bytes(),  # type: ignore[attr-defined]
            Attribute.VALUE: content or certificate.public_bytes(serialization.Encoding.DER),  # type: ignore[attr-defined]
        }
    )


def test_encrypted_key_without_password(authority: ChainAuthority, make_signer: MakeSigner) -> None:
    settings = make_signer("pem-encrypted", authority.issue())
    options = {"chain": "chain.pem", "key": "key.pem"}
    with pytest.raises(CredentialsError, match=r"encrypted.*no password"):
        open_signer(replace(settings, options=options))


def test_password_variable_that_is_not_set(
    authority: ChainAuthority, make_signer: MakeSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_signer("pem-encrypted", authority.issue())
    monkeypatch.delenv("TEST_SECRET")
    with pytest.raises(CredentialsError, match="TEST_SECRET"):
        open_signer(settings)


def test_chain_in_the_wrong_order(
    authority: ChainAuthority, make_signer: MakeSigner, tmp_path: Path
) -> None:
    issued = authority.issue()
    settings = make_signer("pem", issued)
    (tmp_path / "chain.pem").write_bytes(pem(issued.issuer) + pem(issued.leaf))
    with pytest.raises(CredentialsError, match="wrong order"):
        open_signer(settings)


@pytest.mark.parametrize("name", ["chain.pem", "key.pem"])
@pytest.mark.parametrize("content", [b"", b"-----BEGIN NOTHING-----", b"\xff\x00"])
def test_damaged_file_is_named(
    name: str, content: bytes, authority: ChainAuthority, make_signer: MakeSigner, tmp_path: Path
) -> None:
    settings = make_signer("pem", authority.issue())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CredentialsError, match=name):
        open_signer(settings)


@pytest.mark.parametrize("kind", ["pem", "pkcs12", "callback"])
def test_name_that_no_file_can_have_is_told(
    kind: str, authority: ChainAuthority, make_signer: MakeSigner
) -> None:
    settings = make_signer(kind, authority.issue())
    name = "file" if kind == "pkcs12" else "chain"
    for place, error, words in (
        ("a\0b", CredentialsError, "null byte"),
        ("~nobody-of-this-name/x", UsageError, "home folder that is not known"),
    ):
        wrong = replace(settings, options={**settings.options, name: place})
        with pytest.raises(error, match=words):
            open_signer(wrong)


def test_pkcs12_with_a_key_of_an_unknown_kind_is_told(
    authority: ChainAuthority,
    make_signer: MakeSigner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = make_signer("pkcs12", authority.issue())

    def unknown(content: bytes, password: bytes | None) -> None:
        raise UnsupportedAlgorithm("Curve 1.3.132.0.6 is not supported")

    monkeypatch.setattr(pkcs12, "load_pkcs12", unknown)
    with pytest.raises(CredentialsError, match=r"signer\.p12 holds a key of an unknown kind"):
        open_signer(settings)


def test_pkcs12_is_opened_without_a_password_if_it_has_none(
    authority: ChainAuthority, make_signer: MakeSigner, tmp_path: Path
) -> None:
    issued = authority.issue()
    settings = replace(make_signer("pkcs12", issued), options={"file": "signer.p12"})
    with pytest.raises(CredentialsError, match="it needs a password"):
        open_signer(settings)
    content = pkcs12.serialize_key_and_certificates(
        None,
        issued.key,  # type: ignore[arg-type]
        issued.leaf,
        [issued.issuer],
        NoEncryption(),
    )
    (tmp_path / "signer.p12").write_bytes(content)
    assert open_signer(settings).chain == issued.chain


def test_folder_is_the_one_that_is_named_and_no_option_is_passed_over(tmp_path: Path) -> None:
    named = init_identity(tmp_path / "named")
    usual = init_identity()
    found = [
        open_signer(SignerSettings(kind="folder", options=options, base=tmp_path)).serial
        for options in ({"folder": "named"}, {"folder": ""}, {})
    ]
    assert found == [named.serial, usual.serial, usual.serial]
    with pytest.raises(UsageError, match="no option 'folders'"):
        open_signer(SignerSettings(kind="folder", options={"folders": "named"}, base=tmp_path))


@pytest.mark.parametrize("left_out", ["key", "certificate"])
def test_pkcs12_without_a_key_or_its_certificate_is_told(
    left_out: str, authority: ChainAuthority, make_signer: MakeSigner, tmp_path: Path
) -> None:
    issued = authority.issue()
    settings = make_signer("pkcs12", issued)
    key, leaf = (None, issued.leaf) if left_out == "key" else (issued.key, None)
    encryption = BestAvailableEncryption(b"correct horse")
    content = pkcs12.serialize_key_and_certificates(None, key, leaf, [issued.issuer], encryption)  # type: ignore[arg-type]
    (tmp_path / "signer.p12").write_bytes(content)
    with pytest.raises(CredentialsError, match=f"holds no (private )?{left_out}"):
        open_signer(settings)


def test_password_that_no_key_needs_is_ignored(
    authority: ChainAuthority, make_signer: MakeSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = authority.issue()
    settings = make_signer("pem", issued)
    options = {**settings.options, "password_env": "TEST_SECRET"}
    assert open_signer(replace(settings, options=options)).chain == issued.chain
    monkeypatch.setenv("TEST_SECRET", "")  # named and empty is not the same as not named
    with pytest.raises(CredentialsError, match="TEST_SECRET"):
        open_signer(replace(settings, options=options))


def test_missing_file_is_named(
    authority: ChainAuthority, make_signer: MakeSigner, tmp_path: Path
) -> None:
    settings = make_signer("pkcs12", authority.issue())
    (tmp_path / "signer.p12").unlink()
    with pytest.raises(CredentialsError, match=r"signer\.p12.*No such file"):
        open_signer(settings)
