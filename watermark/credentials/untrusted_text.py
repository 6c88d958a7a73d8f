"""Strings from other people's files: bounded in length and free of control characters.

Manifests, certificates and container tags are written by whoever made the file. Nothing here makes
them safe for HTML or a shell; whoever prints them there escapes them for that place.
"""

from __future__ import annotations

import unicodedata

__all__ = ["MAX_TEXT_LENGTH", "bounded_text"]

MAX_TEXT_LENGTH = 256
"""Characters kept of one string."""

# Cc control, Cf format (bidirectional overrides among them), Cs surrogates, Zl/Zp separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def bounded_text(value: object, limit: int = MAX_TEXT_LENGTH) -> str:
    """Return ``value`` as one line of printable text.

    Args:
        value: Anything; ``None`` becomes the empty string.
        limit: Characters kept, at least 1; a longer text ends with an ellipsis.
    """
    if value is None:
        return ""
    text = value if isinstance(value, str) else str(value)
    # Cut first: the rest must cost the same for a string of a gigabyte.
    cut = text[: 4 * limit]
    clean = "".join(" " if unicodedata.category(c) in _UNSAFE else c for c in cut)
    clean = " ".join(clean.split())
    if len(clean) > limit or len(text) > 4 * limit:
        return clean[: limit - 1] + "…"
    return clean
