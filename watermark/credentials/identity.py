"""The signing identity on disk: a chain of certificates and its private key.

::

    <data folder>/identity/
        key.pem       PKCS#8 private key, mode 0600
        chain.pem     leaf, then issuing CA
        root.pem      trust anchor of a development identity; absent for one bought elsewhere
        former/       roots of identities that were replaced, so that old clips stay recognised
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from vidigree.media.errors import CredentialsError
from vidigree.media.home import home_folder
from vidigree.watermark.credentials.certificates import (
    DEVELOPMENT_ORGANIZATION,
    SigningAlgorithm,
    key_algorithm,
    make_development_chain,
)
from vidigree.watermark.credentials.pem import pem_files, read_certificates
from vidigree.watermark.credentials.private_key import parse_private_key
from vidigree.watermark.credentials.signer import PublicKey, Signer
from vidigree.watermark.credentials.untrusted_text import bounded_text
from vidigree.watermark.sole_writer import sole_writer

__all__ = [
    "SigningIdentity",
    "identity_folder",
    "identity_from_chain",
    "init_identity",
    "leaf_algorithm",
    "load_identity",
    "own_roots",
    "read_pem",
]

_MAKE_ONE = "Make one with `vidigree keys init`, or name the folder that holds it."


@dataclass(frozen=True, kw_only=True)
class SigningIdentity:
    """Who signs: certificates, and what holds the private key.

    Attributes:
        chain: PEM of the leaf, then of its issuers without the root.
        signer: What holds the private key: a file, a token, a cloud service.
        root: PEM of the own root of a development identity, else empty.
        algorithm: COSE algorithm that fits the key.
        organization: Organization of the leaf's subject.
        common_name: Common name of the leaf's subject.
        serial: Serial number of the leaf in hex.
        not_before: Start of the leaf's validity, UTC.
        not_after: End of the leaf's validity, UTC.
    """

    chain: bytes
    signer: Signer
    root: bytes
    algorithm: SigningAlgorithm
    organization: str
    common_name: str
    serial: str
    not_before: datetime
    not_after: datetime

    @property
    def development(self) -> bool:
        """Whether this is a certificate made by ``vidigree keys init``, which names nobody."""
        return self.organization == DEVELOPMENT_ORGANIZATION

    def __repr__(self) -> str:
        return f"SigningIdentity({self.organization!r}, {self.common_name!r}, {self.signer.kind})"

    def public_key(self) -> PublicKey:
        """Return the public key of the leaf."""
        leaf = x509.load_pem_x509_certificates(self.chain)[0]
        return cast("PublicKey", leaf.public_key())

    def to_dict(self) -> dict[str, str | bool]:
        """Return what may be shown; never the key."""
        return {
            "organization": self.organization,
            "common_name": self.common_name,
            "serial": self.serial,
            "algorithm": self.algorithm,
            "signer": self.signer.kind,
            "not_before": self.not_before.isoformat(),
            "not_after": self.not_after.isoformat(),
            "development": self.development,
        }


def identity_folder(folder: Path | None = None) -> Path:
    """Return ``folder``, or ``identity`` in the data folder when it is ``None``."""
    return home_folder() / "identity" if folder is None else folder


def init_identity(
    folder: Path | None = None,
    *,
    algorithm: SigningAlgorithm = "es256",
    replace: bool = False,
) -> SigningIdentity:
    """Make a development identity and write it.

    Args:
        folder: Where to write; ``None`` means the data folder.
        algorithm: COSE algorithm of the key.
        replace: Replace an identity that is there; its root is kept among the former ones.

    Raises:
        CredentialsError: An identity is there and ``replace`` is false, another process is making
            one, or the folder cannot be written.
    """
    folder = identity_folder(folder)
    key = folder / "key.pem"
    try:
        if not replace:
            _refuse_existing(key)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The key gets its name last: an identity exists from the moment its key does. Whoever
        # writes it writes the others too, or two identities made at once would be mixed.
        with sole_writer(key, doing=f"The signing identity in {folder} is being made") as stream:
            if not replace:
                _refuse_existing(key)
            chain = make_development_chain(algorithm)
            _retire_root(folder)
            # A disk that is full is found before anything of the old identity is replaced.
            stream.write(chain.key)
            stream.flush()
            _write_public(folder / "root.pem", chain.root)
            _write_public(folder / "chain.pem", chain.chain)
    except OSError as error:
        raise CredentialsError(
            f"The signing identity cannot be written to {folder}: {error.strerror or error}.",
            hint="Check the folder's permissions and space, or set VIDIGREE_HOME.",
        ) from error
    return load_identity(folder)


def _refuse_existing(key: Path) -> None:
    """Refuse to make an identity where there is one.

    Raises:
        CredentialsError: There is.
    """
    if key.exists():
        raise CredentialsError(
            f"There is a signing identity in {key.parent} already.",
            hint="Use it, or add --replace: clips signed so far stay recognised by their old root.",
        )


def load_identity(folder: Path | None = None) -> SigningIdentity:
    """Read the identity from a folder.

    Raises:
        CredentialsError: It is missing, unreadable, or the key does not belong to the certificate.
    """
    folder = identity_folder(folder)
    chain = read_pem(folder / "chain.pem")
    key = read_pem(folder / "key.pem")
    root = read_pem(folder / "root.pem") if (folder / "root.pem").exists() else b""
    signer = parse_private_key(key, None, where=str(folder / "key.pem"))
    return identity_from_chain(chain, signer, root=root, where=str(folder))


def identity_from_chain(
    chain: bytes, signer: Signer, *, root: bytes = b"", where: str = "the given files"
) -> SigningIdentity:
    """Build an identity from certificates and whatever holds the key.

    Args:
        chain: PEM: leaf first, then its issuers.
        signer: Holder of the leaf's private key.
        root: Own root of a development identity.
        where: Named in messages.

    Raises:
        CredentialsError: The PEM is damaged, or key and leaf do not belong together.
    """
    hint = "Give a PEM file: the signer's certificate first, then its issuers."
    certificates = read_certificates(chain, what=f"The certificate chain in {where}", hint=hint)
    leaf = certificates[0]
    algorithm = leaf_algorithm(leaf, where=where)
    try:
        subject = leaf.subject
    except ValueError as error:
        raise CredentialsError(
            f"The names of the first certificate in {where} cannot be read.",
            hint="It is damaged or was made wrongly; ask its authority for another.",
        ) from error
    _check_key_fits(certificates, signer.public_key(), where)
    return SigningIdentity(
        chain=chain,
        signer=signer,
        root=root,
        algorithm=algorithm,
        organization=_attribute(subject, x509.NameOID.ORGANIZATION_NAME),
        common_name=_attribute(subject, x509.NameOID.COMMON_NAME),
        serial=f"{leaf.serial_number:x}",
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
    )


def leaf_algorithm(leaf: x509.Certificate, *, where: str) -> SigningAlgorithm:
    """Return the COSE algorithm for the key of a signer's certificate.

    Raises:
        CredentialsError: C2PA has none for this kind of key.
    """
    try:
        return key_algorithm(leaf.public_key())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CredentialsError(
            f"The first certificate in {where} has a public key of an unknown kind.",
            hint="Give a PEM file: the signer's certificate first, then its issuers.",
        ) from error


def _check_key_fits(
    certificates: list[x509.Certificate], key: PublicKey | None, where: str
) -> None:
    """Refuse a key that belongs to another certificate than the first."""
    if key is None or key == certificates[0].public_key():
        return
    if any(_holds(certificate, key) for certificate in certificates[1:]):
        raise CredentialsError(
            f"The chain in {where} is in the wrong order: the signer's certificate is not first.",
            hint="Put the certificate that the key belongs to first, then its issuers.",
        )
    raise CredentialsError(
        f"The private key in {where} does not belong to the first certificate of the chain.",
        hint="The chain must start with the leaf, whose key this is.",
    )


def _holds(certificate: x509.Certificate, key: PublicKey) -> bool:
    try:
        return key == certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False  # of a kind that no key of ours is


def own_roots(folder: Path | None = None) -> tuple[bytes, ...]:
    """Return the PEM of the own development root, then of all former ones.

    Those are in the order of their serial numbers, which are random: a root counts whatever its
    place, and nothing asks which is newer.

    Raises:
        CredentialsError: The folder or a root cannot be read.
    """
    folder = identity_folder(folder)
    own = (path for path in pem_files(folder) if path.name == "root.pem")
    return tuple(read_pem(path) for path in (*own, *pem_files(folder / "former")))


def _retire_root(folder: Path) -> None:
    """Keep the root of the identity that is about to be replaced.

    Raises:
        CredentialsError: It is damaged.
    """
    root = folder / "root.pem"
    if not root.exists():
        return
    former = folder / "former"
    former.mkdir(exist_ok=True)
    hint = "Restore it from a backup, or move it away: clips signed by it are then unlisted."
    (certificate, *_) = read_certificates(root.read_bytes(), what=f"The root {root}", hint=hint)
    serial = certificate.serial_number
    shutil.copyfile(root, former / f"{serial:x}.pem")


def _write_public(path: Path, content: bytes) -> None:
    """Write certificates by a temporary sibling, for everybody to read."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def read_pem(path: Path) -> bytes:
    """Return the bytes of a key or certificate file.

    Raises:
        CredentialsError: It is missing or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise CredentialsError(
            f"There is no signing identity: {path} is missing.", hint=_MAKE_ONE
        ) from error
    except OSError as error:
        raise CredentialsError(
            f"The signing identity {path} cannot be read: {error.strerror or error}.",
            hint=_MAKE_ONE,
        ) from error


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    values = name.get_attributes_for_oid(oid)
    return bounded_text(values[0].value) if values else ""
