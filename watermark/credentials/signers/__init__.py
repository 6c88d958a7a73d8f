"""Where the private key lives: PEM files, PKCS#12, a PKCS#11 token, or a cloud service."""

from vidigree.watermark.credentials.signers.opening import SignerOpener, open_signer, signers
from vidigree.watermark.credentials.signers.settings import SignerSettings

__all__ = ["SignerOpener", "SignerSettings", "open_signer", "signers"]
