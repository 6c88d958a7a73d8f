"""Certificates in PEM text (RFC 7468), and in plain words what is wrong with text that is none."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from vidigree.media.errors import CredentialsError

__all__ = ["pem_files", "read_certificates", "what_instead_of"]

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \1-----", re.DOTALL)
_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_CERTIFICATE = b"CERTIFICATE"
_FORM = "A PEM file holds blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----."


def pem_files(folder: Path) -> tuple[Path, ...]:
    """Return the PEM files of a folder by name; none of a folder that is not there.

    Hidden ones do not count: they are unfinished, and stay where their writer was killed.

    Raises:
        CredentialsError: The folder cannot be read.
    """
    try:
        names = sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise CredentialsError(
            f"The certificates in {folder} cannot be read: {error.strerror or error}.",
            hint="Check the folder's permissions, or set VIDIGREE_HOME.",
        ) from error
    wanted = (name for name in names if name.endswith(".pem") and not name.startswith("."))
    return tuple(folder / name for name in wanted)


def read_certificates(data: bytes, *, what: str, hint: str = _FORM) -> list[x509.Certificate]:
    """Read the certificates of a PEM text, at least one; blocks of other kinds are passed over.

    Args:
        data: The text.
        what: Named in messages, as the subject of a sentence.
        hint: What to do, where the text itself does not tell it.

    Raises:
        CredentialsError: There is no certificate, or one that cannot be read.
    """
    blocks = [body for label, body in _BLOCK.findall(data) if label == _CERTIFICATE]
    begun = _BEGIN.findall(data).count(_CERTIFICATE)
    if not begun:
        wrong, todo = what_instead_of(data, _CERTIFICATE)
        raise CredentialsError(f"{what} holds no certificate: {wrong}.", hint=todo or hint)
    if begun != len(blocks):
        raise CredentialsError(
            f"{what} is cut off: {begun} certificates begin and {len(blocks)} end.",
            hint="Get a complete copy of the file.",
        )
    return [
        _certificate(body, f"{what} is damaged: certificate {number} of {begun}", hint)
        for number, body in enumerate(blocks, 1)
    ]


def _certificate(body: bytes, where: str, hint: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(
            base64.b64decode(b"".join(body.split()), validate=True)
        )
    except binascii.Error as error:
        raise CredentialsError(f"{where} is not base64 text.", hint=hint) from error
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise CredentialsError(f"{where} is no X.509 certificate.", hint=hint) from error


def what_instead_of(data: bytes, wanted: bytes) -> tuple[str, str]:
    """Say what a file is that holds no block of the wanted label, and what to do about it.

    Returns:
        The end of a sentence, and a hint, which may be empty.
    """
    labels = sorted({label.decode() for label in _BEGIN.findall(data)})
    if not data.strip():
        return "it is empty", ""
    if labels:
        return f"it holds {', '.join(labels[:3])}", ""
    if data[:1] == b"\x30":  # an ASN.1 sequence
        kind = "x509" if wanted == _CERTIFICATE else "pkey"
        return "it is binary (DER), not PEM", f"Convert it with `openssl {kind} -inform der`."
    return "it is no PEM text", ""
