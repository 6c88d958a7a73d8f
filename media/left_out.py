"""What is in a file beside its picture and its sound, and does not come along."""

from __future__ import annotations

from collections import Counter
from typing import Any

import av

__all__ = ["left_out"]

_NAMES = {"video": "further video track", "attachment": "attachment"}

# Written by muxers about themselves; everything else somebody may have wanted to say.
_OF_THE_FILE = frozenset({
    "major_brand", "minor_version", "compatible_brands", "encoder", "software", "duration",
    "handler_name", "creation_time", "vendor_id", "encoded_by", "hw", "loop", "bps",
})  # fmt: skip
_MOST_NAMED = 3
_LONGEST = 30


def left_out(source: Any, video: Any) -> tuple[str, ...]:
    """Say in a sentence what is in a container beside picture and sound, if anything is.

    Args:
        source: The open container.
        video: The stream that comes along.
    """
    attached = av.stream.Disposition.attached_pic
    kinds = Counter(
        "cover picture"
        if stream.disposition & attached
        else _NAMES.get(stream.type, f"{stream.type} track")
        for stream in source.streams
        if stream.type != "audio" and stream.index != video.index
    )
    chapters = len(source.chapters())
    if chapters:
        kinds["chapter"] = chapters
    counts = [f"{count} {kind}{'s' * (count > 1)}" for kind, count in sorted(kinds.items())]
    tags = _tags(source.metadata)
    if tags:
        more = ", ..." if len(tags) > _MOST_NAMED else ""
        named = ", ".join(tag[:_LONGEST] for tag in tags[:_MOST_NAMED])
        counts.append(f"{len(tags)} tag{'s' * (len(tags) > 1)} ({named}{more})")
    if not counts:
        return ()
    return (f"Left out, as only picture and sound are carried over: {', '.join(counts)}.",)


def _tags(metadata: Any) -> list[str]:
    """Return the names of tags about the content; each once, whatever languages it is in."""
    keys = (key for key, value in metadata.items() if value.strip())
    named = {key.split("-")[0] for key in keys}
    return sorted(key for key in named if key and key.lower() not in _OF_THE_FILE)
