"""Signers on a PKCS#11 token: a hardware security module, a smart card, SoftHSM."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from vidigree.media.errors import CredentialsError, UsageError
from vidigree.watermark.credentials.certificates import SigningAlgorithm
from vidigree.watermark.credentials.chains import ordered_chain
from vidigree.watermark.credentials.identity import (
    SigningIdentity,
    identity_from_chain,
    leaf_algorithm,
)
from vidigree.watermark.credentials.pem import read_certificates
from vidigree.watermark.credentials.signer import signature_hash
from vidigree.watermark.credentials.signers.settings import SignerSettings
from vidigree.watermark.credentials.untrusted_text import bounded_text

if TYPE_CHECKING:
    from pkcs11 import Session

__all__ = ["open_pkcs11"]

# What the module's error classes mean to a person.
_MEANINGS = {
    "NoSuchToken": "there is no token of that name in it",
    "MultipleTokensReturned": "several tokens have that name",
    "NoSuchKey": "the token holds no such private key",
    "MultipleObjectsReturned": "several private keys fit; give key_id as well",
    "PinIncorrect": "the PIN is wrong",
    "PinLenRange": "the PIN is wrong",
    "PinInvalid": "the PIN is wrong",
    "PinLocked": "the PIN is locked after too many wrong tries",
    "UserPinNotInitialized": "the token has no user PIN yet",
    "TokenNotPresent": "the token was removed",
    "DeviceRemoved": "the token was removed",
    "MechanismInvalid": "the token cannot sign with this kind of key",
}


# By module: module and login belong to the process, so that the end of one session would end all.
_LOCKS: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


@dataclass(frozen=True, kw_only=True)
class _Token:
    """Where the key lies, and what opens it; the PIN is in no text."""

    module: str
    label: str
    key_label: str | None
    key_id: bytes | None
    pin: str | None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.label!r})"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a session for one use: a token may be pulled out and put back between two clips.

        Raises:
            CredentialsError: The module, the token or the PIN does not work.
        """
        try:
            import pkcs11
        except ModuleNotFoundError as error:
            raise CredentialsError(
                "PKCS#11 signers need the Python package python-pkcs11.",
                hint="Install it with `pip install 'vidigree[pkcs11]'`.",
            ) from error
        try:
            with _LOCKS[self.module]:
                token = pkcs11.lib(self.module).get_token(token_label=self.label)
                with token.open(user_pin=self.pin) as session:
                    yield session
        except CredentialsError:
            raise
        except (RuntimeError, OSError) as error:  # PKCS11Error is a RuntimeError
            name = type(error).__name__
            told = _MEANINGS.get(name) or bounded_text(f"{name}: {error}").rstrip(" :")
            raise CredentialsError(
                f"The token {self.label!r} behind {self.module} cannot sign: {told}.",
                hint="Check module, token, key_label, key_id and PIN; see docs/signing.md.",
            ) from error

    def private_key(self, session: Session) -> Any:
        """Return the handle of the private key."""
        from pkcs11 import ObjectClass

        return session.get_key(
            object_class=ObjectClass.PRIVATE_KEY, label=self.key_label, id=self.key_id
        )

    def certificates(self) -> bytes:
        """Return the chain that lies on the token beside the key, as PEM.

        Raises:
            CredentialsError: There is no certificate for the key.
        """
        with self.session() as session:
            from pkcs11 import Attribute, ObjectClass

            key_id = self.private_key(session)[Attribute.ID]
            found = {}
            for row in session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE}):
                # What is no certificate stands in the way of nothing but itself.
                with suppress(ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
                    certificate = x509.load_der_x509_certificate(bytes(row[Attribute.VALUE]))
                    found[certificate] = bytes(row[Attribute.ID])
        leaf = next((row for row, its_id in found.items() if its_id == key_id), None)
        if leaf is None:
            raise CredentialsError(
                f"The token {self.label!r} holds no certificate with the id of the key.",
                hint="Give the option `chain`: a PEM file, the signer's certificate first.",
            )
        return ordered_chain(leaf, [row for row in found if row is not leaf])


@dataclass(frozen=True)
class _TokenKey:
    """A private key that stays on its token; see :class:`Signer`."""

    token: _Token
    algorithm: SigningAlgorithm
    kind: ClassVar[str] = "pkcs11"

    def sign(self, data: bytes) -> bytes:
        """Sign bytes; the hash is made here, because not every token can."""
        chosen = signature_hash(self.algorithm)
        if chosen is not None:
            digest = hashes.Hash(chosen)
            digest.update(data)
            data = digest.finalize()
        with self.token.session() as session:
            from pkcs11 import MGF, Mechanism

            key = self.token.private_key(session)
            if self.algorithm == "ed25519":
                return bytes(key.sign(data, mechanism=Mechanism.EDDSA))
            if self.algorithm == "ps256":
                pss = (Mechanism.SHA256, MGF.SHA256, 32)
                return bytes(key.sign(data, mechanism=Mechanism.RSA_PKCS_PSS, mechanism_param=pss))
            return bytes(key.sign(data, mechanism=Mechanism.ECDSA))

    def public_key(self) -> None:
        """Return nothing: the signature itself is checked against the certificate."""


def open_pkcs11(settings: SignerSettings) -> SigningIdentity:
    """Reach a key on a token.

    Options: ``module`` (path of the vendor's library), ``token`` (its label), ``key_label`` or
    ``key_id`` (hex), ``pin_env`` or ``pin_file``, and ``chain`` where the certificates do not lie
    on the token.
    """
    settings.check(
        required=("module", "token"),
        optional=("key_label", "key_id", "pin_env", "pin_file", "chain"),
    )
    key_id = settings.text("key_id")
    if key_id is None and settings.text("key_label") is None:
        raise UsageError(
            "The pkcs11 signer needs the option 'key_label' or 'key_id'.",
            hint="`pkcs11-tool --module ... --list-objects` shows both.",
        )
    try:
        identifier = None if key_id is None else bytes.fromhex(key_id)
    except ValueError as error:
        raise UsageError(f"The key_id {key_id!r} is not hexadecimal.") from error
    token = _Token(
        module=str(settings.path("module")),
        label=settings.options["token"],
        key_label=settings.text("key_label"),
        key_id=identifier,
        pin=settings.secret("pin"),
    )
    chain = settings.read("chain") if settings.text("chain") else token.certificates()
    where = f"the token {token.label!r}"
    leaf = read_certificates(chain, what=f"The chain of {where}")[0]
    key = _TokenKey(token, leaf_algorithm(leaf, where=where))
    return identity_from_chain(chain, key, where=where)
