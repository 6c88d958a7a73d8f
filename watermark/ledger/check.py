"""Compare the ledger with the files it speaks of, and mend what a killed stamp left behind.

A stamp records its clip as not confirmed, renames the finished file into place, and confirms. So a
kill leaves one of four things, and each can be told from the others: temporary files; a record
whose file never appeared; a record and its file, not confirmed; or everything. A file *without* a
record can only come from another ledger, or from one that was restored from an old backup.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from vidigree.media.errors import CredentialsError, MediaError
from vidigree.watermark.credentials.embedding import embedded_store
from vidigree.watermark.fingerprint import is_current
from vidigree.watermark.ledger.entry import LedgerEntry
from vidigree.watermark.ledger.store import Ledger

__all__ = ["UNDER_WAY", "LedgerFinding", "check_files", "check_ledger", "stamped_files"]

UNDER_WAY = timedelta(minutes=10)
"""An unconfirmed record younger than this may belong to a stamp that is still at work."""

Kind = Literal[
    "under-way",
    "unconfirmed",
    "abandoned",
    "file-gone",
    "file-replaced",
    "old-fingerprint",
    "file-without-record",
    "record-differs",
    "unreadable",
    "leftover",
]

_ADVICE: dict[Kind, str] = {
    "under-way": "A stamp seems to be at work; check again later.",
    "unconfirmed": "The file is in place: --repair confirms the record.",
    "abandoned": "Its stamp was killed before the file was in place: --forget drops the record.",
    "file-gone": "Moved or deleted since; the record stays, because it recognises copies.",
    "file-replaced": "Another file has its name now; the record stays.",
    "old-fingerprint": "Made by another version: found by its mark only.",
    "file-without-record": "--repair records it, if it is intact and a signer of ours made it.",
    "record-differs": "The ledger has another manifest for this clip id; keep both and look.",
    "unreadable": "Look at it, or ask for the right to.",
    "leftover": "The temporary file of a stamp that was killed; delete it.",
}
_NEEDS_NOTHING: frozenset[Kind] = frozenset(
    {"under-way", "file-gone", "file-replaced", "old-fingerprint"}
)


@dataclass(frozen=True, kw_only=True)
class LedgerFinding:
    """One thing that does not fit.

    Attributes:
        kind: What it is.
        path: File concerned; empty for a record without one.
        clip_id: Clip concerned; ``None`` if unknown.
        detail: More about it, such as the reason why a file cannot be read.
    """

    kind: Kind
    path: str = ""
    clip_id: int | None = None
    detail: str = ""

    @property
    def advice(self) -> str:
        """What to do about it, one sentence."""
        return _ADVICE[self.kind]

    @property
    def needs_action(self) -> bool:
        """Whether something should be done; the other findings are only worth knowing."""
        return self.kind not in _NEEDS_NOTHING

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return {
            "kind": self.kind,
            "path": self.path,
            "clip_id": None if self.clip_id is None else f"{self.clip_id:016x}",
            "detail": self.detail,
            "advice": self.advice,
            "needs_action": self.needs_action,
        }


def check_ledger(ledger: Ledger, *, now: datetime | None = None) -> Iterator[LedgerFinding]:
    """Yield what is wrong with the records of a ledger; nothing is changed.

    Args:
        ledger: The ledger; records are read as a stream.
        now: Time to judge age by; ``None`` means the clock.

    Raises:
        LedgerError: The database failed.
    """
    now = now or datetime.now(UTC)
    for entry in ledger.entries():
        why = _unreachable(Path(entry.file)) if entry.file else ""
        kind = "unreadable" if why else _record_kind(entry, now)
        if kind is not None:
            yield LedgerFinding(kind=kind, path=entry.file, clip_id=entry.clip_id, detail=why)
        if not is_current(entry.fingerprint):
            yield LedgerFinding(kind="old-fingerprint", path=entry.file, clip_id=entry.clip_id)


def _record_kind(entry: LedgerEntry, now: datetime) -> Kind | None:
    if not entry.file:
        return None if entry.confirmed else "abandoned"
    path = Path(entry.file)
    there = _is_file_of(path, entry)
    if entry.confirmed:
        if there:
            return None
        return "file-replaced" if path.exists() else "file-gone"
    if there:
        return "unconfirmed"
    # A clock that was set back must not keep a record under way for ever.
    return "under-way" if abs(now - entry.created_at) < UNDER_WAY else "abandoned"


def _unreachable(path: Path) -> str:
    """Return why nobody here can say what a file is, or whether it is there; else nothing."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return f"{error.strerror or error}."
    return "" if os.access(path, os.R_OK) else f"{os.strerror(errno.EACCES)}."


def _is_file_of(path: Path, entry: LedgerEntry) -> bool:
    """Tell whether a file carries the manifest of an entry."""
    try:
        store = embedded_store(path)
    except (MediaError, CredentialsError):
        return False  # missing, cut short, or not a video any more: not the file that was issued
    # Anybody can give a manifest the same name; one without a name was never issued.
    return store == entry.manifest_store and entry.manifest_id != ""


def stamped_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files whose credentials bind a mark, as far as they can be read.

    Args:
        paths: Files, or folders to search for MP4 files.
    """
    for path in _videos(paths):
        try:
            if not _is_temporary(path) and _bound(path) is not None:
                yield path
        except (MediaError, CredentialsError):
            continue  # `check_files` tells of it


def check_files(ledger: Ledger, paths: Iterable[Path]) -> Iterator[LedgerFinding]:
    """Yield signed and marked files that the ledger does not know, and leftovers of stamps.

    Args:
        ledger: The ledger.
        paths: Files, or folders to search for MP4 files.

    Raises:
        LedgerError: The database failed.
    """
    for path in _videos(paths):
        temporary = _is_temporary(path)
        finding = _temporary_finding(path) if temporary else _file_finding(ledger, path)
        if finding is not None:
            yield finding


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(".") and ".part." in path.name


def _temporary_finding(path: Path) -> LedgerFinding | None:
    """Return what a temporary file is; ``None`` if its stamp has finished meanwhile."""
    try:
        age = abs(time.time() - path.stat().st_mtime)
    except FileNotFoundError:
        return None
    except OSError as error:
        return LedgerFinding(kind="unreadable", path=str(path), detail=f"{error.strerror}.")
    kind: Kind = "leftover" if age > UNDER_WAY.total_seconds() else "under-way"
    return LedgerFinding(kind=kind, path=str(path))


def _videos(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files, and folders that cannot be looked into: whoever opens one is told why."""
    for path in paths:
        if path.is_dir():
            yield from _in_folder(path)
        else:
            yield path


def _in_folder(folder: Path) -> list[Path]:
    files: list[Path] = []
    closed: list[Path] = []
    for where, _, names in os.walk(folder, onerror=lambda e: closed.append(Path(e.filename))):
        files += (Path(where, name) for name in names if name.lower().endswith(".mp4"))
    return sorted([*closed, *(path for path in files if _may_be_file(path))])


def _may_be_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return True  # nobody here can tell


def _file_finding(ledger: Ledger, path: Path) -> LedgerFinding | None:
    try:
        bound = _bound(path)
    except (MediaError, CredentialsError) as error:
        return LedgerFinding(kind="unreadable", path=str(path), detail=error.message)
    if bound is None:
        return None  # not signed, or signed without a mark of ours: none of the ledger's business
    clip_id, store = bound
    entry = ledger.find_clip(clip_id)
    if entry is None:
        return LedgerFinding(kind="file-without-record", path=str(path), clip_id=clip_id)
    if entry.manifest_store != store:
        return LedgerFinding(kind="record-differs", path=str(path), clip_id=clip_id)
    return None


def _bound(path: Path) -> tuple[int, bytes] | None:
    """Return the clip id that a file's credentials bind, and their store; ``None`` without one."""
    from vidigree.watermark.ledger.adoption import bound_clip_id

    store = embedded_store(path)
    clip_id = None if store is None else bound_clip_id(path)
    return None if store is None or clip_id is None else (clip_id, store)
