"""Letters of one script that stand in for those of another."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["SHAPES", "disguised_letters", "look_alike"]

# A Latin letter, and Cyrillic and Greek ones that look like it in upper or in lower case.
_ROWS: Final = (
    *("aаα", "bвβь", "cсσ", "dԁ", "eеεєҽ", "gԍ", "hнһη", "iіιӏ", "jј", "kкκ", "lӏιі", "mмμ", "nην"),
    *("oоοө", "pрρ", "qԛ", "sѕ", "tтτ", "uυ", "vνѵ", "wωѡԝ", "xхχ", "yуүυγ", "zζ"),
)
_DEFAULT: Final = "LATIN"
_SCRIPTS: Final = frozenset({_DEFAULT, "CYRILLIC", "GREEK"})
_RUN: Final = re.compile(r"[\w\0]+")


def _shapes() -> dict[int, str]:
    shapes: dict[str, str] = {}
    for row in _ROWS:
        joined = {shapes[letter] for letter in row if letter in shapes}
        shapes |= {letter: row[0] for letter, shape in shapes.items() if shape in joined}
        shapes |= dict.fromkeys(row, row[0])
    return str.maketrans(shapes)


SHAPES: Final = _shapes()
"""Translates letters in lower case so that all that look alike, however remotely, are one."""


def look_alike(one: str, other: str) -> bool:
    """Say whether two letters in lower case, of two scripts, look alike."""
    return any(one in row and other in row for row in _ROWS) and _script(one) != _script(other)


def disguised_letters(text: str) -> list[bool]:
    """Return for each character of a text in lower case whether it may be meant as another.

    So are the letters of a word of two scripts, and of a word in a script of which no word of the
    text is beyond doubt: "сор" is a word beside "на полу", and a disguise beside "a movie about".
    Of Latin, of which nearly every letter has a double, that is a text with words of the others.
    """
    runs = [(found.span(), _scripts(found[0])) for found in _RUN.finditer(text)]
    certain = {
        script
        for (start, end), scripts in runs
        for script in scripts
        if len(scripts) == 1 and script != _DEFAULT and not _all_have_doubles(text[start:end])
    }
    certain = certain or {_DEFAULT}
    disguised = [False] * len(text)
    for (start, end), scripts in runs:
        if len(scripts) > 1 or not scripts <= certain:
            disguised[start:end] = [True] * (end - start)
    return disguised


def _all_have_doubles(word: str) -> bool:
    return all(ord(letter) in SHAPES for letter in word if letter.isalpha())


def _scripts(word: str) -> set[str]:
    return {_script(letter) for letter in word} & _SCRIPTS


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
