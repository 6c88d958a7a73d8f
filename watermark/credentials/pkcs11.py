"""A signer in a hardware module: the key never leaves the PKCS#11 token."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials.certificates import SigningAlgorithm
from vidigree.watermark.credentials.identity import SigningIdentity, identity_from_chain, read_pem
from vidigree.watermark.credentials.signers import secret_from_environment

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["pkcs11_identity"]

_SALT_BYTES = 32  # COSE PS256: as long as the digest (RFC 8230 section 2)


def pkcs11_identity(options: Mapping[str, str], folder: Path) -> SigningIdentity:
    """Return an identity whose key lies in a token.

    Args:
        options: ``module``: path of the PKCS#11 library. ``token``: label of the token. ``key``:
            label of the private key. ``chain``: PEM file of the leaf and its issuers. ``pin_env``:
            variable with the user PIN.
        folder: Where relative paths start.

    Raises:
        CredentialsError: The module, token or key is not there, or the PIN is wrong.
    """
    for needed in ("module", "token", "key", "chain"):
        if not options.get(needed):
            raise CredentialsError(
                f"The PKCS#11 signer needs {needed!r}.",
                hint="Run `vidigree keys use pkcs11 --help`.",
            )
    pin = secret_from_environment(options, "pin_env")
    identity = identity_from_chain(read_pem(folder / options["chain"]), sign=_refuse)
    sign = _token_signer(options, pin, identity.algorithm)
    return identity_from_chain(identity.chain, sign=sign)


def _refuse(_data: bytes) -> bytes:
    raise CredentialsError("The token is not open.")


def _token_signer(
    options: Mapping[str, str], pin: str | None, algorithm: SigningAlgorithm
) -> Callable[[bytes], bytes]:
    """Return a function that signs in the token, opening a session for each signature."""
    try:
        import pkcs11
    except ImportError as error:
        raise CredentialsError(
            "PKCS#11 signers need a package that is not installed.",
            hint="pip install 'vidigree[pkcs11]'",
        ) from error

    def sign(data: bytes) -> bytes:
        try:
            token = pkcs11.lib(options["module"]).get_token(token_label=options["token"])
            with token.open(user_pin=pin) as session:
                key = session.get_key(
                    object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=options["key"]
                )
                return bytes(_sign(key, data, algorithm, pkcs11))
        except (pkcs11.exceptions.PKCS11Error, RuntimeError, OSError) as error:
            raise CredentialsError(
                f"The PKCS#11 token {options['token']!r} cannot sign: "
                f"{type(error).__name__} {error}".strip()
                + ".",
                hint="Check the module, the labels of token and key, and the PIN.",
            ) from error

    return sign


def _sign(key: Any, data: bytes, algorithm: SigningAlgorithm, pkcs11: Any) -> bytes:
    """Sign with the mechanism that the commonest tokens have; digests are taken here."""
    mechanism = pkcs11.Mechanism
    if algorithm == "ed25519":
        return bytes(key.sign(data, mechanism=mechanism.EDDSA))
    if algorithm == "ps256":
        parameters = (mechanism.SHA256, pkcs11.MGF.SHA256, _SALT_BYTES)
        return bytes(
            key.sign(data, mechanism=mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=parameters)
        )
    digest = hashlib.sha256 if algorithm == "es256" else hashlib.sha384
    # r and s, one after the other: what COSE wants as well.
    return bytes(key.sign(digest(data).digest(), mechanism=mechanism.ECDSA))
