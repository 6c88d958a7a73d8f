"""Put certificates in the order that a signature needs: leaf, its issuer, and so on, no root."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from vidigree.watermark.credentials.untrusted_text import bounded_text

__all__ = ["is_authority", "is_issued_by", "is_self_signed", "ordered_chain", "short_name"]


def is_authority(certificate: x509.Certificate) -> bool:
    """Return whether a certificate says that it may issue others; not if that cannot be read."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (
        ValueError,
        x509.DuplicateExtension,
        x509.ExtensionNotFound,
        x509.UnsupportedGeneralNameType,
    ):
        return False


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether ``issuer`` signed ``certificate``, by name and by signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Return whether a certificate vouches for itself, as roots do."""
    return is_issued_by(certificate, certificate)


def ordered_chain(leaf: x509.Certificate, others: Sequence[x509.Certificate]) -> bytes:
    """Return the PEM of the leaf and of those of ``others`` that lead to its root.

    Args:
        leaf: Certificate of the signer.
        others: Certificates in any order; those that do not belong are left out, and so is the
            root, which a reader has or does not believe.
    """
    chain = [leaf]
    rest = [entry for entry in others if not is_self_signed(entry)]
    while True:
        issuer = next((entry for entry in rest if is_issued_by(chain[-1], entry)), None)
        if issuer is None:
            break
        chain.append(issuer)
        rest.remove(issuer)
    return b"".join(entry.public_bytes(serialization.Encoding.PEM) for entry in chain)


def short_name(name: x509.Name) -> str:
    """Return the common name of a certificate's holder or issuer in quotes, bounded; or all."""
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return f"'{bounded_text(common[0].value if common else name.rfc4514_string(), 80)}'"
