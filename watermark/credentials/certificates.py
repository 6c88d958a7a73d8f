"""A development certificate chain in the shape that C2PA asks for: root, issuing CA, leaf.

The chain proves that two clips came from the same key, and nothing about who holds it. It is named
so that nobody can take it for more. Profile: C2PA 2.4 section 14.5 and the C2PA certificate policy
(leaf of at most 366 days, emailProtection and c2pa-kp-claimSigning).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from vidigree.media.errors import CredentialsError

__all__ = [
    "CLAIM_SIGNING",
    "DEVELOPMENT_ORGANIZATION",
    "DevelopmentChain",
    "PrivateKey",
    "SigningAlgorithm",
    "generate_key",
    "key_algorithm",
    "make_development_chain",
]

SigningAlgorithm = Literal["es256", "es384", "es512", "ps256", "ed25519"]
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

DEVELOPMENT_ORGANIZATION = "vidigree development certificate (identity not verified)"
"""Organization of every certificate made here; the word a reader looks for."""

CLAIM_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
"""Extended key usage c2pa-kp-claimSigning."""

_ROOT_VALIDITY = timedelta(days=3650)
_LEAF_VALIDITY = timedelta(days=365)
# A verifier whose clock runs a little behind must not call a fresh certificate "not yet valid".
_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class DevelopmentChain:
    """A root, an issuing CA and a leaf; the keys of the first two are not kept.

    Attributes:
        root: PEM of the root certificate, the trust anchor.
        chain: PEM of the leaf, then of the issuing CA.
        key: PKCS#8 PEM of the leaf's private key, not encrypted.
    """

    root: bytes
    chain: bytes
    key: bytes

    def __repr__(self) -> str:
        return "DevelopmentChain(...)"


def generate_key(algorithm: SigningAlgorithm) -> PrivateKey:
    """Make a private key for a COSE algorithm: P-256, P-384, P-521, RSA 3072 or Ed25519."""
    if algorithm == "es256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "es384":
        return ec.generate_private_key(ec.SECP384R1())
    if algorithm == "es512":
        return ec.generate_private_key(ec.SECP521R1())
    if algorithm == "ps256":
        return rsa.generate_private_key(public_exponent=65537, key_size=3072)
    return ed25519.Ed25519PrivateKey.generate()


def make_development_chain(
    algorithm: SigningAlgorithm = "es256", *, now: datetime | None = None
) -> DevelopmentChain:
    """Make a fresh chain whose CA keys are thrown away, so that nobody can issue from it again.

    Args:
        algorithm: COSE algorithm of the leaf; root and CA are always P-384.
        now: Start of validity; ``None`` means the current time.
    """
    start = (now or datetime.now(UTC)) - _CLOCK_SKEW
    tag = secrets.token_hex(4)
    root_key = ec.generate_private_key(ec.SECP384R1())
    ca_key = ec.generate_private_key(ec.SECP384R1())
    leaf_key = generate_key(algorithm)

    root_name = _name(f"vidigree development root {tag}")
    ca_name = _name(f"vidigree development issuing CA {tag}")
    leaf_name = _name(f"vidigree development signer {tag}")

    root = _authority(root_name, root_name, root_key, root_key, start, path_length=1)
    issuing = _authority(ca_name, root_name, ca_key, root_key, start, path_length=0)
    leaf = (
        _builder(leaf_name, ca_name, leaf_key, start, _LEAF_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(sign=True), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION, CLAIM_SIGNING]),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA384())
    )
    return DevelopmentChain(
        root=_pem(root),
        chain=_pem(leaf) + _pem(issuing),
        key=leaf_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def key_algorithm(key: object) -> SigningAlgorithm:
    """Return the COSE algorithm for a public key.

    Raises:
        CredentialsError: C2PA has no algorithm for this kind of key here.
    """
    if isinstance(key, ec.EllipticCurvePublicKey):
        by_curve: dict[str, SigningAlgorithm] = {
            "secp256r1": "es256",
            "secp384r1": "es384",
            "secp521r1": "es512",
        }
        if key.curve.name in by_curve:
            return by_curve[key.curve.name]
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return "ps256"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    raise CredentialsError(
        "This kind of key cannot sign content credentials.",
        hint="Use P-256, P-384, P-521, RSA of at least 2048 bits, or Ed25519.",
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, DEVELOPMENT_ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: PrivateKey,
    start: datetime,
    validity: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + validity)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _authority(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    start: datetime,
    *,
    path_length: int,
) -> x509.Certificate:
    return (
        _builder(subject, issuer, key, start, _ROOT_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage(sign=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .sign(issuer_key, hashes.SHA384())
    )


def _key_usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not sign,
        crl_sign=not sign,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
