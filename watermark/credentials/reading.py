"""Read the content credentials of a file, or of a manifest store kept elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidigree.media.arguments import path_of
from vidigree.media.container import is_iso_media, open_media, walk_boxes
from vidigree.media.errors import (
    CredentialsError,
    TruncatedMediaError,
    UnsupportedMediaError,
)
from vidigree.watermark.credentials.answers import (
    StatusCodes,
    content_binding,
    manifest_integrity,
    overall_integrity,
)
from vidigree.watermark.credentials.container_checks import check_container, hash_exclusions
from vidigree.watermark.credentials.embedding import MAX_STORE_BYTES, embedded_store, is_c2pa_box
from vidigree.watermark.credentials.foreign_labels import read_foreign_labels
from vidigree.watermark.credentials.ingredients import EMPTY_ASSET, IngredientWalk, manifest_answers
from vidigree.watermark.credentials.readings import INGREDIENTS_NOT_READ, CredentialsReading
from vidigree.watermark.credentials.sdk import sdk_context
from vidigree.watermark.credentials.trust import TrustSettings
from vidigree.watermark.credentials.untrusted_text import bounded_text

if TYPE_CHECKING:
    from c2pa import Context

__all__ = ["read_credentials"]


def read_credentials(
    path: Path | str,
    *,
    trust: TrustSettings,
    store: bytes | None = None,
    now: datetime | None = None,
) -> CredentialsReading:
    """Read credentials and answer four questions separately.

    Nothing is fetched from the network.

    Args:
        path: File to read. Its suffix need not tell the truth.
        trust: Whom to believe.
        store: Manifest store from elsewhere, validated against the file instead of what the file
            holds; how a stripped file gets its manifest back.
        now: Time of reading, for the validity of certificates; ``None`` means the clock.

    Raises:
        MediaNotFoundError: There is no such file.
        UnsupportedMediaError: The file is built to exhaust a reader.
        MediaError: The file cannot be read.
        CredentialsError: A list of ``trust`` is damaged.
        UsageError: The path is none.
    """
    path = path_of(path, "file")
    _check_size(len(store or b""))
    now = now or datetime.now(UTC)
    reading = _manifest_reading(path, trust, store, now)
    return reading if reading.recovered else replace(reading, labels=read_foreign_labels(path))


def _manifest_reading(
    path: Path, trust: TrustSettings, store: bytes | None, now: datetime
) -> CredentialsReading:
    """Read the manifest in the file or the given one."""
    kind, holds_box = _container(path)
    if kind is None and store is None:
        note = StatusCodes().with_note("vidigree.container.withoutCredentials")
        return CredentialsReading(status="absent", codes=note)
    if kind != "video/x-msvideo" and not holds_box and store is None:
        return CredentialsReading(status="absent")
    context = sdk_context(trust)  # a list that is damaged says nothing of the file
    try:
        document, results = _library_reading(path, kind, store, context)
        if document is None:
            return CredentialsReading(status="absent")
        found = store if store is not None else embedded_store(path)
        reading = _reading(document, results, found, trust, now, recovered=store is not None)
        # Of a file that the manifest was not made for, the places it leaves out say nothing.
        if reading.recovered and reading.content_binding != "match":
            return reading
        return _with_container(reading, path, document)
    except CredentialsError as error:
        codes = StatusCodes().with_failure(
            f"vidigree.manifest.unreadable: {bounded_text(error.message)}"
        )
        return CredentialsReading(status="unreadable", codes=codes, recovered=store is not None)


def _container(path: Path) -> tuple[str | None, bool]:
    """Return the media type by content, and whether there is a C2PA box.

    All boxes are walked, so that a file that is built to exhaust a reader is found first.
    """
    with open_media(path) as stream:
        if is_iso_media(stream):
            holds_box = False
            # A file that is cut short may still hold its manifest, which says so better.
            with suppress(TruncatedMediaError):
                for box in walk_boxes(stream):
                    if is_c2pa_box(box):
                        holds_box = True
                        _check_size(box.payload_size)
            quicktime = path.suffix.lower() == ".mov"
            return ("video/quicktime" if quicktime else "video/mp4"), holds_box
        stream.seek(0)
        head = stream.read(12)
    is_avi = head[:4] == b"RIFF" and head[8:] == b"AVI "
    return ("video/x-msvideo" if is_avi else None), False


def _check_size(size: int) -> None:
    if size > MAX_STORE_BYTES:
        raise UnsupportedMediaError(
            f"The manifest store has {size} bytes; {MAX_STORE_BYTES} is the limit.",
            hint="Such a file is made to exhaust a reader; it is not looked at further.",
        )


def _library_reading(
    path: Path, kind: str | None, store: bytes | None, context: Context
) -> tuple[dict[str, Any] | None, Mapping[str, Any]]:
    """Return the library's crJSON document and its validation results; ``None`` without manifest.

    Raises:
        CredentialsError: There is a manifest that cannot be read.
    """
    from c2pa import C2paError, Reader

    try:
        with open_media(path) if kind else BytesIO(EMPTY_ASSET) as stream:
            if store is None:
                reader = Reader.try_create(kind, stream, context=context)
            else:
                # A kind of file that C2PA does not know has no hash that could match.
                reader = Reader(kind or "video/mp4", stream, store, context=context)
            if reader is None:
                if kind != "video/x-msvideo":
                    raise CredentialsError("A C2PA box is there without a readable manifest.")
                return None, {}
            with reader:
                document = json.loads(reader.crjson())
                return document, reader.get_validation_results() or {}
    except C2paError as error:
        text = bounded_text(error)
        if "deply nested" in text or "deeply nested" in text:
            raise UnsupportedMediaError(
                f"{path} has boxes nested too deeply.",
                hint="Such a file is made to exhaust a reader; it is not looked at further.",
            ) from error
        raise CredentialsError(text) from error
    except (ValueError, RecursionError) as error:
        raise CredentialsError(bounded_text(error)) from error


def _reading(
    document: Mapping[str, Any],
    results: Mapping[str, Any],
    store: bytes | None,
    trust: TrustSettings,
    now: datetime,
    *,
    recovered: bool,
) -> CredentialsReading:
    manifests = document.get("manifests")
    if not isinstance(manifests, list) or not manifests:
        raise CredentialsError("The manifest store holds no manifest.")
    active = manifests[0]
    codes = StatusCodes.from_library(results.get("activeManifest"))
    walk = IngredientWalk(manifests=manifests, store=store, trust=trust, now=now)
    ingredients = walk.ingredients_of(active, results)
    answers = manifest_answers(active, results, codes, ingredients, trust=trust, now=now)
    own = manifest_integrity(codes)
    binding = content_binding(codes)
    reading = CredentialsReading(
        status="present",
        recovered=recovered,
        manifest_integrity=own,
        content_binding=binding,
        manifest_label=bounded_text(active.get("label")),
        **answers,
    )
    reading = replace(reading, integrity=overall_integrity(own, binding))
    limits = {
        INGREDIENTS_NOT_READ: walk.truncated,
        "vidigree.ingredients.notAllTold": walk.shortened,
    }
    for code in (code for code, hit in limits.items() if hit):
        reading = replace(reading, codes=reading.codes.with_note(code))
    return reading


def _with_container(
    reading: CredentialsReading, path: Path, document: Mapping[str, Any]
) -> CredentialsReading:
    """Add what our own look at the container found; it can only take integrity away."""
    exclusions = hash_exclusions(document["manifests"][0].get("assertions") or {})
    codes, integrity = reading.codes, reading.integrity
    for finding in check_container(path, exclusions):
        if not finding.breaks:
            codes = codes.with_note(finding.code)
            continue
        codes = codes.with_failure(finding.code)
        if finding.breaks == "altered":
            integrity = "altered"
        elif integrity == "intact":
            integrity = "unknown"
    return replace(reading, codes=codes, integrity=integrity)
