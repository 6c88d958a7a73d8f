"""What the embedded model understands of a prompt.

Its vocabulary is the tokenizer's. Words of the renderer that mean the same as a word it was trained
on are replaced by that word, words without meaning for the picture are dropped, and whatever is
left over is named to the user.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vidigree.generate.engines.render.vocabulary import FILLER, LEXICON, phrase_at, words_of

__all__ = ["Wording", "known_words", "reword"]

# A prompt says nothing without one of these.
_SUBJECTS: Final = {"shape", "shape plural", "ground", "sky"}
_NOUNS: Final = {"shape", "shape plural"}


@dataclass(frozen=True)
class Wording:
    """A prompt in the words of the model.

    Attributes:
        text: The prompt for the model.
        unknown: Words it does not know, each once, in order.
        things: How many kinds of things are named.
        says_something: Whether it names a thing, a ground or a sky.
    """

    text: str
    unknown: tuple[str, ...]
    things: int
    says_something: bool


def known_words(model: Path) -> frozenset[str]:
    """Return the words that the tokenizer of a model folder knows."""
    row = json.loads((model / "tokenizer" / "tokenizer.json").read_text(encoding="utf-8"))
    return frozenset(word for word in row["model"]["vocab"] if not word.startswith("<"))


def reword(prompt: str, known: frozenset[str]) -> Wording:
    """Return ``prompt`` in words that the model was trained on.

    Args:
        prompt: English text.
        known: The model's words.
    """
    said: list[str] = []
    unknown: list[str] = []
    things, says_something = 0, False
    trained = _trained_phrases(known)
    for phrase in _phrases(prompt):
        slot, value = LEXICON.get(phrase, ("", None))
        if slot == "place":  # it learned one thing at a time; "left" alone would be a direction
            unknown.append(phrase)
            continue
        if all(word in known for word in phrase.split()):
            said.append(phrase)
        elif (slot, value) in trained:
            said.append(trained[slot, value])
        elif phrase not in FILLER:
            unknown.append(phrase)
            continue
        things += slot in _NOUNS
        says_something = says_something or slot in _SUBJECTS
    return Wording(" ".join(said), tuple(dict.fromkeys(unknown)), things, says_something)


def _trained_phrases(known: frozenset[str]) -> dict[tuple[str, object], str]:
    """Return, for every meaning that the model was trained on, a phrase for it."""
    phrases: dict[tuple[str, object], str] = {}
    for phrase, meaning in LEXICON.items():
        if all(word in known for word in phrase.split()):
            phrases.setdefault(meaning, phrase)
    return phrases


def _phrases(prompt: str) -> Iterator[str]:
    """Split a prompt into phrases of the renderer's vocabulary, longest first, and single words."""
    words = words_of(prompt)
    at = 0
    while at < len(words):
        phrase = phrase_at(words, at)
        yield phrase
        at += len(phrase.split())
