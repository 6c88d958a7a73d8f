"""What the user says about a signer: its kind, and the options of that kind."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vidigree.media.errors import CredentialsError, UsageError

__all__ = ["SignerSettings"]


@dataclass(frozen=True, kw_only=True)
class SignerSettings:
    """The ``[signer]`` section of the settings.

    Attributes:
        kind: Registered signer kind.
        options: Options of that kind, all text. Secrets are never among them, only where they lie:
            ``<name>_env`` names an environment variable, ``<name>_file`` a file.
        base: Folder that relative paths start from.
    """

    kind: str = "folder"
    options: Mapping[str, str] = field(default_factory=dict)
    base: Path = Path()

    def check(self, *, required: tuple[str, ...] = (), optional: tuple[str, ...] = ()) -> None:
        """Refuse options that are missing or not known.

        Raises:
            UsageError: An option is missing, empty or unknown.
        """
        known = (*required, *optional)
        for name in self.options:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                raise UsageError(
                    f"The {self.kind} signer has no option {name!r}.",
                    hint=(f"Did you mean {close[0]!r}? " if close else "")
                    + f"Known: {', '.join(known) or 'none'}.",
                )
        for name in required:
            if not self.options.get(name):
                raise UsageError(
                    f"The {self.kind} signer needs the option {name!r}.",
                    hint="Set it under [signer] in the settings; see docs/signing.md.",
                )

    def text(self, name: str) -> str | None:
        """Return an option, ``None`` if it is not set."""
        return self.options.get(name) or None

    def path(self, name: str) -> Path:
        """Return an option as a path, relative to the settings file.

        Raises:
            UsageError: It begins with the home folder of somebody who is not known.
        """
        try:
            return self.base / Path(self.options[name]).expanduser()
        except RuntimeError as error:
            raise UsageError(
                f"The signer's {name} {self.options[name]!r} begins with a home folder that is not"
                " known.",
                hint="Write the whole path.",
            ) from error

    def read(self, name: str) -> bytes:
        """Return the contents of the file that an option names.

        Raises:
            CredentialsError: It cannot be read.
        """
        return self._read(name, self.path(name))

    def secret(self, name: str) -> str | None:
        """Return a password or PIN from where the options say it lies; ``None`` if they do not.

        Raises:
            CredentialsError: The environment variable is not set, or the file cannot be read or is
                no text in UTF-8.
        """
        variable = self.options.get(f"{name}_env")
        if variable:
            value = os.environ.get(variable)
            if not value:
                raise CredentialsError(
                    f"The environment variable {variable}, which holds the signer's {name},"
                    " is not set.",
                    hint="Set it where vidigree runs.",
                )
            return value
        if self.options.get(f"{name}_file"):
            path = self.path(f"{name}_file")
            try:
                # Some editors begin a file with a mark that is no part of the secret.
                return self._read(f"{name}_file", path).decode("utf-8-sig").rstrip("\r\n")
            except UnicodeDecodeError:
                # Without its words, which hold a part of the secret.
                raise CredentialsError(
                    f"The signer's {name}_file {str(path)!r} is no text in UTF-8.",
                    hint="Save it as UTF-8; PowerShell's > writes UTF-16.",
                ) from None
        return None

    def _read(self, name: str, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise CredentialsError(
                f"The signer's {name} {str(path)!r} cannot be read: {reason}.",
                hint="Check the path and its permissions; relative ones start at the settings.",
            ) from error
