"""A private key held in memory, read from a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials.certificates import PrivateKey, key_algorithm
from vidigree.watermark.credentials.pem import what_instead_of
from vidigree.watermark.credentials.signer import PublicKey, signature_hash

__all__ = ["FileKey", "parse_private_key"]


@dataclass(frozen=True, repr=False)
class FileKey:
    """A key that was read from a file; see :class:`Signer`.

    Attributes:
        key: The private key.
    """

    key: PrivateKey
    kind: ClassVar[str] = "pem"

    def sign(self, data: bytes) -> bytes:
        """Sign bytes."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
            return self.key.sign(data, pss, hashes.SHA256())
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            chosen = signature_hash(key_algorithm(self.key.public_key())) or hashes.SHA256()
            return self.key.sign(data, ec.ECDSA(chosen))
        return self.key.sign(data)

    def public_key(self) -> PublicKey:
        """Return the public half."""
        return self.key.public_key()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


def parse_private_key(pem: bytes, password: bytes | None, *, where: str) -> FileKey:
    """Read a PEM private key: PKCS#8, SEC 1 or PKCS#1, encrypted or not.

    Args:
        pem: Contents of the file.
        password: For an encrypted key; one that is not needed is ignored.
        where: Named in messages.

    Raises:
        CredentialsError: The key is damaged, of another kind, or the password is missing or wrong.
    """
    encrypted = b"ENCRYPTED" in pem
    if encrypted and not password:
        raise CredentialsError(
            f"The private key in {where} is encrypted, and no password was given.",
            hint="Give --password-env or --password-file (config.toml: password_env or _file).",
        )
    try:
        key = serialization.load_pem_private_key(pem, password if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if encrypted:
            raise CredentialsError(
                f"The password does not open the private key in {where}.",
                hint="Check the password; if it is right, the key file is damaged.",
            ) from error
        wrong, todo = what_instead_of(pem, b"PRIVATE KEY")
        if b"PRIVATE KEY-----" in pem:
            wrong = "it is cut off, damaged, or of an unknown kind"
        raise CredentialsError(
            f"{where} holds no private key that can be read: {wrong}.",
            hint=todo or "Give a PEM file with a PKCS#8 private key.",
        ) from error
    key_algorithm(key.public_key())
    return FileKey(cast("PrivateKey", key))
