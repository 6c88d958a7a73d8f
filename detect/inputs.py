"""What to audit: files, folders, globs, lists, URLs and buckets, as a stream of names.

Nothing is opened here but lists and directories; a name that cannot be read becomes an error when
it is audited, so that one bad line of a list costs one error.
"""

from __future__ import annotations

import glob
import io
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from vidigree.media.errors import MediaError, UsageError

__all__ = ["VIDEO_SUFFIXES", "expand", "is_url"]

VIDEO_SUFFIXES = frozenset(
    suffix
    for line in (
        ".3g2 .3gp .avi .flv .gif .h264 .hevc .ivf .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts",
        ".mxf .nut .obu .ogv .ts .webm .wmv",
    )
    for suffix in line.split()
)
"""Files that a folder is searched for; a file that is named is audited whatever its suffix."""

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_MAGIC = re.compile(r"[*?\[]")
_SLASH = f"[{re.escape(os.sep + (os.altsep or ''))}]"
_ANYWHERE = re.compile(rf"(^|{_SLASH})\*\*(?:{_SLASH}+|$)")
_LIST_SUFFIX = ".jsonl"
_KEYS = ("file", "path", "url")


def is_url(name: str) -> bool:
    """Say whether a name is a URL rather than a path."""
    return _URL.match(name) is not None


def expand(names: Iterable[str], *, stdin: TextIO | None = None) -> Iterator[str]:
    """Yield the name of every clip, in the order given; a folder's are sorted.

    Args:
        names: Paths and URLs; ``-`` reads a list from ``stdin``, a ``.jsonl`` file is a list, a
            folder is searched for videos (links to folders in it are not followed, as they may
            lead round in a circle), a pattern is matched. Lists hold one name a line, or one
            JSON string or object with ``file``, ``path`` or ``url``.
        stdin: What ``-`` reads; ``None`` means standard input.

    Raises:
        UsageError: A list has a line that names nothing, or a pattern matches nothing.
        MediaError: A list or a folder cannot be read.
    """
    for name in names:
        if not name:
            raise UsageError("A clip has an empty name.", hint="Give a path or a URL.")
        if name == "-":
            yield from _from_list(_standard_input() if stdin is None else stdin, "standard input")
        elif is_url(name):
            yield from _from_url(name)
        elif name.endswith(_LIST_SUFFIX) and Path(name).is_file():
            yield from _from_list_file(Path(name))
        elif _is_folder(name):
            yield from _from_folder(Path(name))
        elif _MAGIC.search(name) and not Path(name).exists():
            found = sorted(_matching(name))
            # A missing file may have a bracket in its name, so that alone makes no pattern.
            yield from _matches(found, name) if found or set("*?") & set(name) else [name]
        else:
            yield name


def _matching(pattern: str) -> set[str]:
    """Return what a pattern matches; ``**`` leads into no link, and into nothing hidden.

    Python's own ``**`` goes round where a link leads up, as often as the system lets it.
    """
    anywhere = _ANYWHERE.search(pattern)
    if anywhere is None:
        return set(glob.glob(pattern))  # noqa: PTH207
    head, rest = pattern[: anywhere.end(1)], pattern[anywhere.end() :] or "*"
    found: set[str] = set()
    for base in glob.glob(head) if head else [""]:  # noqa: PTH207
        for parent, folders, _ in os.walk(base or os.curdir):
            folders[:] = [folder for folder in folders if not folder.startswith(".")]
            start = os.path.join(parent, "")  # noqa: PTH118
            if not base:
                start = start.removeprefix(os.path.join(os.curdir, ""))  # noqa: PTH118
            found |= _matching(glob.escape(start) + rest)
    return found


def _standard_input() -> TextIO:
    if sys.stdin is None:  # it was closed before the program began
        raise MediaError(
            "The list cannot be read: standard input is closed.",
            hint="Send one path or URL a line, or give the clips by name.",
        )
    if isinstance(sys.stdin, io.TextIOWrapper):  # as names of the command line are read
        sys.stdin.reconfigure(errors="surrogateescape")
    return sys.stdin


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):
        return False


def _from_folder(folder: Path) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        raise MediaError(
            f"The folder {error.filename} cannot be read: {error.strerror}.",
            hint="Check its permissions.",
        ) from error

    found = False
    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders.sort()
        for file in sorted(files):
            if Path(file).suffix.lower() in VIDEO_SUFFIXES:
                found = True
                yield str(Path(parent) / file)
    if not found:
        raise UsageError(
            f"The folder {folder} holds no video.",
            hint="Give the files by name if they have unusual suffixes.",
        )


def _from_list_file(path: Path) -> Iterator[str]:
    try:
        # Names of files need not be UTF-8.
        with path.open(encoding="utf-8", errors="surrogateescape") as stream:
            yield from _from_list(stream, str(path))
    except OSError as error:
        raise MediaError(
            f"The list {path} cannot be read: {error.strerror}.", hint="Check its permissions."
        ) from error


def _from_list(lines: Iterable[str], source: str) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if "\0" in line:  # no name of a file holds one; programs and UTF-16 do
            raise UsageError(
                f"{source} is not a list of names.",
                hint="Give UTF-8 text, one path, URL or JSON a line.",
            )
        # Some editors and shells begin a file with a byte order mark.
        text = (line.removeprefix("\ufeff") if number == 1 else line).strip()
        if text:
            yield _name_in(text, f"{source}, line {number}")


def _name_in(text: str, where: str) -> str:
    if text[0] not in '{"':
        return text
    try:
        value: Any = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{where} is not JSON.", hint="Correct the line.") from error
    if isinstance(value, dict):
        value = next((value[key] for key in _KEYS if key in value), None)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{where} names no clip.", hint=f"Give one of: {', '.join(_KEYS)}.")
    return value


def _from_url(url: str) -> Iterator[str]:
    if url.lower().startswith(("http://", "https://")):
        yield url
        return
    if not (url.endswith("/") or _MAGIC.search(url)):
        yield url
        return
    from vidigree.detect.fetching import bucket, bucket_error

    filesystem, path, scheme = bucket(url)
    try:
        names = filesystem.glob(path) if _MAGIC.search(url) else filesystem.find(path)
    except Exception as error:
        raise bucket_error(url, "listed", error) from error
    videos = (name for name in sorted(names) if Path(name).suffix.lower() in VIDEO_SUFFIXES)
    yield from _matches([f"{scheme}://{name.lstrip('/')}" for name in videos], url)


def _matches(names: list[str], pattern: str) -> Iterator[str]:
    if not names:
        raise UsageError(f"Nothing matches {pattern}.", hint="Check the pattern.")
    yield from names
