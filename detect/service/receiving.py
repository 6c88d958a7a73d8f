"""Reads the body of a request for an audit: an upload goes straight to the disk, within limits."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import anyio.to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from vidigree.detect.service.journal import log_event
from vidigree.detect.service.refusals import RefusalError

__all__ = ["Received", "UploadLimits", "display_name", "no_space", "receive", "receive_body"]

_MAX_FIELDS_BYTES = 64 << 10
_MOST_PARTS = 64  # each costs time and memory, and there are a dozen options
_WRITE_BYTES = 1 << 20
_NAME_LENGTH = 200
# Of other types than these, some hold clips that bear no known name; these never do.
_WITHOUT_CLIP = ("font/", "message/", "model/", "multipart/", "text/")


@dataclass(frozen=True, kw_only=True)
class UploadLimits:
    """Limits on one upload.

    Attributes:
        max_bytes: Largest body, in bytes.
        max_seconds: Longest time for all of it.
        idle_seconds: Longest time without a byte.
    """

    max_bytes: int
    max_seconds: float
    idle_seconds: float


@dataclass(kw_only=True)
class Received:
    """What came in.

    Attributes:
        fields: Options in the body, by name.
        name: File name of the upload, made fit to be shown; empty if none was told.
        size: Bytes of the upload; 0 if there was none.
    """

    fields: dict[str, str] = field(default_factory=dict)
    name: str = ""
    size: int = 0


def display_name(text: str) -> str:
    """Return a file name fit to be shown: no folders, no control characters, not endless.

    Args:
        text: What the client calls the file.
    """
    last = re.split(r"[/\\]", text)[-1]
    shown = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C")
    return shown.strip()[:_NAME_LENGTH]


async def receive(request: Request, path: Path, limits: UploadLimits) -> Received:
    """Read the body; an upload in it is written to ``path``.

    A multipart form holds the options and the file, a JSON object or an URL-encoded form only
    options; everything else is the file itself, but for types that never hold a clip.

    Args:
        request: Whose body was not read yet.
        path: Must not exist.
        limits: Of size and time.

    Returns:
        What came in.

    Raises:
        RefusalError: The body is too large, too slow, damaged or of a type without clips, or the
            disk is full.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limits.max_bytes:
        raise _too_large(limits)
    async with _in_time(limits):
        return await _read(request, path, limits)


async def receive_body(request: Request, limits: UploadLimits) -> bytes:
    """Read a body into memory.

    Args:
        request: Whose body was not read yet.
        limits: Of size and time.

    Raises:
        RefusalError: The body is too large, too slow or cut off.
    """
    async with _in_time(limits):
        return b"".join([block async for block in _blocks(request, limits)])


@asynccontextmanager
async def _in_time(limits: UploadLimits) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(limits.max_seconds):
            yield
    except TimeoutError as error:
        raise RefusalError(
            408,
            "UploadTooSlow",
            f"The upload took longer than {limits.max_seconds:.0f} s, or stopped for longer than"
            f" {limits.idle_seconds:.0f} s.",
            hint="Send a smaller file, or a URL.",
        ) from error
    except ClientDisconnect as error:
        raise RefusalError(400, "UploadCutOff", "The upload was cut off.") from error


async def _read(request: Request, path: Path, limits: UploadLimits) -> Received:
    content_type, parameters = parse_options_header(request.headers.get("content-type", ""))
    kind = content_type.decode("latin-1").lower()
    blocks = _blocks(request, limits)
    if kind == "application/json":
        return Received(fields=_json_fields(await _small_body(blocks)))
    if kind == "application/x-www-form-urlencoded":
        text = (await _small_body(blocks)).decode("utf-8", "replace")
        return Received(fields=dict(parse_qsl(text)))
    if kind != "multipart/form-data" and kind.startswith(_WITHOUT_CLIP):
        raise _wrong_type("This content type holds no clip.")
    async with _UploadFile(path) as file:
        if kind == "multipart/form-data":
            return await _read_form(blocks, parameters.get(b"boundary"), file)
        async for block in blocks:
            await file.write(block)
        return Received(size=file.size)


async def _blocks(request: Request, limits: UploadLimits) -> AsyncIterator[bytes]:
    size = 0
    stream = request.stream().__aiter__()
    while True:
        try:
            block = await asyncio.wait_for(anext(stream), limits.idle_seconds)
        except StopAsyncIteration:
            return
        size += len(block)
        if size > limits.max_bytes:
            raise _too_large(limits)
        yield block


async def _small_body(blocks: AsyncIterator[bytes]) -> bytes:
    body = b""
    async for block in blocks:
        body += block
        if len(body) > _MAX_FIELDS_BYTES:
            raise _wrong_type("This content type holds options, not a clip.")
    return body


def _wrong_type(message: str) -> RefusalError:
    return RefusalError(
        415,
        "WrongContentType",
        message,
        hint="Send the clip as a form (curl -F file=@clip.mp4), or by its own type"
        " (curl -H 'Content-Type: video/mp4' --data-binary @clip.mp4).",
    )


_JSON_HINT = 'Send an object such as {"url": "https://example.org/clip.mp4"}.'


def _json_fields(body: bytes) -> dict[str, str]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusalError(400, "DamagedBody", "The body is not JSON.", hint=_JSON_HINT) from error
    if not isinstance(fields, dict):
        raise RefusalError(400, "DamagedBody", "The body is not a JSON object.", hint=_JSON_HINT)
    return {str(key): _text(value) for key, value in fields.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return str(value)


def _too_large(limits: UploadLimits) -> RefusalError:
    return RefusalError(
        413,
        "UploadTooLarge",
        f"The upload is larger than {limits.max_bytes} bytes.",
        hint="Send a smaller file, or cut it into parts.",
    )


def no_space(error: OSError) -> RefusalError:
    """Return what is raised where an upload cannot be stored; its log says why, not its answer."""
    log_event("spool-trouble", level=logging.ERROR, message=error.strerror or str(error))
    return RefusalError(507, "NoSpace", "The upload cannot be stored just now.", retry_after=60)


class _UploadFile:
    """A file that is written off the event loop, a megabyte at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pending = bytearray()
        self._descriptor = -1
        self.size = 0

    async def __aenter__(self) -> _UploadFile:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            self._descriptor = await anyio.to_thread.run_sync(os.open, self._path, flags, 0o600)
        except OSError as error:
            raise no_space(error) from error
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                await self._flush()
        finally:
            os.close(self._descriptor)

    def append(self, data: bytes) -> None:
        self._pending += data
        self.size += len(data)

    async def write(self, data: bytes = b"") -> None:
        self.append(data)
        if len(self._pending) >= _WRITE_BYTES:
            await self._flush()

    async def _flush(self) -> None:
        block, self._pending = bytes(self._pending), bytearray()
        try:
            await anyio.to_thread.run_sync(self._write_all, block)
        except OSError as error:
            raise no_space(error) from error

    def _write_all(self, block: bytes) -> None:
        view = memoryview(block)
        while view:
            view = view[os.write(self._descriptor, view) :]


async def _read_form(
    blocks: AsyncIterator[bytes], boundary: bytes | None, file: _UploadFile
) -> Received:
    if not boundary:
        raise RefusalError(
            400,
            "DamagedBody",
            "The form does not say where its parts begin.",
            hint="Name the boundary in Content-Type, as curl -F does by itself.",
        )
    form = _Form(file)
    try:
        parser = MultipartParser(boundary, form.callbacks())  # type: ignore[arg-type]
        async for block in blocks:
            parser.write(block)
            await file.write()
        parser.finalize()
    except FormParserError as error:
        raise _damaged_form() from error
    if not form.ended:  # the parser is content with what came so far
        raise _damaged_form()
    return form.received()


def _damaged_form() -> RefusalError:
    return RefusalError(
        400,
        "DamagedBody",
        "The form is damaged or cut off.",
        hint="Send it again: curl -F file=@clip.mp4 .../v1/audits",
    )


class _Form:
    """Collects the parts of a form: the part named ``file`` on the disk, the others as text."""

    def __init__(self, file: _UploadFile) -> None:
        self._file = file
        self._fields: dict[str, bytearray] = {}
        self._fields_size = 0
        self._filename = ""
        self._header = bytearray()
        self._value = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._part: bytearray | None = None
        self._files = self._parts = 0
        self.ended = False
        self._in_file = False

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_end": self._end,
        }

    def received(self) -> Received:
        fields = {name: value.decode("utf-8", "replace") for name, value in self._fields.items()}
        return Received(fields=fields, name=display_name(self._filename), size=self._file.size)

    def _begin(self) -> None:
        self._headers = {}
        self._in_file, self._part = False, None
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise RefusalError(413, "UploadTooLarge", f"The form has over {_MOST_PARTS} parts.")

    def _end(self) -> None:
        self.ended = True

    def _header_end(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in options or name == "file":
            self._files += 1
            if self._files > 1:
                raise RefusalError(
                    400,
                    "DamagedBody",
                    "The form holds more than one file.",
                    hint="Send each clip in a request of its own.",
                )
            self._in_file = True
            self._filename = options.get(b"filename", b"").decode("utf-8", "replace")
        else:
            self._part = self._fields.setdefault(name, bytearray())

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._file.append(data[start:end])
        elif self._part is not None:
            self._fields_size += end - start
            if self._fields_size > _MAX_FIELDS_BYTES:
                raise RefusalError(413, "UploadTooLarge", "The fields of the form are too long.")
            self._part += data[start:end]
