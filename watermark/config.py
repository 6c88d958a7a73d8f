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
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from vidigree.media.errors import UsageError
from vidigree.media.home import home_folder
from vidigree.media.output import output_error, output_file
from vidigree.watermark.credentials.signers.settings import SignerSettings
from vidigree.watermark.credentials.timestamps import Timestamping
from vidigree.watermark.profiles.provider import Provider

__all__ = ["CONFIG_FILE", "Config", "write_signer_section"]

CONFIG_FILE = "config.toml"
"""Name of the file in the data folder."""

_SIGNER_HEADER = re.compile(r"""\s*\[\s*(signer|"signer"|'signer')\s*\]\s*(#.*)?""")

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

    The file keeps its permissions, since an authority's address may hold a password, and stays a
    link if it is one.

    Returns:
        The file.

    Raises:
        OutputError: It cannot be written.
        UsageError: What is there cannot be read, or has the section in a form that is not known.
    """
    home = home_folder() if home is None else home
    Config.load(home)
    path = home / CONFIG_FILE
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    rest = _without_signer(text).strip("\n")
    # JSON's strings are TOML's basic strings, but for surrogate pairs and the control code 127.
    options = {"kind": settings.kind, **settings.options}
    rows = "".join(f"{name} = {_quoted(value)}\n" for name, value in options.items())
    start = f"{rest}\n\n" if rest.strip() else ""
    new = f"{start}[signer]\n{rows}"
    if not _changes_the_signer_only(text, new, options):
        raise UsageError(
            f"The settings {path} say the signer in a form that cannot be replaced.",
            hint="Remove it there by hand, and try again.",
        )
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise output_error(path, error) from error
    with output_file(Path(os.path.realpath(path)), overwrite=True) as temporary:
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IRUSR | stat.S_IWUSR)
        temporary.write_text(new, encoding="utf-8")
    return path


def _without_signer(text: str) -> str:
    """Return settings without their ``[signer]``; comments behind its rows are not part of it."""
    kept: list[str] = []
    comments: list[str] = []
    inside = False
    for line in text.split("\n"):  # no other sign ends a line of TOML
        if line.lstrip().startswith("["):
            kept += comments
            comments, inside = [], _SIGNER_HEADER.fullmatch(line) is not None
        elif inside and line.strip() and not line.lstrip().startswith("#"):
            comments = []
        elif inside:
            comments.append(line)
        if not inside:
            kept.append(line)
    return "\n".join([*kept, *comments])


def _changes_the_signer_only(before: str, after: str, options: Mapping[str, str]) -> bool:
    """Return whether settings say what they said, but for the signer."""
    try:
        return tomllib.loads(after) == {**tomllib.loads(before), "signer": dict(options)}
    except tomllib.TOMLDecodeError:
        return False


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
