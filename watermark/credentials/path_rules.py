"""What RFC 5280 section 6.1 asks of the certificates of a path, and the library does not.

Of what stands above a leaf it looks at signatures, times and the right to issue, and at the path
length of what is no anchor (measured with c2pa-rs 0.91).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from vidigree.watermark.credentials.chains import short_name
from vidigree.watermark.credentials.untrusted_text import bounded_text

__all__ = ["path_faults"]

# What readers know: of a leaf, the library refuses any other one that is critical.
_KNOWN = frozenset(
    {
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.INHIBIT_ANY_POLICY,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    }
)


def path_faults(certificates: Sequence[x509.Certificate]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a path, and what to do about it, one sentence each.

    Args:
        certificates: Leaf first, each followed by its issuer, with or without a root; extensions
            that can be read.
    """
    for certificate in certificates:
        yield from _critical(certificate)
    for below, authority in enumerate(certificates[1:]):
        yield from _length(authority, below)
        yield from _names(authority, certificates[: below + 1])


def _critical(certificate: x509.Certificate) -> Iterator[tuple[str, str]]:
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _KNOWN:
            title, oid = short_name(certificate.subject), extension.oid.dotted_string
            yield (
                f"{title} has a critical extension that is not known ({oid}).",
                "Ask its authority for a certificate without it.",
            )


def _length(authority: x509.Certificate, below: int) -> Iterator[tuple[str, str]]:
    """Count every authority below: the library does, where the RFC leaves out self-issued ones."""
    for extension in authority.extensions:
        constraints = extension.value
        if not isinstance(constraints, x509.BasicConstraints):
            continue
        most = constraints.path_length
        if most is not None and below > most:
            title = short_name(authority.subject)
            yield (
                f"{title} allows {most} authorities below it, and there are {below} (path length).",
                "Readers do not follow the chain through it; ask the authority for the right one.",
            )


def _names(
    authority: x509.Certificate, below: Sequence[x509.Certificate]
) -> Iterator[tuple[str, str]]:
    for extension in authority.extensions:
        constraints = extension.value
        if not isinstance(constraints, x509.NameConstraints):
            continue
        for place, certificate in enumerate(below):
            # An authority that renews its own key keeps its name.
            if place and certificate.subject == certificate.issuer:
                continue
            outside = [one for one in _names_of(certificate) if not _allowed(*one, constraints)]
            for _, value in outside[:1]:
                text = value.rfc4514_string() if isinstance(value, x509.Name) else str(value)
                title = short_name(authority.subject)
                yield (
                    f"{title} may not vouch for '{bounded_text(text, 80)}' (name constraints).",
                    "Ask for a certificate from an authority that may issue for this name.",
                )


def _names_of(certificate: x509.Certificate) -> list[tuple[type[x509.GeneralName], Any]]:
    """Return all names that a certificate speaks for, each with its kind."""
    names: list[tuple[type[x509.GeneralName], Any]] = [
        (type(name), name.value)
        for extension in certificate.extensions
        if isinstance(extension.value, x509.SubjectAlternativeName)
        for name in extension.value
    ]
    if all(kind is not x509.RFC822Name for kind, _ in names):
        addresses = certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)
        names += [(x509.RFC822Name, address.value) for address in addresses]
    if certificate.subject.rdns:
        names.insert(0, (x509.DirectoryName, certificate.subject))
    return names


def _allowed(kind: type[x509.GeneralName], value: Any, constraints: x509.NameConstraints) -> bool:
    """Return whether a name lies in what is permitted of its kind, and in nothing excluded.

    Of a kind that is not known here, a name lies in nothing permitted and in all that is excluded.
    """
    permitted, excluded = (
        [_within(kind, value, tree.value) for tree in trees or () if type(tree) is kind]
        for trees in (constraints.permitted_subtrees, constraints.excluded_subtrees)
    )
    return (not permitted or True in permitted) and all(one is False for one in excluded)


def _within(kind: type[x509.GeneralName], value: Any, tree: Any) -> bool | None:
    """Return whether a name lies in a tree of its kind; ``None`` where that cannot be told."""
    if kind is x509.DirectoryName:
        base = _parts(tree)
        return _parts(value)[: len(base)] == base
    if kind is x509.DNSName:
        return _in_domain(value, tree, below=True)
    if kind is x509.RFC822Name:
        return _among_mailboxes(str(value), tree)
    if kind is x509.UniformResourceIdentifier:
        host = _host(value)
        return _in_domain(host, tree, below=False) if host else None
    if kind is x509.IPAddress:
        return bool(value in tree)
    return None


def _among_mailboxes(address: str, tree: str) -> bool | None:
    local, at, host = address.rpartition("@")
    one, at_one, domain = tree.rpartition("@")
    if not at:
        return None
    return (not at_one or local == one) and _in_domain(host, domain, below=False)


def _in_domain(host: str, domain: str, *, below: bool) -> bool:
    """Return whether a host is a domain, or one below it where that is meant or a dot says so."""
    host, domain = host.lower(), domain.lower()
    if not domain:
        return True
    if domain.startswith("."):
        return host.endswith(domain)
    return host == domain or (below and host.endswith(f".{domain}"))


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # brackets without an end
        return ""


def _parts(name: x509.Name) -> list[frozenset[tuple[str, str]]]:
    """Return the parts of a name, without what does not tell two names apart."""
    return [
        frozenset(
            (attribute.oid.dotted_string, " ".join(str(attribute.value).casefold().split()))
            for attribute in part
        )
        for part in name.rdns
    ]
