"""What is wrong with a file that should hold certificates, in our words and with a way out."""

from __future__ import annotations

from base64 import encodebytes

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials import SigningIdentity
from vidigree.watermark.credentials.pem import read_certificates
from vidigree.watermark.credentials.private_key import parse_private_key

VERSION = (bytes.fromhex("a003020102"), bytes.fromhex("a003020107"))
END = b"-----END CERTIFICATE-----\n"


def _changed(chain: bytes, kind: str) -> bytes:
    der = x509.load_pem_x509_certificates(chain)[0].public_bytes(Encoding.DER)
    head = chain.partition(b"\n")[0]
    return {
        "empty": b" \n",
        "text": b"hello",
        "binary": der,
        "key": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "cut": chain[: len(chain) - 40],
        "base64": chain.replace(head + b"\n", head + b"\n!!!!", 1),
        "version": head + b"\n" + encodebytes(der.replace(*VERSION, 1)) + END,
        "x509": head + b"\nAAAA\n-----END CERTIFICATE-----\n",
    }[kind]


@pytest.mark.parametrize(
    ("kind", "says", "hint"),
    [
        ("empty", "it is empty", "PEM"),
        ("text", "it is no PEM text", "PEM"),
        ("binary", "it is binary", "openssl x509 -inform der"),
        ("key", "it holds PRIVATE KEY", "PEM"),
        ("cut", "2 certificates begin and 1 end", "complete copy"),
        ("base64", "certificate 1 of 2 is not base64 text", "PEM"),
        ("version", "certificate 1 of 1 is no X.509 certificate", "PEM"),
        ("x509", "certificate 1 of 1 is no X.509 certificate", "PEM"),
    ],
)
def test_each_fault_is_told(identity: SigningIdentity, kind: str, says: str, hint: str) -> None:
    with pytest.raises(CredentialsError, match=says) as told:
        read_certificates(_changed(identity.chain, kind), what="The list")
    assert str(told.value).startswith("The list ")
    assert hint in (told.value.hint or "")


def test_blocks_of_other_kinds_and_text_between_are_passed_over(identity: SigningIdentity) -> None:
    key = _changed(identity.chain, "key")
    found = read_certificates(b"Bag Attributes\n" + key + identity.chain, what="The list")
    assert found == x509.load_pem_x509_certificates(identity.chain)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is empty"),
        (b"hello", "it is no PEM text"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "damaged"),
        (b"\x30\x03abc", "binary"),
    ],
)
def test_a_key_that_cannot_be_read_is_told_without_a_librarys_words(
    content: bytes, says: str
) -> None:
    with pytest.raises(CredentialsError, match=says) as told:
        parse_private_key(content, password=None, where="key.pem")
    assert "key.pem holds no private key that can be read" in str(told.value)
    assert "ASN" not in str(told.value)
