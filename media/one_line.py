"""Text of strangers on a terminal: one line, and nothing in it that steers the terminal."""

from __future__ import annotations

__all__ = ["one_line"]


def one_line(text: str) -> str:
    """Return text as one line, with control and direction characters escaped.

    File names may hold escape sequences that clear a screen, and characters that turn the rest of
    a line round (Unicode Standard Annex 9); as escapes they can be read.
    """
    words = " ".join(text.split())
    return "".join(
        character
        if character.isprintable() or "\ud800" <= character <= "\udfff"
        else character.encode("unicode_escape").decode()
        for character in words
    )
