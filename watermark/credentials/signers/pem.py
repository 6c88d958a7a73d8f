"""Signers from PEM files: the identity folder, or a chain and a key anywhere."""

from __future__ import annotations

from vidigree.watermark.credentials.identity import (
    SigningIdentity,
    identity_from_chain,
    load_identity,
)
from vidigree.watermark.credentials.private_key import parse_private_key
from vidigree.watermark.credentials.signers.settings import SignerSettings

__all__ = ["open_folder", "open_pem"]


def open_folder(settings: SignerSettings) -> SigningIdentity:
    """Open what ``vidigree keys init`` made; the option ``folder`` names another folder."""
    settings.check(optional=("folder",))
    return load_identity(settings.path("folder") if settings.text("folder") else None)


def open_pem(settings: SignerSettings) -> SigningIdentity:
    """Open a chain and a private key, encrypted or not.

    Options: ``chain``, ``key``, and ``password_env`` or ``password_file`` for an encrypted key.
    """
    settings.check(required=("chain", "key"), optional=("password_env", "password_file"))
    password = settings.secret("password")
    signer = parse_private_key(
        settings.read("key"),
        password.encode() if password is not None else None,
        where=str(settings.path("key")),
    )
    return identity_from_chain(settings.read("chain"), signer, where=str(settings.path("chain")))
