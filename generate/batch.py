"""Many requests from a file; what was issued already is not made again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from vidigree.generate.engine import Engine, engine_registry
from vidigree.generate.generating import generate
from vidigree.generate.policy import Policy
from vidigree.generate.request import ClipRequest, frame_rate
from vidigree.media.arguments import check_kind, path_of
from vidigree.media.errors import (
    MediaError,
    MediaNotFoundError,
    OutputError,
    UsageError,
    VidigreeError,
)
from vidigree.media.one_line import one_line
from vidigree.media.progress import Progress, no_progress
from vidigree.watermark.stamp import StampReceipt, StampSettings

__all__ = ["BatchRow", "generate_batch", "output_name", "read_requests"]

_FIELDS: Final = {field.name for field in fields(ClipRequest)}


@dataclass(frozen=True, kw_only=True)
class BatchRow:
    """What became of one request.

    Attributes:
        number: Its place in the file, from 1.
        path: The output.
        status: ``"issued"``, ``"skipped"`` (the output was there already) or ``"failed"``.
        receipt: What was issued; ``None`` unless issued.
        error: What went wrong; ``None`` unless failed.
    """

    number: int
    path: Path
    status: str
    receipt: StampReceipt | None = None
    error: VidigreeError | None = None

    def summary(self) -> str:
        """Return the row as a line of text, and one for each note of the receipt."""
        notes = () if self.receipt is None else self.receipt.notes
        told = (f"  note         {one_line(note)}" for note in notes)
        return "\n".join([f"{self.status:8} {one_line(str(self.path))}", *told])

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return {
            "number": self.number,
            "path": str(self.path),
            "status": self.status,
            "receipt": None if self.receipt is None else self.receipt.to_dict(),
            "error": None if self.error is None else str(self.error),
        }


def read_requests(path: Path | str, defaults: Mapping[str, Any] | None = None) -> list[ClipRequest]:
    """Read requests from a file.

    Args:
        path: ``.jsonl`` with one object of :class:`ClipRequest` fields a line, or any other text
            file with one prompt a line, in which a line that begins with ``#`` is a comment. Empty
            lines are left out.
        defaults: Fields for all requests that do not set them. A request without a seed gets its
            number.

    Raises:
        MediaNotFoundError: There is no such file.
        MediaError: It is a folder, or cannot be read as UTF-8 text.
        UsageError: A line is wrong, and the message names it; or there is none.
    """
    path = path_of(path, "file of requests")
    try:
        # Lines end where files say so: JSON may hold other characters that break lines.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError as error:
        raise MediaNotFoundError(f"There is no file {path}.", hint="Check the path.") from error
    except UnicodeDecodeError as error:
        raise MediaError(
            f"{path} cannot be read as UTF-8 text.", hint="Give one prompt a line."
        ) from error
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise MediaError(
            f"{str(path)!r} cannot be read: {reason}.", hint="Give a file of requests."
        ) from error
    as_json = path.suffix.lower() == ".jsonl"
    requests: list[ClipRequest] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or (not as_json and line.lstrip().startswith("#")):
            continue
        try:
            values = _values(line, as_json=as_json)
            merged = {"seed": len(requests) + 1, **(defaults or {}), **values}
            requests.append(ClipRequest(**merged))
        except (VidigreeError, ValueError, TypeError) as error:
            raise UsageError(f"{path.name}, line {number}: {error}") from error
    if not requests:
        raise UsageError(
            f"{path} holds no requests.", hint="Write one prompt a line, or JSON lines."
        )
    return requests


def _values(line: str, *, as_json: bool) -> dict[str, Any]:
    if not as_json:
        return {"prompt": line.strip()}
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"this is not JSON: {error}.") from error
    except ValueError as error:  # Python reads no longer ones
        raise ValueError("a number has too many digits.") from error
    if not isinstance(row, dict) or "prompt" not in row:
        raise TypeError('expected an object such as {"prompt": "..."}.')
    unknown = sorted(set(row) - _FIELDS)
    if unknown:
        raise ValueError(
            f"unknown fields {', '.join(unknown)}; known: {', '.join(sorted(_FIELDS))}."
        )
    if row.get("fps") is not None:
        # What is no rate stays as it is, for the request to name.
        with suppress(ValueError, ZeroDivisionError):
            row["fps"] = frame_rate(str(row["fps"]))
    return row


def output_name(number: int, request: ClipRequest) -> str:
    """Return the file name of a request; it changes when any field of the request does."""
    words = re.sub(r"[^a-z0-9]+", "-", request.prompt.lower()).strip("-")[:40].strip("-")
    return f"{number:04d}-{words or 'clip'}-{_digest(request)}.mp4"


def _title(number: int, request: ClipRequest) -> str:
    """Return the name that stands in the credentials: without words of the prompt."""
    return f"{number:04d}-clip-{_digest(request)}.mp4"


def _digest(request: ClipRequest) -> str:
    text = json.dumps(request.to_dict(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def generate_batch(
    requests: Iterable[ClipRequest],
    folder: Path | str,
    *,
    settings: StampSettings | None = None,
    policy: Policy | None = None,
    progress: Progress = no_progress,
) -> Iterator[BatchRow]:
    """Generate one file for each request; a request that fails does not stop the others.

    Outputs appear only when they are finished, so a batch that was interrupted goes on where it
    stopped when it is started again.

    Args:
        requests: What to generate.
        folder: Where the outputs go; made if absent.
        settings: Keys, ledger and quality; ``None`` loads them from the data folder.
        policy: Asked before every request.
        progress: Called as frames are made, marked and read back.

    Yields:
        What became of each request, in order.

    Raises:
        UsageError: The settings in the data folder mean nothing, or something is of another kind.
        CredentialsError: There is no signing identity, or it cannot be used.
        LedgerError: The ledger cannot be opened.
        OutputError: The folder cannot be made.
    """
    folder = path_of(folder, "folder")
    settings = settings or StampSettings.load()
    _make_folder(folder)
    engines: dict[str, Engine] = {}
    for number, request in enumerate(requests, start=1):
        check_kind(request, ClipRequest, f"request {number}")
        path = folder / output_name(number, request)
        if path.exists() and not settings.overwrite:
            yield BatchRow(number=number, path=path, status="skipped")
            continue
        titled = settings
        if settings.title is None:
            titled = replace(settings, title=_title(number, request))
        try:
            engine = _opened(engines, request.engine)
            receipt = generate(
                request, path, engine=engine, settings=titled, policy=policy, progress=progress
            )
        except VidigreeError as error:
            yield BatchRow(number=number, path=path, status="failed", error=error)
        else:
            yield BatchRow(number=number, path=path, status="issued", receipt=receipt)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be made: {error.strerror or error}.",
            hint="Give another one with -o.",
        ) from error


def _opened(engines: dict[str, Engine], name: str) -> Engine:
    """Return an engine that stays open for the requests to come: some hold a loaded model."""
    if name not in engines:
        engines[name] = engine_registry.get(name)()
    return engines[name]
