"""Signers by a function of the user's: a cloud key service, or anything else that can sign."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from vidigree.media.errors import CredentialsError, UsageError
from vidigree.watermark.credentials.identity import SigningIdentity, identity_from_chain
from vidigree.watermark.credentials.signers.settings import SignerSettings
from vidigree.watermark.credentials.untrusted_text import bounded_text

__all__ = ["CallbackSigner", "open_callback"]


@dataclass(frozen=True)
class CallbackSigner:
    """A function that signs; see :class:`Signer` for what it gets and returns.

    Attributes:
        function: Called with the bytes to sign. What it raises is shown to the user.

    Example:
        An AWS KMS key::

            def sign(data: bytes) -> bytes:
                digest = hashlib.sha256(data).digest()
                answer = boto3.client("kms").sign(
                    KeyId="alias/credentials", Message=digest,
                    MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256",
                )
                return answer["Signature"]
    """

    function: Callable[[bytes], bytes]
    kind: ClassVar[str] = "callback"

    def sign(self, data: bytes) -> bytes:
        """Sign bytes."""
        return self.function(data)

    def public_key(self) -> None:
        """Return nothing: the signature itself is checked against the certificate."""


def open_callback(settings: SignerSettings) -> SigningIdentity:
    """Import a function that signs.

    Options: ``function`` (``package.module:name``, importable where vidigree runs) and ``chain``.
    """
    settings.check(required=("function", "chain"))
    return identity_from_chain(
        settings.read("chain"),
        CallbackSigner(_import(settings.options["function"])),
        where=str(settings.path("chain")),
    )


def _import(target: str) -> Callable[[bytes], bytes]:
    module, _, name = target.partition(":")
    if not module or not name:
        raise UsageError(
            f"{target!r} names no function.", hint="Write it as package.module:function."
        )
    try:
        function = getattr(importlib.import_module(module), name)
    except Exception as error:  # a user's module may raise anything while it loads
        raise CredentialsError(
            f"The signing function {target} cannot be loaded:"
            f" {type(error).__name__}: {bounded_text(error)}.",
            hint="It must be importable where vidigree runs; see docs/signing.md.",
        ) from error
    if not callable(function):
        raise UsageError(f"{target} is not a function.")
    return function  # type: ignore[no-any-return]
