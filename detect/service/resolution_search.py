"""From a soft binding, or a clip, to manifest ids."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from vidigree.detect.fetching import FetchLimits
from vidigree.detect.isolation import Answer, Job
from vidigree.detect.look_up import SAME
from vidigree.detect.service.gaps import gaps
from vidigree.detect.service.journal import log_event, without_places
from vidigree.detect.service.refusals import RefusalError
from vidigree.detect.service.resolution_models import Match
from vidigree.detect.settings import AuditSettings
from vidigree.media.errors import UsageError
from vidigree.watermark.credentials import SOFT_BINDING_ALGORITHM
from vidigree.watermark.credentials.manifest import marked_clip_id
from vidigree.watermark.ledger import Ledger

__all__ = ["FINGERPRINT_ALGORITHM", "ContentSearch", "find_by_binding"]

FINGERPRINT_ALGORITHM = "org.vidigree.fingerprint.2"
"""Soft binding algorithm id of :mod:`vidigree.watermark.fingerprint`."""


def find_by_binding(ledger: Ledger, alg: str, value: str, limit: int) -> list[Match]:
    """Return manifests of issued clips with this binding, then those that others bound to it.

    Args:
        ledger: What was issued.
        alg: Name of an algorithm; unknown ones may have been bound by others.
        value: Value in base64.
        limit: Most matches.

    Raises:
        RefusalError: The value is not base64, or not one of the algorithm.
    """
    content = _decoded(value)
    if alg == SOFT_BINDING_ALGORITHM:
        matches = _by_mark(ledger, content)
    elif alg == FINGERPRINT_ALGORITHM:
        matches = _by_fingerprint(ledger, content, limit)
    else:
        matches = []
    known = {match.manifestId for match in matches}
    bound = ledger.repository.bound(value, limit)
    matches += [Match(manifestId=name) for name in bound if name not in known]
    return matches[:limit]


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusalError(400, "NotBase64", "The value is not base64.") from error


def _by_mark(ledger: Ledger, content: bytes) -> list[Match]:
    """Find a clip by ``<key id>:<clip id as 16 hex digits>``, as its manifest names it."""
    text = content.decode("utf-8", "replace")
    clip_id = marked_clip_id(text)
    if clip_id is None:
        raise RefusalError(
            400,
            "WrongValue",
            f"This is not a value of {SOFT_BINDING_ALGORITHM}.",
            hint="It is the key id, a colon and 16 hex digits, all of it in base64.",
        )
    entry = ledger.find_clip(clip_id)
    if entry is None or entry.key_id != text.rpartition(":")[0] or not entry.manifest_id:
        return []
    return [Match(manifestId=entry.manifest_id, similarityScore=100)]


def _by_fingerprint(ledger: Ledger, content: bytes, limit: int) -> list[Match]:
    try:
        found = ledger.find_similar(content, min(limit, 100))
    except UsageError as error:
        raise RefusalError(400, "WrongValue", error.message) from error
    return [
        Match(manifestId=entry.manifest_id, similarityScore=round(100 * likeness))
        for entry, likeness in found
        if likeness >= SAME and entry.manifest_id
    ]


class ContentSearch:
    """Looks at clips in worker processes, because a stranger's file may do anything to a decoder.

    Args:
        audit: Audits one clip elsewhere, e.g. :meth:`vidigree.detect.isolation.WorkerPool.audit`.
        ledger: What was issued.
        ledger_url: The same ledger for the workers; ``None`` means the one in the data folder.
        max_seconds: Longest clip by its container; ``None`` for no limit.
    """

    def __init__(
        self,
        audit: Callable[[Job], Answer],
        ledger: Ledger,
        *,
        ledger_url: str | None,
        max_seconds: float | None = 3600.0,
    ) -> None:
        self._audit = audit
        self._ledger = ledger
        self._settings = AuditSettings(
            layers=("mark", "ledger"), ledger=ledger_url, max_seconds=max_seconds
        )

    def find(self, name: str, *, alg: str | None, limits: FetchLimits) -> list[Match]:
        """Return the manifest of the clip that is most like this one, if any is.

        Args:
            name: Path or URL of a clip.
            alg: Only by this algorithm; ``None`` for the mark, then the fingerprint.
            limits: Limits on fetching it.

        Raises:
            RefusalError: The clip cannot be fetched or read, the algorithm is not known, or nothing
                was found where mark or ledger could not be looked at.
        """
        if alg not in (None, SOFT_BINDING_ALGORITHM, FINGERPRINT_ALGORITHM):
            raise RefusalError(
                400,
                "UnknownAlgorithm",
                f"Clips are not searched by {alg[:100] if alg else ''!r}.",
                hint="See /services/supportedAlgorithms.",
            )
        settings = self._settings
        if alg == FINGERPRINT_ALGORITHM:
            settings = replace(settings, layers=("ledger",))
        row = self._audit(Job(name=name, settings=settings, fetch=limits, show_personal=True)).row
        if "error" in row:
            raise _unreadable(row["error"])
        found = row["readings"]["ledger"]
        by_mark_only = alg == SOFT_BINDING_ALGORITHM and found.get("found_by") != "mark"
        if found.get("clip_id") is None or by_mark_only:
            _refuse_if_not_looked(row, name)
            return []
        entry = self._ledger.find_clip(int(found["clip_id"], 16))
        if entry is None or not entry.manifest_id:
            return []
        if found["found_by"] == "mark":
            return [Match(manifestId=entry.manifest_id, similarityScore=100)]
        score = round(100 * (found["similarity"] or 0))
        return [Match(manifestId=entry.manifest_id, similarityScore=score)]


def _refuse_if_not_looked(row: dict[str, Any], name: str) -> None:
    """Refuse to say that nothing matches where nobody could look."""
    missing = gaps(row)
    for layer, why in missing.items():
        told = without_places(why, name)
        log_event("layer-not-checked", level=logging.WARNING, layer=layer, why=told)
    if not missing:
        return
    if all(row["readings"]["marks" if one == "mark" else one]["by_clip"] for one in missing):
        raise RefusalError(400, "UnsupportedMediaError", "The asset cannot be used.")
    raise RefusalError(500, "Unavailable", "The service cannot do it just now.")


def _unreadable(error: dict[str, str]) -> RefusalError:
    kind = str(error.get("kind", "Unreadable"))
    # Nothing of what was fetched is repeated: a reference must not read the network for others.
    return RefusalError(
        400, kind, "The asset cannot be used.", hint=str(error.get("hint", ""))[:200]
    )
