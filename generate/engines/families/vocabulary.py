"""The words that the families learned, and those of a prompt that they did not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from vidigree.generate.engines.render.vocabulary import FILLER, LEXICON, phrase_at, words_of

__all__ = ["LONGEST_CAPTION", "CaptionReading", "Vocabulary"]

LONGEST_CAPTION: Final = 32
"""Words of a caption that are read; the rest is cut off."""


@dataclass(frozen=True, kw_only=True)
class CaptionReading:
    """What was understood of a prompt.

    Attributes:
        numbers: Numbers of the known words, 1 and up, at most 32.
        unknown: Words without a number, each once, in order.
        beyond: Words left away because the prompt is too long.
    """

    numbers: tuple[int, ...]
    unknown: tuple[str, ...]
    beyond: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """Words and their numbers: the first word is 1, 0 fills short captions up.

    Attributes:
        words: In order of their numbers.
    """

    words: tuple[str, ...]

    def read(self, prompt: str) -> CaptionReading:
        """Return the numbers of the words of a prompt.

        A word that was not learned is read as the renderer's main word for the same thing, if that
        was ("crimson" as "red"); function words that mean nothing to the renderer are passed over.
        Where one thing stands beside another ("left of") was not learned: its words are unknown
        together, as "left" alone is a direction.
        """
        known = {word: number for number, word in enumerate(self.words, start=1)}
        numbers: list[int] = []
        unknown: list[str] = []
        for word in _words_and_places(prompt):
            number = known.get(word) or known.get(_main_word(word))
            if number is not None:
                numbers.append(number)
            elif word not in FILLER and word not in unknown:
                unknown.append(word)
        beyond = [self.words[number - 1] for number in numbers[LONGEST_CAPTION:]]
        return CaptionReading(
            numbers=tuple(numbers[:LONGEST_CAPTION]), unknown=tuple(unknown), beyond=tuple(beyond)
        )


def _words_and_places(prompt: str) -> Iterator[str]:
    """Yield the words of a prompt, those that say a place beside something as one."""
    words = words_of(prompt)
    at = 0
    while at < len(words):
        phrase = phrase_at(words, at)
        told = [phrase] if LEXICON.get(phrase, ("", ""))[0] == "place" else phrase.split()
        yield from told
        at += len(phrase.split())


def _main_word(word: str) -> str:
    slot, value = LEXICON.get(word, ("", ""))
    return value if isinstance(value, str) and slot != "place" else ""
