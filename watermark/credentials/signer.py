"""The contract of whatever holds a private key: a file, a token, a cloud service."""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials.certificates import SigningAlgorithm

__all__ = ["PublicKey", "Signer", "cose_signature", "signature_hash", "signature_holds"]

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

# COSE (RFC 9053 section 2.1): r and s, each as long as the curve's order.
_ECDSA_HALVES: dict[SigningAlgorithm, int] = {"es256": 32, "es384": 48, "es512": 66}


@runtime_checkable
class Signer(Protocol):
    """A private key that signs and is never shown.

    Attributes:
        kind: Name of the kind, as in the settings: ``"pem"``, ``"pkcs11"``.
    """

    kind: ClassVar[str]

    def sign(self, data: bytes) -> bytes:
        """Sign bytes with the algorithm of the certificate.

        Args:
            data: What is signed, not hashed yet; a few kilobytes.

        Returns:
            ECDSA: r and s, raw or DER. RSA: PSS with SHA-256, MGF1 with SHA-256 and a salt of 32
            bytes. Ed25519: 64 bytes.

        Raises:
            CredentialsError: The key is away, locked, or refused. Any other exception is shown to
                the user with its own words.
        """
        ...

    def public_key(self) -> PublicKey | None:
        """Return the public half, or ``None`` where it is only known from the certificate."""
        ...


def signature_hash(algorithm: SigningAlgorithm) -> hashes.HashAlgorithm | None:
    """Return the hash that the algorithm applies to the data; ``None`` for Ed25519."""
    if algorithm == "ed25519":
        return None
    by_algorithm = {"es384": hashes.SHA384(), "es512": hashes.SHA512()}
    return by_algorithm.get(algorithm, hashes.SHA256())


def cose_signature(signature: bytes, algorithm: SigningAlgorithm) -> bytes:
    """Return a signature as COSE wants it: an ECDSA one raw, whatever the signer gave.

    Raises:
        CredentialsError: It is neither raw nor DER.
    """
    half = _ECDSA_HALVES.get(algorithm)
    if half is None or len(signature) == 2 * half:
        return signature
    try:
        r, s = utils.decode_dss_signature(signature)
        return r.to_bytes(half, "big") + s.to_bytes(half, "big")
    except (ValueError, OverflowError) as error:
        raise CredentialsError(
            f"The signer returned {len(signature)} bytes that are no {algorithm} signature.",
            hint="It must return r and s, raw or as DER.",
        ) from error


def signature_holds(
    signature: bytes, data: bytes, key: PublicKey, algorithm: SigningAlgorithm
) -> bool:
    """Return whether a signature in COSE form fits the data and the public key."""
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        elif isinstance(key, rsa.RSAPublicKey):
            pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
            key.verify(signature, data, pss, hashes.SHA256())
        else:
            half = _ECDSA_HALVES[algorithm]
            r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
            chosen = signature_hash(algorithm) or hashes.SHA256()
            key.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(chosen))
    except (InvalidSignature, ValueError):
        return False
    return True
