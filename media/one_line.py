"""Text of strangers: on a terminal, and in files that hold UTF-8."""

from __future__ import annotations

from vidigree.media.errors import UsageError

__all__ = ["check_utf8", "one_line"]


def check_utf8(what: str, text: str) -> None:
    """Refuse text that no UTF-8 file can hold, as arguments that are not UTF-8 become.

    Args:
        what: Named in the message, as the start of a sentence.
        text: The text.

    Raises:
        UsageError: It holds half a character.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{what} is not valid Unicode text: {error.reason}.", hint="Give it in UTF-8."
        ) from error


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
