"""Signers from PKCS#12 files (``.p12``, ``.pfx``): key and certificates in one, by password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import pkcs12

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials.certificates import PrivateKey, key_algorithm
from vidigree.watermark.credentials.chains import ordered_chain
from vidigree.watermark.credentials.identity import SigningIdentity, identity_from_chain
from vidigree.watermark.credentials.private_key import FileKey
from vidigree.watermark.credentials.signers.settings import SignerSettings

__all__ = ["open_pkcs12"]


@dataclass(frozen=True, repr=False)
class _Pkcs12Key(FileKey):
    kind: ClassVar[str] = "pkcs12"


def open_pkcs12(settings: SignerSettings) -> SigningIdentity:
    """Open a PKCS#12 file, whose certificates may stand in any order.

    Options: ``file``, and ``password_env`` or ``password_file``.
    """
    settings.check(required=("file",), optional=("password_env", "password_file"))
    password = settings.secret("password")
    content, where = settings.read("file"), str(settings.path("file"))
    try:
        bundle = pkcs12.load_pkcs12(content, password.encode() if password is not None else None)
    except UnsupportedAlgorithm as error:
        raise CredentialsError(
            f"{where} holds a key of an unknown kind, or is encrypted in an unknown way.",
            hint="Use P-256, P-384, P-521, RSA of at least 2048 bits, or Ed25519.",
        ) from error
    except ValueError as error:
        raise CredentialsError(
            f"{where} cannot be opened: "
            + ("the password is wrong" if password else "it needs a password")
            + ", or it is no PKCS#12 file.",
            hint="Check the password that password_env or password_file leads to."
            if password
            else "Give --password-env or --password-file (config.toml: password_env or _file).",
        ) from error
    if bundle.key is None or bundle.cert is None:
        missing = "private key" if bundle.key is None else "certificate of the key"
        raise CredentialsError(
            f"{where} holds no {missing}.",
            hint="Export it again with the private key and its whole chain.",
        )
    key_algorithm(bundle.key.public_key())
    others = [entry.certificate for entry in bundle.additional_certs]
    return identity_from_chain(
        ordered_chain(bundle.cert.certificate, others),
        _Pkcs12Key(cast("PrivateKey", bundle.key)),
        where=where,
    )
