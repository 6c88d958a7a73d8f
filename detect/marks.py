"""The mark layer: says which pixel marks of known keys were found where."""

from __future__ import annotations

from collections.abc import Sequence

from vidigree.detect.evidence import Evidence, Segment
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.method import MarkReading

__all__ = ["mark_evidence"]

_WHOLE = 0.9
"""A mark that covers at least this share of the time of the clip counts as covering all of it."""


def mark_evidence(
    readings: Sequence[MarkReading], *, duration: float | None = None
) -> list[Evidence]:
    """Turn mark readings into evidence.

    Args:
        readings: One reading for every mark, and one for a method that found none.
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
    evidence = [piece for reading in found for piece in _one_mark(reading, duration)]
    messages = {reading.message for reading in found}
    messages |= {part.message for reading in found for part in reading.segments}
    messages.discard(None)
    if len(messages) > 1:
        segments = sorted(
            (segment for reading in found for segment in _segments(reading)),
            key=lambda segment: segment.start,
        )
        count = {"count": len(messages)}
        evidence.append(Evidence(code="mark.several", segments=tuple(segments), values=count))
    return evidence


def _segments(reading: MarkReading) -> tuple[Segment, ...]:
    return tuple(Segment(start=part.start, end=part.end) for part in reading.segments)


def _one_mark(reading: MarkReading, duration: float | None) -> list[Evidence]:
    if reading.message is None:
        code = "mark.presence-only"
    elif reading.key_id == PUBLISHED_KEY.key_id:
        code = "mark.found-published-key"
    else:
        code = "mark.found"
    segments = _segments(reading)
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
    return evidence
