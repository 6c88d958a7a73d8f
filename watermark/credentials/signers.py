"""Where the private key is: in a PEM file, a PKCS#12 file, a PKCS#11 token, or behind a callback.

``signer.toml`` in the identity folder says which; without it, ``chain.pem`` and ``key.pem`` lie
there. Secrets never stand in it: it names the environment variable that holds them. Other packages
add kinds by an entry point in the group ``vidigree.signers``.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from vidigree.media.errors import CredentialsError
from vidigree.media.output import output_file
from vidigree.media.registry import Registry
from vidigree.watermark.credentials.identity import SigningIdentity

__all__ = [
    "SignerKind",
    "configured_identity",
    "secret_from_environment",
    "signer_kinds",
    "write_signer",
]

SIGNER_FILE = "signer.toml"


class SignerKind(Protocol):
    """Builds an identity from the ``[signer]`` table of ``signer.toml``."""

    def __call__(self, options: Mapping[str, str], folder: Path) -> SigningIdentity:
        """Return the identity.

        Args:
            options: Keys of the table; paths are relative to ``folder``.
            folder: The identity folder.

        Raises:
            CredentialsError: The key or its certificates cannot be used.
        """
        ...


signer_kinds: Registry[SignerKind] = Registry("signer", "vidigree.signers")
signer_kinds.add("pem", "vidigree.watermark.credentials.pem:pem_identity")
signer_kinds.add("pkcs12", "vidigree.watermark.credentials.pkcs12:pkcs12_identity")
signer_kinds.add("pkcs11", "vidigree.watermark.credentials.pkcs11:pkcs11_identity")


def configured_identity(folder: Path) -> SigningIdentity | None:
    """Return the identity that ``signer.toml`` describes, ``None`` without such a file.

    Raises:
        CredentialsError: The file is damaged, or the signer cannot be used.
        UsageError: It names a kind of signer that there is not.
    """
    path = folder / SIGNER_FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))["signer"]
        options = {str(name): str(value) for name, value in table.items()}
        kind = options["kind"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise CredentialsError(
            f"{path} cannot be used: {error}.",
            hint='It needs a table [signer] with kind = "pem", "pkcs12" or "pkcs11".',
        ) from error
    return signer_kinds.get(kind)(options, folder)


def secret_from_environment(options: Mapping[str, str], name: str) -> str | None:
    """Return a secret from the environment variable that ``options[name]`` names.

    Raises:
        CredentialsError: The variable is named and not set.
    """
    variable = options.get(name)
    if not variable:
        return None
    value = os.environ.get(variable)
    if value is None:
        raise CredentialsError(
            f"The environment variable {variable}, which holds the signer's secret, is not set.",
            hint=f"Set it for this command: {variable}=... vidigree ...",
        )
    return value


def write_signer(options: Mapping[str, str], folder: Path) -> None:
    """Write ``signer.toml`` after trying that the signer it describes can be loaded.

    Raises:
        CredentialsError: The signer cannot be used; the file that was there stays.
        OutputError: The file cannot be written.
    """
    signer_kinds.get(options["kind"])(options, folder)
    # JSON's strings are TOML's basic strings as well.
    rows = "".join(f"{name} = {json.dumps(value)}\n" for name, value in options.items())
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CredentialsError(
            f"The folder {folder} cannot be made: {error.strerror or error}.",
            hint="Check its permissions, or set VIDIGREE_HOME.",
        ) from error
    with output_file(folder / SIGNER_FILE, overwrite=True) as temporary:
        temporary.write_text(f"[signer]\n{rows}", encoding="utf-8")
