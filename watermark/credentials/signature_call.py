"""One call of a signer by the library, which hides whatever goes wrong inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidigree.media.errors import CredentialsError, VidigreeError
from vidigree.watermark.credentials.identity import SigningIdentity
from vidigree.watermark.credentials.signer import cose_signature, signature_holds
from vidigree.watermark.credentials.untrusted_text import bounded_text

if TYPE_CHECKING:
    from c2pa import Signer as LibrarySigner

__all__ = ["SignatureCall"]


class SignatureCall:
    """Hands an identity's signer to the library and keeps what the library would swallow.

    The library turns every exception of a callback into "COSE signature invalid", and lets a
    signature of another key pass until its own reading of the file. Both are caught here.

    Args:
        identity: Who signs.

    Attributes:
        error: What the signer raised, or what was wrong with its signature.
        signed: Whether a signature that fits the certificate was given.
    """

    def __init__(self, identity: SigningIdentity) -> None:
        self._identity = identity
        self._public_key = identity.public_key()
        self.error: BaseException | None = None
        self.signed = False

    def for_library(self, timestamp_url: str | None = None) -> LibrarySigner:
        """Return a signer for one use by the library.

        Args:
            timestamp_url: RFC 3161 authority that the library asks after signing.

        Raises:
            C2paError: The chain cannot be read.
        """
        from c2pa import C2paSigningAlg, Signer

        algorithm = C2paSigningAlg[self._identity.algorithm.upper()]
        chain = self._identity.chain.decode("ascii", errors="replace")
        return Signer.from_callback(self._answer, algorithm, chain, timestamp_url)

    def sign(self, data: bytes) -> bytes:
        """Sign and check the signature against the certificate.

        Raises:
            CredentialsError: The signer failed, or signed with another key.
        """
        algorithm = self._identity.algorithm
        signer = self._identity.signer
        try:
            given: object = signer.sign(data)
        except VidigreeError:
            raise
        except Exception as error:  # shown with its own words, whatever a cloud client raises
            raise CredentialsError(
                f"The {signer.kind} signer failed: {type(error).__name__}: {bounded_text(error)}.",
                hint="Check its address, rights and credentials; nothing was issued.",
            ) from error
        if not isinstance(given, bytes | bytearray) or not given:
            raise CredentialsError(
                f"The {signer.kind} signer returned {type(given).__name__} instead of a signature.",
                hint="It must return bytes.",
            )
        signature = cose_signature(bytes(given), algorithm)
        if not signature_holds(signature, data, self._public_key, algorithm):
            raise CredentialsError(
                f"The {signer.kind} signer's signature does not fit the certificate of"
                f" {self._identity.common_name!r}.",
                hint=f"The key must belong to the first certificate, and sign {algorithm}.",
            )
        return signature

    def _answer(self, data: bytes) -> bytes:
        """Sign for the library; nothing means failure there, an exception only fills its log."""
        try:
            signature = self.sign(data)
        except BaseException as error:  # noqa: BLE001 - a callback of C: raised again by the caller
            self.error = error
            return b""
        self.signed = True
        return signature
