"""Say which secrets on disk others on the machine may read, and what to do about it.

A secret is told by what it holds, whatever its name: a copy of a key is worth as much as the key,
and copies are made by people and programs that do not think of permissions.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from vidigree.media.one_line import one_line
from vidigree.watermark.config import CONFIG_FILE, Config
from vidigree.watermark.credentials.certificate_check import ChainFinding

__all__ = ["check_secret_files", "secrets_of_settings"]

_MOST_FILES = 20_000
"""Most files of a data folder that are looked at; it may be a home folder by mistake."""

_MOST_BYTES = 2**20
"""Largest file that is read; rings of keys and keys are far smaller."""

_FILES_OF_SETTINGS = {
    "key": "private key",
    "file": "private key",
    "password_file": "password",
    "pin_file": "PIN",
}


def secrets_of_settings(config: Config, home: Path) -> dict[Path, str]:
    """Return the files with secrets that the settings name, and what each holds.

    Args:
        config: The settings.
        home: Data folder they were read from.

    Raises:
        UsageError: A path begins with the home folder of somebody who is not known.
    """
    signer = config.signer
    found = {
        signer.path(option): what
        for option, what in _FILES_OF_SETTINGS.items()
        if signer.text(option)
    }
    if signer.kind == "folder" and signer.text("folder"):
        found[signer.path("folder") / "key.pem"] = "private key"
    if "@" in urlsplit(config.timestamping.url).netloc:
        found[home / CONFIG_FILE] = "password in the settings"
    return found


def check_secret_files(
    home: Path, named: Mapping[Path, str] | None = None
) -> tuple[ChainFinding, ...]:
    """Warn of secrets that others than their owner may read, and of folders they may change.

    Args:
        home: Data folder; every file in it is looked at, of whatever name.
        named: More files, and what secret each holds.

    Returns:
        One warning for each file and folder, by name; none on systems that keep rights elsewhere.
    """
    if os.name != "posix":
        return ()
    findings: list[ChainFinding] = []
    secrets = {Path(os.path.realpath(path)): what for path, what in (named or {}).items()}
    for path in _files(home, findings):
        try:
            what = _secret_in(path)
        except OSError as error:
            findings.append(_not_looked_at(path, error))
            continue
        if what:
            secrets.setdefault(Path(os.path.realpath(path)), what)
    findings += [row for path, what in sorted(secrets.items()) for row in _exposed(path, what)]
    folders = {path.parent for path in secrets} | {Path(os.path.realpath(home))}
    findings += [row for folder in sorted(folders) for row in _changeable(folder)]
    return tuple(findings)


def _files(home: Path, findings: list[ChainFinding]) -> Iterator[Path]:
    """Yield the files in a folder; what cannot be looked at goes to the findings."""
    count = 0
    failed: list[OSError] = []
    for folder, _, names in os.walk(home, onerror=failed.append):
        for name in names:
            count += 1
            if count > _MOST_FILES:
                findings.append(
                    ChainFinding(
                        severity="warning",
                        problem=f"Of {home} only {_MOST_FILES} files were looked at for secrets.",
                        remedy="Keep nothing else in the data folder.",
                    )
                )
                return
            yield Path(folder, name)
    findings += [
        _not_looked_at(Path(error.filename), error)
        for error in failed
        if not isinstance(error, FileNotFoundError)
    ]


def _secret_in(path: Path) -> str:
    """Return what secret a file holds that others may use; empty for none.

    Raises:
        OSError: It cannot be read.
    """
    try:
        status = path.stat()
    except FileNotFoundError:  # a link to nowhere, or gone since
        return ""
    if not status.st_mode & 0o077 or not stat.S_ISREG(status.st_mode):
        return ""
    if path.suffix.lower() in {".p12", ".pfx"}:
        return "private key"
    if status.st_size > _MOST_BYTES:
        return ""
    content = path.read_bytes()
    if b"PRIVATE KEY-----" in content:
        return "private key"
    return "watermark keys" if b'"key_id"' in content and b'"secret"' in content else ""


def _exposed(path: Path, what: str) -> Iterator[ChainFinding]:
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # whoever reads it says so
    if mode & 0o077:
        yield ChainFinding(
            severity="warning",
            problem=f"Others on this machine may read the {what} {one_line(str(path))}.",
            remedy=f"chmod 600 {shlex.quote(str(path))}",
        )


def _changeable(folder: Path) -> Iterator[ChainFinding]:
    try:
        mode = folder.stat().st_mode
    except OSError:
        return  # as above
    # In a folder with the sticky bit only owners replace files.
    if mode & 0o022 and not mode & stat.S_ISVTX:
        yield ChainFinding(
            severity="warning",
            problem=f"Others on this machine may replace what lies in {one_line(str(folder))}.",
            remedy=f"chmod go-w {shlex.quote(str(folder))}",
        )


def _not_looked_at(path: Path, error: OSError) -> ChainFinding:
    return ChainFinding(
        severity="warning",
        problem=f"{one_line(str(path))} was not looked at for secrets: {error.strerror}.",
        remedy="Look at its permissions as its owner.",
    )
