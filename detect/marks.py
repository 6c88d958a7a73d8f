"""The mark layer: looks for pixel marks of known keys, and says what was found where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidigree.detect.evidence import Evidence, Segment
from vidigree.media.reading import open_video
from vidigree.watermark.keyring import PUBLISHED_KEY, MarkKey
from vidigree.watermark.method import MarkReading, watermark_methods

__all__ = ["mark_evidence", "read_marks"]

_WHOLE = 0.9
"""A mark that covers at least this share of the time of the clip counts as covering all of it."""


def read_marks(
    path: Path, *, methods: Sequence[str], keys: Sequence[MarkKey]
) -> tuple[MarkReading, ...]:
    """Look for marks, one pass over the clip per method.

    Args:
        path: The clip.
        methods: Names of registered watermark methods.
        keys: Keys to try.

    Returns:
        One reading per method, in the order of ``methods``.

    Raises:
        MediaError: The clip cannot be read.
        UsageError: There is no such method.
    """
    readings = []
    for name in methods:
        method = watermark_methods.get(name)()
        with open_video(path) as reader:
            readings.append(method.detect(reader.images(), keys=keys, fps=reader.info.fps))
    return tuple(readings)


def mark_evidence(
    readings: Sequence[MarkReading], *, duration: float | None = None
) -> list[Evidence]:
    """Turn mark readings into evidence.

    Args:
        readings: One reading per method.
        duration: Seconds of the clip, to tell a mark that covers only part of it; ``None`` if
            not known.

    Returns:
        Evidence of every mark found, or one piece that says none was.
    """
    found = [reading for reading in readings if reading.present]
    if not found:
        return [
            Evidence(
                code="mark.absent",
                p_value=min((reading.p_value for reading in readings), default=None),
                values={"methods": ", ".join(reading.method for reading in readings)},
            )
        ]
    evidence: list[Evidence] = []
    for reading in found:
        evidence.extend(_one_mark(reading, duration))
    return evidence


def _one_mark(reading: MarkReading, duration: float | None) -> list[Evidence]:
    if reading.message is None:
        code = "mark.presence-only"
    elif reading.key_id == PUBLISHED_KEY.key_id:
        code = "mark.found-published-key"
    else:
        code = "mark.found"
    segments = tuple(Segment(start=part.start, end=part.end) for part in reading.segments)
    message = "" if reading.message is None else f"{reading.message:016x}"
    evidence = [
        Evidence(
            code=code,
            p_value=reading.p_value,
            segments=segments,
            values={
                "method": reading.method,
                "key_id": reading.key_id or "",
                "message": message,
                "scale": reading.scale,
                "rotation": reading.rotation,
                "mirrored": reading.mirrored,
            },
        )
    ]
    covered = sum(part.end - part.start for part in reading.segments)
    if duration and reading.segments and covered < _WHOLE * duration:
        share = round(100 * covered / duration)
        evidence.append(Evidence(code="mark.partial", segments=segments, values={"percent": share}))
    messages = {part.message for part in reading.segments if part.message is not None}
    if len(messages) > 1:
        evidence.append(
            Evidence(code="mark.several", segments=segments, values={"count": len(messages)})
        )
    return evidence
