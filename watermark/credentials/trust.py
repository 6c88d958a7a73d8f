"""Whom a reader believes: claim-signer lists, timestamp lists and the own root, kept apart.

C2PA 2.4 sections 14.4.1 and 14.4.2 want the list of claim signers and the list of time-stamping
authorities separate. The library does not keep them so (measured with c2pa-rs 0.91: an anchor of
either kind serves for both, and which of several fitting anchors is named varies from run to run).
So anchors are grouped here by the roles they have, every group carries a URI, and a reader asks the
roles of the URI that was hit.
"""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vidigree.media.errors import CredentialsError
from vidigree.media.home import home_folder
from vidigree.watermark.credentials.identity import own_roots
from vidigree.watermark.credentials.pem import pem_files

__all__ = [
    "OWN_SIGNERS",
    "AnchorGroup",
    "ListRole",
    "TrustList",
    "TrustSettings",
    "trust_folder",
]

ListRole = Literal["claim", "tsa", "own"]

_URI = "urn:vidigree:trust"
_PEM_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")

# Global extended key usages; inside an anchor the library ignores them. Without claimSigning and
# documentSigning here, certificates that C2PA 2.4 section 14.4.1 allows are called invalid.
_EXTENDED_KEY_USAGES = (
    "1.3.6.1.5.5.7.3.4",  # emailProtection
    "1.3.6.1.5.5.7.3.36",  # documentSigning
    "1.3.6.1.4.1.62558.2.1",  # c2pa-kp-claimSigning
    "1.3.6.1.5.5.7.3.8",  # timeStamping
    "1.3.6.1.5.5.7.3.9",  # OCSPSigning
)


@dataclass(frozen=True, kw_only=True)
class TrustList:
    """Anchors for one purpose.

    Attributes:
        name: Short name, shown in reports.
        role: ``"claim"`` for signers of claims, ``"tsa"`` for time-stamping authorities, ``"own"``
            for the roots that this machine's own development identities hang from.
        anchors: PEM certificates.
    """

    name: str
    role: ListRole
    anchors: bytes

    def certificates(self) -> list[bytes]:
        """Return the PEM blocks of a list in one notation, so that equal certificates are equal.

        Raises:
            CredentialsError: The list is damaged or empty.
        """
        found = []
        for block in _PEM_BLOCK.findall(self.anchors):
            try:
                body = base64.b64decode(b"".join(block.split()), validate=True)
            except ValueError as error:
                raise CredentialsError(
                    f"The trust list {self.name!r} holds a damaged certificate.",
                    hint="Fetch the list again.",
                ) from error
            lines = base64.encodebytes(body)
            found.append(b"-----BEGIN CERTIFICATE-----\n" + lines + b"-----END CERTIFICATE-----\n")
        if not found:
            raise CredentialsError(
                f"The trust list {self.name!r} holds no certificate.",
                hint="A trust list is a PEM file with at least one certificate.",
            )
        return found


OWN_SIGNERS = TrustList(name="signers", role="own", anchors=b"")
"""Stands for ``TrustSettings.signers`` where a signer was one of them."""


@dataclass(frozen=True, kw_only=True)
class AnchorGroup:
    """Anchors that stand in the same lists.

    Attributes:
        lists: Those lists, in the order of the settings.
        anchors: PEM certificates.
        nonce: Random part of the group's name.
    """

    lists: tuple[TrustList, ...]
    anchors: bytes
    nonce: str = ""

    @property
    def roles(self) -> frozenset[ListRole]:
        """What the anchors may vouch for."""
        return frozenset(entry.role for entry in self.lists)

    @property
    def uri(self) -> str:
        """Name of the group in the library's answers.

        The answers quote names from certificates beside it, so a certificate must not be able to
        be named after a group: nobody can guess the nonce.
        """
        return f"{_URI}:{self.nonce}" + "".join(
            f":{entry.role}/{entry.name}" for entry in self.lists
        )


@dataclass(frozen=True, kw_only=True)
class TrustSettings:
    """The lists a reader believes. An empty one trusts nobody, and still checks integrity.

    Attributes:
        lists: Lists in the order in which they are asked.
        signers: PEM of certificates whose own signatures count as those of this installation,
            whoever issued them; what they issue in turn does not.
        nonce: Random; makes the names of lists in the library's answers unguessable.
    """

    lists: tuple[TrustList, ...] = ()
    signers: bytes = b""
    nonce: str = field(default_factory=lambda: secrets.token_hex(8), compare=False, repr=False)

    @classmethod
    def load(cls, home: Path | None = None) -> TrustSettings:
        """Read what the user trusts: ``trust/claim/*.pem``, ``trust/tsa/*.pem`` and the own roots.

        Args:
            home: Data folder; ``None`` means the default one.

        Raises:
            CredentialsError: A list cannot be read.
        """
        home = home_folder() if home is None else home
        folder = trust_folder(home)
        return cls.from_files(
            claim=pem_files(folder / "claim"),
            tsa=pem_files(folder / "tsa"),
            own=own_roots(home / "identity"),
        )

    @classmethod
    def from_files(
        cls,
        *,
        claim: tuple[Path, ...] = (),
        tsa: tuple[Path, ...] = (),
        own: tuple[bytes, ...] = (),
    ) -> TrustSettings:
        """Build settings from PEM files of lists and PEM bytes of own roots.

        Raises:
            CredentialsError: A file cannot be read.
        """
        lists = [TrustList(name=path.stem, role="claim", anchors=_read(path)) for path in claim]
        if own:
            lists.append(TrustList(name="identity", role="own", anchors=b"\n".join(own)))
        lists += [TrustList(name=path.stem, role="tsa", anchors=_read(path)) for path in tsa]
        return cls(lists=tuple(lists))

    def groups(self) -> tuple[AnchorGroup, ...]:
        """Return every anchor once, grouped by the lists it stands in."""
        where: dict[bytes, list[TrustList]] = {}
        for entry in self.lists:
            for certificate in entry.certificates():
                where.setdefault(certificate, []).append(entry)
        grouped: dict[tuple[TrustList, ...], list[bytes]] = {}
        for certificate, entries in where.items():
            grouped.setdefault(tuple(dict.fromkeys(entries)), []).append(certificate)
        return tuple(
            AnchorGroup(lists=entries, anchors=b"\n".join(certificates), nonce=self.nonce)
            for entries, certificates in grouped.items()
        )

    def sdk_settings(self) -> dict[str, Any]:
        """Return the ``trust`` section of the library's settings."""
        anchors = [
            {
                "trust_kind": "tsa" if group.roles == {"tsa"} else "manifest",
                "trust_uri": group.uri,
                "trust_anchors": group.anchors.decode("ascii"),
            }
            for group in self.groups()
        ]
        if self.signers:
            # Compared with a signer's certificate byte by byte. The library wants anchors beside
            # them, be they none, and its answer gives them no name.
            alone = {"trust_kind": "manifest", "trust_uri": f"{_URI}:signers", "trust_anchors": ""}
            anchors.append({**alone, "allowed_list": self.signers.decode("ascii")})
        return {"anchors": anchors, "trust_config": "\n".join(_EXTENDED_KEY_USAGES)}


def trust_folder(home: Path | None = None) -> Path:
    """Return the folder that holds the user's trust lists."""
    return (home_folder() if home is None else home) / "trust"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialsError(
            f"The trust list {path} cannot be read: {error.strerror or error}.",
            hint="Check the path, or remove the list with `vidigree trust remove`.",
        ) from error
