"""Finds refused terms in prompts, in whatever dress Unicode has for their letters.

docs/generate.md tells what is found and what is not.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Final

from vidigree.generate.look_alikes import SHAPES, disguised_letters, look_alike

__all__ = ["Prose", "Term", "read_prose", "read_term"]

_GAP: Final = "\0"
"""Stands for characters that are not seen and may part words; one of them itself."""

_WITHIN: Final = frozenset(
    map(
        chr,
        (
            *(0x00AD, 0x034F, 0x2060, 0x180B, 0x180C, 0x180D, 0x180F),
            *(*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)),
        ),
    )
)
"""Soft hyphen, joiners, what chooses a glyph's variant: they part no words."""

# Of other classes than formats and controls: fillers, and what Unicode keeps free for more of them.
_UNSEEN: Final = frozenset(
    map(
        chr,
        (
            *(0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
            *(*range(0xE0000, 0xE1000), 0x2065, *range(0xFFF0, 0xFFF9)),
        ),
    )
)
_SAME: Final = str.maketrans("ɑɡٱکیىہ", "agاكييه", "\u0640")
"""Letters that look like another of the same script, and mostly are it on another keyboard; and
what only makes an Arabic word longer, which is left out."""

_SHORT_I: Final = ("и", "\u0306")
"""What makes й, a letter of its own and no и with an accent."""

_OF_NAMES: Final = frozenset("™℠®©")
"""Signs that stand beside a name and are no part of it; Unicode takes the first two for letters."""

_DRESSED: Final = re.compile(r"LATIN (?:CAPITAL |SMALL )?LETTER (?:SMALL CAPITAL )?([A-Z])$")
"""Names of small capitals and of letters in circles, squares and brackets."""

_KANA: Final = frozenset({"HIRAGANA", "KATAKANA"})
_UNSPACED: Final = frozenset({"CJK", "KHMER", "LAO", "MYANMAR", "THAI"})
"""Scripts that put no spaces between words, by the first word of their letters' names."""

_VOICING: Final = frozenset({"\u3099", "\u309a"})
"""What makes other kana of kana, of either kind."""

_KANA_MARKS: Final = _VOICING | {"ー"}
"""That, and what makes a vowel longer."""

_STACKING: Final = frozenset({"\u1039", "\u17d2"})
"""What puts the next letter below the last one, in Burmese and in Khmer."""


@dataclass(frozen=True)
class Prose:
    """Text in one dress.

    Attributes:
        letters: In lower case, one space between words, a zero where something is not seen.
        marks: The accents, strokes and points on each of them.
        disguised: Whether each may be meant as one that it looks like.
        places: Where those are that can be seen.
        shapes: What those look like.
    """

    letters: str
    marks: tuple[frozenset[str], ...]
    disguised: tuple[bool, ...]
    places: tuple[int, ...]
    shapes: str


@dataclass(frozen=True)
class Term:
    """A word or phrase to look for.

    Attributes:
        letters: Its letters, without spaces.
        marks: The accents that each of them must have.
        starts: Which of them begin a word.
        shapes: What they look like.
    """

    letters: str
    marks: tuple[frozenset[str], ...]
    starts: frozenset[int]
    shapes: str

    def stands_in(self, prose: Prose) -> bool:
        """Say whether the term is a word, or words, of the text."""
        first = prose.shapes.find(self.shapes)
        while first >= 0:
            if self._is(prose, prose.places[first : first + len(self.shapes)]):
                return True
            first = prose.shapes.find(self.shapes, first + 1)
        return False

    def _is(self, prose: Prose, places: tuple[int, ...]) -> bool:
        text = prose.letters
        if not (_parts(text, places[0]) and _parts(text, places[-1] + 1)):
            return False
        for number, (before, after) in enumerate(pairwise(places), start=1):
            between = text[before + 1 : after]
            if (not between) if number in self.starts else (" " in between):
                return False
        return all(
            (text[place] == letter or (prose.disguised[place] and look_alike(text[place], letter)))
            and marks <= prose.marks[place]
            for place, letter, marks in zip(places, self.letters, self.marks, strict=True)
        )


def read_prose(text: str) -> Prose:
    """Return text in one dress."""
    letters, marks = _undressed(text)
    places = _seen(letters)
    shapes = "".join(letters[place] for place in places).translate(SHAPES)
    return Prose(letters, marks, tuple(disguised_letters(letters)), places, shapes)


@lru_cache(maxsize=1 << 14)
def read_term(text: str) -> Term | None:
    """Return what to look for; ``None`` if there is nothing to be seen in the text."""
    letters, marks = _undressed(text)
    seen = _seen(letters)
    if not seen:
        return None
    spelled = "".join(letters[place] for place in seen)
    starts = (n for n, (one, two) in enumerate(pairwise(seen), 1) if " " in letters[one:two])
    return Term(
        spelled,
        tuple(_telling(letters[place], marks[place]) for place in seen),
        frozenset(starts),
        spelled.translate(SHAPES),
    )


def _seen(letters: str) -> tuple[int, ...]:
    return tuple(place for place, one in enumerate(letters) if one not in {_GAP, " "})


def _undressed(text: str) -> tuple[str, tuple[frozenset[str], ...]]:
    """Return the letters of a text in one dress, and the marks on each."""
    plain = _decomposed("".join(map(_bare, text)))
    plain = _decomposed(plain.casefold()).translate(_SAME)
    letters, marks = [" "], [frozenset[str]()]
    for one in plain:
        if one in _WITHIN:
            continue
        if _is_mark(one):
            place = next(n for n in range(len(letters) - 1, -1, -1) if letters[n] != _GAP)
            if (letters[place], one) == _SHORT_I:
                letters[place] = unicodedata.normalize("NFC", "".join(_SHORT_I))
            else:
                marks[place] |= {one}
            continue
        letter = " " if one.isspace() else _GAP if _is_unseen(one) else one
        if letter not in {" ", _GAP} or letters[-1] != letter:
            letters.append(letter)
            marks.append(frozenset())
    return "".join(letters), tuple(marks)


def _decomposed(text: str) -> str:
    """Return a text in form NFKD: what Python does, which orders n marks in n * n steps."""
    if text.isascii():
        return text
    parts = "".join([unicodedata.normalize("NFKD", one) for one in text])
    return "".join(
        "".join(sorted(run, key=unicodedata.combining))
        for _, run in groupby(parts, key=lambda one: unicodedata.combining(one) > 0)
    )


def _bare(character: str) -> str:
    """Return a character, or the letter that it is in a frame, or the mark without its space.

    Of a sign beside a name, the space between that and the next word is left.
    """
    if character in _WITHIN or _is_unseen(character) or character.isascii():
        return character
    if character in _OF_NAMES:
        return " "
    name = unicodedata.name(character, "")
    if name.startswith("ARABIC "):
        return unicodedata.normalize("NFKD", character).removeprefix(" ")
    dressed = None if _is_mark(character) else _DRESSED.search(name)
    return dressed[1] if dressed else character


def _is_mark(character: str) -> bool:
    """Say whether a character is an accent, stroke, point or frame that makes no other letter.

    Vowel signs of Indic scripts and the voicing of Japanese kana do make one.
    """
    kind = unicodedata.combining(character)
    return kind == 1 or 10 <= kind <= 36 or kind >= 200 or unicodedata.category(character) == "Me"


def _telling(letter: str, marks: frozenset[str]) -> frozenset[str]:
    """Return the marks without which a letter of a term is another: accents, except of Greek.

    Greek capitals have none, and Arabic and Hebrew are mostly written without.
    """
    if _script(letter) not in {"LATIN", "CYRILLIC"}:
        return frozenset()
    return frozenset(mark for mark in marks if unicodedata.combining(mark) >= 200)


def _parts(text: str, place: int) -> bool:
    """Say whether a word ends, and another may begin, at a place of a text in one dress.

    Vowel signs and viramas are no letters to Python, unlike what they are signs of; marks of
    another script than what is beside them make no word of it. Of scripts that put no spaces
    between words, a word may end with a sign, and none begins with one.
    """
    if place == len(text):
        return True
    both = before, after = text[place - 1], text[place]
    if not all(_is_sign(one) or one.isalnum() for one in both):
        return True
    scripts = {_script_at(text, place - 1), _script_at(text, place)}
    spaced = not scripts & _UNSPACED
    signed = _is_sign(before) and before not in _KANA_MARKS
    if _is_sign(after) or before in _STACKING or (spaced and signed):
        return len(scripts) == 2
    return not spaced or (len(scripts) == 2 and bool(scripts & _KANA))


def _is_sign(character: str) -> bool:
    return unicodedata.category(character) in {"Mc", "Mn"} and not _is_mark(character)


def _script_at(text: str, place: int) -> str:
    """Return the script of a character; a mark of kana is of the script that it stands in."""
    while place and text[place] in _KANA_MARKS:
        place -= 1
    return _script(text[place])


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


def _is_unseen(character: str) -> bool:
    """Say whether a character is not seen by itself: formats, controls, selectors."""
    if character in _UNSEEN:
        return True
    return unicodedata.category(character) in {"Cf", "Cc"} and not character.isspace()
