"""The words that the families learned, and those of a prompt that they did not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vidigree.generate.engines.render.vocabulary import FILLER, LEXICON, words_of

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
        """
        known = {word: number for number, word in enumerate(self.words, start=1)}
        numbers: list[int] = []
        unknown: list[str] = []
        for word in words_of(prompt):
            number = known.get(word) or known.get(_main_word(word))
            if number is not None:
                numbers.append(number)
            elif word not in FILLER and word not in unknown:
                unknown.append(word)
        beyond = [self.words[number - 1] for number in numbers[LONGEST_CAPTION:]]
        return CaptionReading(
            numbers=tuple(numbers[:LONGEST_CAPTION]), unknown=tuple(unknown), beyond=tuple(beyond)
        )


def _main_word(word: str) -> str:
    value = LEXICON.get(word, ("", ""))[1]
    return value if isinstance(value, str) else ""
