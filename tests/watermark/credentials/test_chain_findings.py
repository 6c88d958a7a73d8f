"""Of a chain with one fault, that fault is told and no other beside it."""

from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from fixtures.authority import Authority, pem, usage
from fixtures.chain_authority import ChainAuthority

from vidigree.watermark.credentials.certificate_check import check_chain


def _errors(chain: bytes) -> list[str]:
    return [row.problem for row in check_chain(chain) if row.severity == "error"]


def test_two_leaves_are_out_of_order_and_not_upside_down() -> None:
    authority = ChainAuthority()
    one, other = authority.issue(), authority.issue()
    found = _errors(pem(one.leaf) + pem(other.leaf))
    assert "'Example issuing', and 'Example signer' comes next." in found[0]
    assert not any("upside down" in problem for problem in found)


def test_authorities_alone_are_not_upside_down() -> None:
    issued = ChainAuthority().issue()
    found = _errors(pem(issued.issuer) + pem(issued.root))
    assert any("is a certificate authority" in problem for problem in found)
    assert not any("upside down" in problem for problem in found)
    (found, *_) = _errors(pem(issued.root) + pem(issued.issuer) + pem(issued.leaf))
    assert "self-signed" in found
    upside_down = _errors(pem(issued.issuer) + pem(issued.root) + pem(issued.leaf))
    assert "upside down" in upside_down[0]
    assert not any("comes next" in problem for problem in upside_down)


def test_a_root_right_above_the_leaf_is_too_much_and_no_fault() -> None:
    authority = Authority.make()
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = authority.issue(key.public_key())
    found = [(row.severity, row.problem) for row in check_chain(pem(leaf) + pem(authority.root))]
    root = "The root is part of the chain; readers take roots from their own lists."
    assert found == [("warning", root)]
    ((severity, alone),) = [(row.severity, row.problem) for row in check_chain(pem(leaf))]
    assert severity == "warning"
    assert "There is only the leaf" in alone


def test_of_a_self_signed_leaf_no_issuer_is_missed() -> None:
    found = _errors(pem(Authority.make().root))
    assert any("self-signed" in problem for problem in found)
    assert not any("which key issued it" in problem for problem in found)


@pytest.mark.parametrize("ca", [True, False])
def test_who_may_sign_certificates_is_an_authority_or_told(ca: bool) -> None:
    right = usage(digital_signature=True, key_cert_sign=True)
    issued = ChainAuthority().issue(ca=ca, key_usage_extension=right)
    assert _errors(issued.chain) == [
        "The leaf is a certificate authority; claims are signed by end entities."
        if ca
        else "The leaf may sign certificates (keyCertSign) though it is no authority."
    ]


def test_a_signature_without_a_hash_of_its_own_is_taken() -> None:
    authority = ChainAuthority()
    authority.issuer_key = ed25519.Ed25519PrivateKey.generate()  # type: ignore[assignment]
    leaf = authority.issue(signature_hash=None).leaf
    assert leaf.signature_hash_algorithm is None
    assert _errors(pem(leaf)) == []


def test_a_certificate_of_the_first_version_is_told() -> None:
    der = ChainAuthority().issue().leaf.public_bytes(Encoding.DER)
    third = bytes.fromhex("a003020102")  # the first is told by leaving it out
    assert der[:2] == der[4:6] == b"\x30\x82"
    assert der[8:13] == third
    sizes = [int.from_bytes(der[at : at + 2]) - len(third) for at in (2, 6)]
    outer, inner = (b"\x30\x82" + size.to_bytes(2) for size in sizes)
    body = base64.encodebytes(outer + inner + der[13:])
    chain = b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"
    assert _errors(chain) == ["The leaf is not an X.509 version 3 certificate."]


def test_a_certificate_without_a_common_name_is_named_by_what_it_has() -> None:
    subject = x509.Name(
        [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Studio\n" + "x" * 200)]
    )
    leaf = ChainAuthority().issue(subject=subject).leaf
    (found,) = _errors(pem(leaf) + pem(ChainAuthority("Other").issuer))
    named = found.partition("' was issued by")[0]
    assert named.startswith("'O=Studio")
    assert len(named) <= 82
    assert "\n" not in found
