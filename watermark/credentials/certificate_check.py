"""Say in words what is wrong with a signing chain; the library only says "invalid".

Profile: C2PA 2.4 section 14.5 (certificates) and 14.4.1 (purposes); the certificate policy of the
conformance programme where a finding is only a warning.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials.certificates import CLAIM_SIGNING, DEVELOPMENT_ORGANIZATION
from vidigree.watermark.credentials.chains import is_authority, is_issued_by, short_name
from vidigree.watermark.credentials.identity import SigningIdentity
from vidigree.watermark.credentials.path_rules import path_faults
from vidigree.watermark.credentials.pem import read_certificates
from vidigree.watermark.credentials.signature_call import SignatureCall

__all__ = ["ChainFinding", "check_chain", "check_identity"]

_DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
_PURPOSES = frozenset({CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION, _DOCUMENT_SIGNING})
_FORBIDDEN = {
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "any purpose",
    ExtendedKeyUsageOID.TIME_STAMPING: "time stamping",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSP signing",
}
_SOON = timedelta(days=30)
_LONGEST = timedelta(days=366)
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
_KEYS = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey)
_HASHES = ("sha256", "sha384", "sha512")
_CURVES = ("secp256r1", "secp384r1", "secp521r1")


@dataclass(frozen=True, kw_only=True)
class ChainFinding:
    """One thing about a chain.

    Attributes:
        severity: ``"error"``: signing fails, or readers that keep to C2PA and RFC 5280 call the
            signature invalid. ``"warning"``: it works, and not everywhere or not for long.
        problem: One sentence: what is so.
        remedy: One sentence: what to do.
    """

    severity: Literal["error", "warning"]
    problem: str
    remedy: str

    def to_dict(self) -> dict[str, str]:
        """Return the finding as JSON values."""
        return {"severity": self.severity, "problem": self.problem, "remedy": self.remedy}


def check_identity(identity: SigningIdentity) -> tuple[ChainFinding, ...]:
    """Check the certificates of an identity, and that its signer signs with the leaf's key.

    A trial signature finds a wrong PIN, a token that was pulled out, a right that is missing.
    """
    findings = check_chain(identity.chain)
    try:
        SignatureCall(identity).sign(secrets.token_bytes(64))
    except CredentialsError as error:
        return (_error(error.message, error.hint), *findings)
    return findings


def check_chain(chain: bytes, *, now: datetime | None = None) -> tuple[ChainFinding, ...]:
    """Check a chain of certificates for signing claims.

    Args:
        chain: PEM, leaf first.
        now: Time of checking; ``None`` means the clock.

    Returns:
        What was found, errors first; empty if all is well.

    Raises:
        CredentialsError: The bytes are not certificates.
    """
    certificates = read_certificates(chain, what="The chain")
    now = now or datetime.now(UTC)
    unreadable = tuple(_unreadable(certificates))
    if unreadable:
        return unreadable
    leaf = certificates[0]
    found = [
        *_order(certificates),
        *_validity(leaf, now),
        *_purposes(leaf),
        *_usage(leaf),
        *_identifiers(leaf),
        *_key(leaf),
        *_hash(leaf, "The leaf"),
        *_name(leaf),
        *_issuers(certificates[1:], now),
        *(_error(problem, remedy) for problem, remedy in path_faults(certificates)),
    ]
    return tuple(sorted(found, key=lambda row: row.severity != "error"))


def _unreadable(certificates: Sequence[x509.Certificate]) -> Iterator[ChainFinding]:
    """Yield what keeps the other checks from being made: parts that are read when asked for."""
    for number, certificate in enumerate(certificates, 1):
        part = "names"
        try:
            _ = (certificate.subject, certificate.issuer)
            part = "extensions"
            _ = certificate.extensions
        except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            yield _error(
                f"The {part} of certificate {number} of the chain cannot be read.",
                "It is damaged or was made wrongly; ask its authority for another.",
            )


def _order(certificates: Sequence[x509.Certificate]) -> Iterator[ChainFinding]:
    leaf = certificates[0]
    if leaf.subject == leaf.issuer:
        yield _error(
            "The leaf is self-signed; C2PA asks for a certificate that an authority issued.",
            "Make a chain with `vidigree keys init`, or buy a certificate.",
        )
        return
    if is_authority(leaf) and not is_authority(certificates[-1]):
        yield _error(
            "The chain is upside down: an authority stands first, the leaf last.",
            "Put the leaf first, then its issuer, then the issuer's issuer.",
        )
        return
    for lower, upper in pairwise(certificates):
        if lower.issuer != upper.subject:
            yield _error(
                f"{_title(lower)} was issued by {short_name(lower.issuer)}, and {_title(upper)} "
                "comes next.",
                "Put the certificates in order, each followed by its issuer.",
            )
        elif not is_issued_by(lower, upper):
            yield _error(
                f"The signature of {_title(upper)} on {_title(lower)} does not hold.",
                "The authority has another certificate of the same name; ask for the right one.",
            )
    last = certificates[-1]
    if last.subject == last.issuer:
        yield _warning(
            "The root is part of the chain; readers take roots from their own lists.",
            "Leave it out to keep manifests small.",
        )
    if len(certificates) == 1:
        yield _warning(
            "There is only the leaf; readers that list the root cannot get from one to the other.",
            "Append the intermediate certificates of the authority.",
        )


def _validity(leaf: x509.Certificate, now: datetime) -> Iterator[ChainFinding]:
    start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if now > end:
        yield _error(f"The leaf ran out on {end:%Y-%m-%d}.", "Renew it.")
    elif now < start:
        yield _error(
            f"The leaf is valid only from {start:%Y-%m-%d %H:%M} UTC.",
            "Wait, or check this machine's clock.",
        )
    elif now > end - _SOON:
        yield _warning(f"The leaf runs out on {end:%Y-%m-%d}.", "Renew it in time.")
    if end - start > _LONGEST:
        yield _warning(
            f"The leaf is valid for {(end - start).days} days; C2PA's certificate policy allows "
            f"{_LONGEST.days}.",
            "An official list will not take it; ask for a shorter one.",
        )


def _issuers(issuers: Sequence[x509.Certificate], now: datetime) -> Iterator[ChainFinding]:
    for issuer in issuers:
        yield from _key(issuer, f" of the issuer {_title(issuer)}")
        if issuer.subject != issuer.issuer:  # nobody asks what a root is signed with
            yield from _hash(issuer, f"The issuer {_title(issuer)}")
        usage = _extension(issuer, x509.KeyUsage)
        if not is_authority(issuer) or (usage is not None and not usage.key_cert_sign):
            yield _error(
                f"The issuer {_title(issuer)} may not issue certificates"
                " (basic constraints, key usage).",
                "Readers do not follow the chain through it; use one that an authority issued.",
            )
        start, end = issuer.not_valid_before_utc, issuer.not_valid_after_utc
        if not start <= now <= end:
            when = f"from {start:%Y-%m-%d %H:%M} UTC" if now < start else f"until {end:%Y-%m-%d}"
            yield _error(
                f"The issuer {_title(issuer)} is not valid now ({when}).",
                "Ask the authority for its current intermediate certificate.",
            )


def _purposes(leaf: x509.Certificate) -> Iterator[ChainFinding]:
    extension = _extension(leaf, x509.ExtendedKeyUsage)
    if extension is None:
        yield _error(
            "The leaf names no purpose (extended key usage).",
            "It needs c2pa-kp-claimSigning (1.3.6.1.4.1.62558.2.1) and emailProtection or "
            "documentSigning.",
        )
        return
    purposes = set(extension)
    for purpose, word in _FORBIDDEN.items():
        if purpose in purposes:
            yield _error(
                f"The leaf may be used for {word}, which C2PA forbids beside signing claims.",
                "Ask for a certificate without it.",
            )
    if not purposes & _PURPOSES:
        yield _error(
            "None of the leaf's purposes is one for signing claims.",
            "It needs c2pa-kp-claimSigning, emailProtection or documentSigning.",
        )
    elif CLAIM_SIGNING not in purposes:
        yield _warning(
            "The leaf lacks the purpose c2pa-kp-claimSigning, which C2PA 2.4 asks for.",
            "It works with older readers' settings; ask for it at the next renewal.",
        )
    elif purposes & _PURPOSES == {CLAIM_SIGNING}:
        yield _warning(
            "c2pa-kp-claimSigning is the leaf's only purpose; readers that keep their library's "
            "default list of purposes call it invalid.",
            "Ask for emailProtection or documentSigning beside it.",
        )


def _usage(leaf: x509.Certificate) -> Iterator[ChainFinding]:
    usage = _extension(leaf, x509.KeyUsage)
    if usage is None or not usage.digital_signature:
        yield _error(
            "The leaf may not make digital signatures (key usage).",
            "Ask for a certificate with digitalSignature.",
        )
    if usage is not None and usage.key_cert_sign and not is_authority(leaf):
        yield _error(
            "The leaf may sign certificates (keyCertSign) though it is no authority.",
            "Ask for a certificate without keyCertSign.",
        )
    if is_authority(leaf):
        yield _error(
            "The leaf is a certificate authority; claims are signed by end entities.",
            "Issue a leaf from it and sign with that.",
        )


def _identifiers(leaf: x509.Certificate) -> Iterator[ChainFinding]:
    if _extension(leaf, x509.AuthorityKeyIdentifier) is None and leaf.subject != leaf.issuer:
        yield _error(
            "The leaf does not say which key issued it (authority key identifier).",
            "Issue it again with that extension.",
        )
    if leaf.version is not x509.Version.v3:
        yield _error("The leaf is not an X.509 version 3 certificate.", "Issue it again.")


def _key(certificate: x509.Certificate, of: str = "") -> Iterator[ChainFinding]:
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        key = None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < 2048:
        yield _error(f"The RSA key{of} has {key.key_size} bits.", "Use at least 2048.")
    elif isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in _CURVES:
        yield _error(f"The curve {key.curve.name}{of} is not one of C2PA's.", "Use P-256 or P-384.")
    elif not isinstance(key, _KEYS):
        yield _error(f"C2PA has no algorithm for this kind of key{of}.", "Use P-256 or Ed25519.")


def _hash(certificate: x509.Certificate, who: str) -> Iterator[ChainFinding]:
    try:
        algorithm = certificate.signature_hash_algorithm
        name = None if algorithm is None else algorithm.name
    except (UnsupportedAlgorithm, ValueError):
        name = "an algorithm that is not known"
    if name is not None and name not in _HASHES:
        yield _error(
            f"{who} is signed with {name}, which C2PA does not take.",
            "Ask for one signed with SHA-256.",
        )


def _name(leaf: x509.Certificate) -> Iterator[ChainFinding]:
    organizations = leaf.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    if not organizations:
        yield _warning(
            "The leaf names no organization, which readers show as the issuer of a clip.",
            "Ask for a certificate with your organization's name.",
        )
    elif organizations[0].value == DEVELOPMENT_ORGANIZATION:
        yield _warning(
            "This is a development certificate: it names nobody and is on no trust list.",
            "For clips that others shall trust, get a certificate from a C2PA authority.",
        )


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _title(certificate: x509.Certificate) -> str:
    return short_name(certificate.subject)


def _error(problem: str, remedy: str) -> ChainFinding:
    return ChainFinding(severity="error", problem=problem, remedy=remedy)


def _warning(problem: str, remedy: str) -> ChainFinding:
    return ChainFinding(severity="warning", problem=problem, remedy=remedy)
