"""The registry of signer kinds."""

from __future__ import annotations

from collections.abc import Callable

from vidigree.media.registry import Registry
from vidigree.watermark.credentials.identity import SigningIdentity
from vidigree.watermark.credentials.signers.settings import SignerSettings

__all__ = ["SignerOpener", "open_signer", "signers"]

SignerOpener = Callable[[SignerSettings], SigningIdentity]
"""Reads certificates and reaches for the key, which it may leave where it is.

It raises :class:`CredentialsError` with a sentence when either is missing, locked or does not fit.
"""

_HERE = "vidigree.watermark.credentials.signers"

signers: Registry[SignerOpener] = Registry("signer", "vidigree.signers")
"""Signer kinds; other packages add theirs under the entry point group ``vidigree.signers``."""

signers.add("folder", f"{_HERE}.pem:open_folder")
signers.add("pem", f"{_HERE}.pem:open_pem")
signers.add("pkcs12", f"{_HERE}.pkcs12:open_pkcs12")
signers.add("pkcs11", f"{_HERE}.pkcs11:open_pkcs11")
signers.add("callback", f"{_HERE}.callback:open_callback")


def open_signer(settings: SignerSettings) -> SigningIdentity:
    """Return the identity that the settings name.

    Raises:
        UsageError: There is no such kind of signer, or its options are wrong.
        CredentialsError: Key or certificates are missing, locked or do not fit.
    """
    return signers.get(settings.kind)(settings)
