"""A signer whose key and certificates are PEM files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials.identity import SigningIdentity, identity_from_pem, read_pem
from vidigree.watermark.credentials.signers import secret_from_environment

__all__ = ["pem_identity"]


def pem_identity(options: Mapping[str, str], folder: Path) -> SigningIdentity:
    """Return the identity of two PEM files.

    Args:
        options: ``chain``: leaf and its issuers. ``key``: private key. ``password_env``: variable
            with the key's password, if it has one.
        folder: Where relative paths start.

    Raises:
        CredentialsError: A file is missing or damaged, the password is wrong, or the key does not
            belong to the leaf.
    """
    chain_path = folder / options.get("chain", "chain.pem")
    key_path = folder / options.get("key", "key.pem")
    password = secret_from_environment(options, "password_env")
    key = read_pem(key_path)
    if password is not None:
        key = _decrypted(key, password, key_path)
    return identity_from_pem(read_pem(chain_path), key, where=str(key_path.parent))


def _decrypted(key: bytes, password: str, path: Path) -> bytes:
    try:
        private = serialization.load_pem_private_key(key, password.encode())
    except (ValueError, TypeError) as error:
        raise CredentialsError(
            f"The key {path} cannot be opened: the password is wrong or the file is damaged.",
            hint="Check the password in the environment variable.",
        ) from error
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
