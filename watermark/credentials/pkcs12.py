"""A signer in a PKCS#12 file (``.p12``, ``.pfx``), as certificate authorities hand them out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials.identity import SigningIdentity, identity_from_pem, read_pem
from vidigree.watermark.credentials.signers import secret_from_environment

__all__ = ["pkcs12_identity"]


def pkcs12_identity(options: Mapping[str, str], folder: Path) -> SigningIdentity:
    """Return the identity in a PKCS#12 file.

    Args:
        options: ``file``: the file. ``password_env``: variable with its password, if it has one.
        folder: Where a relative path starts.

    Raises:
        CredentialsError: The file is missing or damaged, the password is wrong, or it holds no key.
    """
    path = folder / options.get("file", "identity.p12")
    password = secret_from_environment(options, "password_env")
    try:
        key, leaf, others = pkcs12.load_key_and_certificates(
            read_pem(path), password.encode() if password is not None else None
        )
    except ValueError as error:
        raise CredentialsError(
            f"{path} cannot be opened: the password is wrong or the file is damaged.",
            hint="Name the environment variable that holds the password with --password-env.",
        ) from error
    if key is None or leaf is None:
        raise CredentialsError(
            f"{path} holds no private key with its certificate.",
            hint="Export it again with the key and the whole chain.",
        )
    chain = _chain(leaf, others)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return identity_from_pem(chain, private, where=str(path))


def _chain(leaf: x509.Certificate, others: list[x509.Certificate]) -> bytes:
    """Return the leaf and its issuers in order, the root left out: C2PA readers have their own."""
    chain = [leaf]
    while True:
        issuer = next(
            (row for row in others if row.subject == chain[-1].issuer and row not in chain), None
        )
        if issuer is None or issuer.subject == issuer.issuer:
            break
        chain.append(issuer)
    return b"".join(row.public_bytes(serialization.Encoding.PEM) for row in chain)
