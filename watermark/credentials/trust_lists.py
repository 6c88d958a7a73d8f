"""The user's trust lists on disk: add, list, remove, and fetch again from where they came.

::

    <data folder>/trust/claim/<name>.pem      who may sign claims
    <data folder>/trust/tsa/<name>.pem        who may stamp times
    <data folder>/trust/sources.json          where each list came from

Nothing is fetched unless :func:`add_list` is given a URL or :func:`update_lists` is called.
Whoever changes lists waits for others who do.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from vidigree.media.errors import CredentialsError, OutputError, UsageError, VidigreeError
from vidigree.media.output import output_file
from vidigree.watermark.credentials.pem import pem_files, read_certificates
from vidigree.watermark.credentials.trust import TrustList, trust_folder
from vidigree.watermark.credentials.untrusted_text import bounded_text
from vidigree.watermark.turns import turn_at

__all__ = [
    "OFFICIAL_LISTS",
    "InstalledList",
    "Role",
    "add_list",
    "installed_lists",
    "remove_list",
    "update_lists",
]

Role = Literal["claim", "tsa"]

OFFICIAL_LISTS: dict[Role, str] = {
    "claim": (
        "https://raw.githubusercontent.com/c2pa-org/conformance-public/main/trust-list/"
        "C2PA-TRUST-LIST.pem"
    ),
    "tsa": (
        "https://raw.githubusercontent.com/c2pa-org/conformance-public/main/trust-list/"
        "C2PA-TSA-TRUST-LIST.pem"
    ),
}
"""Where the C2PA conformance programme publishes its lists (CC BY 4.0)."""

MAX_LIST_BYTES = 4 * 2**20
"""Largest list that is taken; the official ones are below 40 kB."""

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TIMEOUT = 30


@dataclass(frozen=True, kw_only=True)
class InstalledList:
    """One list of the user's.

    Attributes:
        name: Its name.
        role: Whom it is for.
        source: File or URL that it came from; empty if not known.
        certificates: Number of anchors.
        sha256: SHA-256 of the file in hex, to compare with what its publisher says.
    """

    name: str
    role: Role
    source: str
    certificates: int
    sha256: str

    def to_dict(self) -> dict[str, Any]:
        """Return the list as JSON values."""
        return {
            "name": self.name,
            "role": self.role,
            "source": self.source,
            "certificates": self.certificates,
            "sha256": self.sha256,
        }


def add_list(
    source: str,
    *,
    role: Role,
    name: str | None = None,
    sha256: str | None = None,
    home: Path | None = None,
) -> InstalledList:
    """Add or replace a list.

    Args:
        source: A PEM file, or an ``https`` URL, which is fetched.
        role: Signers of claims, or time-stamping authorities.
        name: Its name; ``None`` takes the file's.
        sha256: SHA-256 in hex that the list must have; ``None`` takes any.
        home: Data folder; ``None`` means the default one.

    Raises:
        CredentialsError: The list cannot be read, fetched or written, holds no certificate, or has
            another SHA-256.
        UsageError: The name or the SHA-256 is not one.
    """
    chosen = (
        name if name is not None else source.rstrip("/").rsplit("/", 1)[-1].removesuffix(".pem")
    )
    if not _NAME.fullmatch(chosen):
        raise UsageError(
            f"{chosen!r} is no name for a list.", hint="Use letters, digits, dots and dashes."
        )
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        raise UsageError(f"{sha256!r} is no SHA-256.", hint="It has 64 hex digits.")
    is_url = "://" in source
    data = _fetch(source) if is_url else _read(Path(source))
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and found != sha256.lower():
        raise CredentialsError(
            f"{source} has the SHA-256 {found}, not the one that was given; it was not taken.",
            hint="Look at what its publisher says now.",
        )
    origin = source if is_url else str(Path(source).absolute())
    fresh = InstalledList(
        name=chosen,
        role=role,
        source=origin,
        certificates=_count(chosen, role, data),
        sha256=found,
    )
    folder = trust_folder(home)
    _make(folder)
    with _turn(folder):
        _keep(folder, fresh, data)
    return fresh


def installed_lists(home: Path | None = None) -> tuple[InstalledList, ...]:
    """Return the user's lists, by role and name.

    Raises:
        CredentialsError: A list is damaged.
    """
    folder = trust_folder(home)
    sources = _sources(folder)
    roles: tuple[Role, ...] = ("claim", "tsa")
    return tuple(
        _installed(path, role, sources.get(f"{role}/{path.stem}", ""))
        for role in roles
        for path in pem_files(folder / role)
    )


def _installed(path: Path, role: Role, source: str) -> InstalledList:
    data = _read(path)
    return InstalledList(
        name=path.stem,
        role=role,
        source=source,
        certificates=_count(path.stem, role, data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def remove_list(name: str, *, role: Role, home: Path | None = None) -> None:
    """Remove a list.

    Raises:
        CredentialsError: There is no such list, or it cannot be removed.
    """
    path = trust_folder(home) / role / f"{name}.pem"
    missing = CredentialsError(
        f"There is no {role} list called {name!r}.", hint="See `vidigree trust list`."
    )
    if not _NAME.fullmatch(name):
        raise missing
    try:
        with _turn(trust_folder(home)) as folder:
            path.unlink()
            _remember(folder, role, name, None)
    except OutputError:  # of the table
        raise
    except (FileNotFoundError, NotADirectoryError):
        raise missing from None
    except OSError as error:
        raise _unwritable(path, error) from error


def update_lists(home: Path | None = None) -> tuple[InstalledList, ...]:
    """Fetch every list again that came from a URL; one that fails keeps what it was.

    Returns:
        The lists that were fetched and kept. One that was removed meanwhile, or is another one
        now, is left as it is: a list that somebody no longer trusts must not come back.

    Raises:
        CredentialsError: A list could not be fetched; those before it are up to date.
    """
    entries = [entry for entry in installed_lists(home) if "://" in entry.source]
    updated = (_update(entry, home) for entry in entries)
    return tuple(entry for entry in updated if entry is not None)


def _update(entry: InstalledList, home: Path | None) -> InstalledList | None:
    data = _fetch(entry.source)
    fresh = replace(
        entry,
        certificates=_count(entry.name, entry.role, data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    try:
        with _turn(trust_folder(home)) as folder:
            there = (folder / entry.role / f"{entry.name}.pem").exists()
            if not there or _sources(folder).get(f"{entry.role}/{entry.name}") != entry.source:
                return None
            _keep(folder, fresh, data)
    except (FileNotFoundError, NotADirectoryError):  # with all lists in it
        return None
    return fresh


def _keep(folder: Path, entry: InstalledList, data: bytes) -> None:
    """Write a list and where it came from: nobody is believed of whom the latter cannot be kept."""
    before = _sources(folder).get(f"{entry.role}/{entry.name}")
    _remember(folder, entry.role, entry.name, entry.source)
    try:
        _write(folder / entry.role / f"{entry.name}.pem", data)
    except VidigreeError:
        _remember(folder, entry.role, entry.name, before)
        raise


@contextmanager
def _turn(folder: Path) -> Iterator[Path]:
    """Wait for a turn at the folder of the lists: its table is read and written again."""
    with ExitStack() as stack:
        try:
            stack.enter_context(turn_at(folder))
        except (FileNotFoundError, NotADirectoryError):
            raise
        except OSError as error:
            raise _unwritable(folder, error) from error
        yield folder


def _count(name: str, role: Role, data: bytes) -> int:
    """Return the number of certificates, all of which must be readable.

    Raises:
        CredentialsError: One is not, there is none, or there is a private key beside them.
    """
    if b"PRIVATE KEY-----" in data:
        raise CredentialsError(
            f"The list {name!r} holds a private key, and lists are for everybody to read.",
            hint="Give a file with the certificates alone.",
        )
    certificates = read_certificates(
        data,
        what=f"The list {name!r}",
        hint="Give a PEM file, such as the official C2PA trust list.",
    )
    # The reader's own way of taking a list apart must agree.
    TrustList(name=name, role=role, anchors=data).certificates()
    return len(certificates)


class _NoOpenLine(urllib.request.HTTPRedirectHandler):
    """Refuses to be sent from https to anything else; urllib would follow."""

    def redirect_request(  # noqa: PLR0917 - the library's signature
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if not newurl.startswith("https://"):
            raise urllib.error.URLError(f"it redirects to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(url: str) -> bytes:
    if not url.startswith("https://"):
        raise UsageError(
            f"{url} is not an https address.",
            hint="A list of whom to trust must not come over an open line.",
        )
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "vidigree"})  # noqa: S310
        with urllib.request.build_opener(_NoOpenLine).open(request, timeout=_TIMEOUT) as answer:
            data: bytes = answer.read(MAX_LIST_BYTES + 1)
            # What is short is returned without a word; a list cut between two certificates is one.
            missing = getattr(answer, "length", 0) if len(data) <= MAX_LIST_BYTES else 0
    except (OSError, ValueError, http.client.HTTPException) as error:  # URLError is an OSError
        reason = bounded_text(str(error) or type(error).__name__).rstrip(".")
        raise CredentialsError(
            f"{url} cannot be fetched: {reason}.", hint="Fetch it yourself and add the file."
        ) from error
    if missing:
        raise CredentialsError(
            f"{url} cannot be fetched: {missing} bytes are missing.", hint="Try again."
        )
    return _bounded(url, data)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return _bounded(str(path), stream.read(MAX_LIST_BYTES + 1))
    except OSError as error:
        raise CredentialsError(
            f"The list {path} cannot be read: {error.strerror or error}.", hint="Check the path."
        ) from error


def _bounded(where: str, data: bytes) -> bytes:
    if len(data) > MAX_LIST_BYTES:
        raise CredentialsError(f"{where} is larger than any trust list ({MAX_LIST_BYTES} bytes).")
    return data


def _write(path: Path, data: bytes) -> None:
    _make(path.parent)
    with output_file(path, overwrite=True) as temporary:
        temporary.write_bytes(data)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _sources(folder: Path) -> dict[str, str]:
    path = folder / "sources.json"
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return {str(key): str(value) for key, value in table.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise CredentialsError(
            f"{path} cannot be read: {error.strerror or error}.",
            hint="Check the folder's permissions, or set VIDIGREE_HOME.",
        ) from error
    except (ValueError, AttributeError) as error:
        raise CredentialsError(
            f"{path} cannot be read: {error}.", hint="Move it away; the lists stay as they are."
        ) from error


def _remember(folder: Path, role: Role, name: str, source: str | None) -> None:
    table = _sources(folder)
    table.pop(f"{role}/{name}", None)
    if source is not None:
        table[f"{role}/{name}"] = source
    _write(folder / "sources.json", json.dumps(table, indent=2, sort_keys=True).encode())


def _unwritable(path: Path, error: OSError) -> CredentialsError:
    return CredentialsError(
        f"{path} cannot be written: {error.strerror or error}.",
        hint="Check the folder's permissions, or set VIDIGREE_HOME.",
    )
