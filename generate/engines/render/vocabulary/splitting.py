"""Splits a prompt into words: of letters in any script, of digits, and of emoji."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["words_of"]

# What one character is to a word: d digit, w letter, m mark on what comes before, a apostrophe,
# p point or comma, r half a flag, s symbol, o neither.
_WORDS: Final = re.compile(r"(?<![wdm])d+(?:pd+)+(?![wdm])|[wda][wdma]*|rr|[rs]m*")
# Marks of trade beside a name show nothing.
_PLAIN: Final = {"'": "a", ".": "p", ",": "p", "®": "o", "©": "o", "™": "o", "℠": "o"}
# Symbols of mathematics, money and all else; what has no name in this Python may be newer emoji.
_SHOWN: Final = ("Sm", "Sc", "So", "Cn", "Co")
_FLAGS: Final = ("\U0001f1e6", "\U0001f1ff")
_SKINS: Final = ("\U0001f3fb", "\U0001f3ff")


def words_of(prompt: str) -> list[str]:
    """Return the words of a prompt in any script, lower case, without punctuation.

    A number with a point or comma inside is one word: "3.5" is neither three nor five. Emoji and
    arrows are words, each by itself; a person of several joined ones is several.
    """
    text = unicodedata.normalize("NFC", prompt.lower().replace("’", "'"))
    kinds = "".join(map(_kind, text))
    return [text[found.start() : found.end()] for found in _WORDS.finditer(kinds)]


def _kind(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    if character.isdecimal():
        return "d"
    if character.isalnum():
        return "w"
    if _FLAGS[0] <= character <= _FLAGS[1]:
        return "r"
    category = unicodedata.category(character)
    if category[0] == "M" or _SKINS[0] <= character <= _SKINS[1]:
        return "m"
    # Those of ASCII, such as + and =, and accents without a letter are punctuation to people.
    return "s" if category in _SHOWN and not character.isascii() else "o"
