"""``config.toml`` in the data folder: who signs, who stamps the time, who provides, which rules.

::

    profile = "eu"                  # rules to follow, see docs/compliance.md

    [signer]                        # written by `vidigree keys use`
    kind = "pkcs12"
    file = "studio.p12"             # relative to this file
    password_env = "STUDIO_PASSWORD"

    [timestamp]
    url = "http://timestamp.example.org"
    policy = "require"

    [provider]
    name = "Example Studio"
    detector_url = "https://example.org/audit"

Without the file the development identity signs, nobody is asked for the time, and no rules apply.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from vidigree.media.errors import UsageError
from vidigree.media.home import home_folder
from vidigree.media.output import output_file
from vidigree.watermark.credentials.signers.settings import SignerSettings
from vidigree.watermark.credentials.timestamps import Timestamping
from vidigree.watermark.profiles.provider import Provider

__all__ = ["CONFIG_FILE", "Config", "write_signer_section"]

CONFIG_FILE = "config.toml"
"""Name of the file in the data folder."""

_SECTIONS = {"timestamp": ("url", "policy"), "provider": tuple(f.name for f in fields(Provider))}


@dataclass(frozen=True, kw_only=True)
class Config:
    """What ``config.toml`` says.

    Attributes:
        signer: Where the signing key lies.
        timestamping: Whether and where signatures are time-stamped.
        provider: Who provides the clips, for disclosures.
        profile: Name of the compliance profile.
    """

    signer: SignerSettings = field(default_factory=SignerSettings)
    timestamping: Timestamping = field(default_factory=Timestamping)
    provider: Provider = field(default_factory=Provider)
    profile: str = "none"

    @classmethod
    def load(cls, home: Path | None = None) -> Config:
        """Read the file; without one, everything is at its default.

        Args:
            home: Data folder; ``None`` means the default one.

        Raises:
            UsageError: The file cannot be read, or says something that means nothing.
        """
        path = (home_folder() if home is None else home) / CONFIG_FILE
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            raise UsageError(
                f"The settings {path} cannot be read: {error}.",
                hint="See docs/signing.md for what may stand there.",
            ) from error
        _check_names(table, ("profile", "signer", *_SECTIONS), str(path))
        sections = {name: _section(table, name, path) for name in ("signer", *_SECTIONS)}
        for name, known in _SECTIONS.items():
            _check_names(sections[name], known, f"[{name}] in {path}")
        signer = dict(sections["signer"])
        kind = signer.pop("kind", "folder")
        stamp = sections["timestamp"]
        # Whoever names an authority wants its stamp; doing without has to be said.
        policy = stamp.get("policy", "require" if stamp.get("url") else "none")
        return cls(
            signer=SignerSettings(kind=kind, options=signer, base=path.parent),
            timestamping=Timestamping(policy=policy, url=stamp.get("url", "")),  # type: ignore[arg-type]
            provider=Provider(**sections["provider"]),
            profile=str(table.get("profile", "none")),
        )


def write_signer_section(settings: SignerSettings, home: Path | None = None) -> Path:
    """Put the ``[signer]`` section into the file and leave the rest of it as it is.

    Returns:
        The file.

    Raises:
        OutputError: It cannot be written.
        UsageError: What is there cannot be read.
    """
    home = home_folder() if home is None else home
    Config.load(home)
    path = home / CONFIG_FILE
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    rest = re.sub(r"(?ms)^\s*\[signer\][^\n]*\n.*?(?=^\s*\[|\Z)", "", text)
    # JSON's strings are TOML's basic strings, but for surrogate pairs and the control code 127.
    options = {"kind": settings.kind, **settings.options}
    rows = "".join(f"{name} = {_quoted(value)}\n" for name, value in options.items())
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with output_file(path, overwrite=True) as temporary:
        start = f"{rest.rstrip()}\n\n" if rest.strip() else ""
        temporary.write_text(f"{start}[signer]\n{rows}", encoding="utf-8")
    return path


def _quoted(value: str) -> str:
    """Return a text as TOML's basic string.

    Raises:
        UsageError: It holds half a character, as names of files that are not UTF-8 do.
    """
    if not value.isascii() and value != value.encode("utf-8", "replace").decode("utf-8"):
        raise UsageError(
            f"{value!r} cannot be kept in {CONFIG_FILE}: it is not Unicode.",
            hint="Give the file a name in UTF-8.",
        )
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _section(table: Mapping[str, Any], name: str, path: Path) -> dict[str, str]:
    rows = table.get(name, {})
    if not isinstance(rows, dict) or not all(isinstance(value, str) for value in rows.values()):
        raise UsageError(
            f"[{name}] in {path} must hold only texts.", hint='Write each row as name = "value".'
        )
    return {str(key): str(value) for key, value in rows.items()}


def _check_names(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in table:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            raise UsageError(
                f"There is no setting {name!r} ({where}).",
                hint=(f"Did you mean {close[0]!r}? " if close else "")
                + f"Known: {', '.join(known)}.",
            )
