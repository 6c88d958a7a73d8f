"""The words that the families learned, and those of a prompt that they did not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vidigree.generate.engines.wording import Wording, reword

__all__ = ["LONGEST_CAPTION", "CaptionReading", "Vocabulary"]

LONGEST_CAPTION: Final = 32
"""Words of a caption that are read; the rest is cut off."""


@dataclass(frozen=True, kw_only=True)
class CaptionReading:
    """What was understood of a prompt.

    Attributes:
        numbers: Numbers of the known words, 1 and up, at most 32.
        wording: The prompt in known words, and those that are not.
    """

    numbers: tuple[int, ...]
    wording: Wording


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
        wording = reword(prompt, frozenset(self.words))
        number = {word: place for place, word in enumerate(self.words, start=1)}
        numbers = tuple(number[word] for word in wording.text.split()[:LONGEST_CAPTION])
        return CaptionReading(numbers=numbers, wording=wording)
