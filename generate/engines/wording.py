"""What a small trained model understands of a prompt.

Words of the renderer that mean the same as a word it was trained on are replaced by that word,
words without meaning for the picture are dropped, and whatever is left over is named to the user.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from vidigree.generate.engines.render.vocabulary import FILLER, LEXICON, phrase_at, words_of

__all__ = ["Wording", "reword"]

# A prompt says nothing without one of these.
_SUBJECTS: Final = {"shape", "shape plural", "ground", "sky"}
_NOUNS: Final = ("shape", "shape plural")
# The models saw one of each in a clip.
_ONE: Final = ("motion", "direction", "ground", "sky")
# Words that are true of every sky.
_ANY_SKY: Final = ("sky", "skies", "day")


@dataclass(frozen=True)
class Wording:
    """A prompt in the words of the model.

    Attributes:
        text: The prompt for the model.
        unknown: Words it does not know, each once, in order.
        several: Words for things, motions, directions, grounds or skies, where it names more than
            one of these, in order, each once.
        says_something: Whether it names a thing, a ground or a sky.
    """

    text: str
    unknown: tuple[str, ...]
    several: tuple[str, ...]
    says_something: bool


def reword(prompt: str, known: frozenset[str]) -> Wording:
    """Return ``prompt`` in words that the model was trained on.

    Args:
        prompt: English text.
        known: The model's words.
    """
    said: list[str] = []
    unknown: list[str] = []
    understood: list[str] = []
    trained = _trained_phrases(known)
    for phrase in _phrases(prompt):
        slot, value = LEXICON.get(phrase, ("", None))
        if slot == "place":  # they learned one thing at a time; "left" alone would be a direction
            unknown.append(phrase)
            continue
        if all(word in known for word in phrase.split()):
            said.append(phrase)
        elif (slot, value) in trained:
            said.append(trained[slot, value])
        elif phrase not in FILLER:
            unknown.append(phrase)
            continue
        understood.append(phrase)
    slots = [LEXICON.get(phrase, ("",))[0] for phrase in understood]
    return Wording(
        text=" ".join(said),
        unknown=tuple(dict.fromkeys(unknown)),
        several=_several(understood),
        says_something=any(slot in _SUBJECTS for slot in slots),
    )


def _several(phrases: Sequence[str]) -> tuple[str, ...]:
    """Return the phrases of which the models saw one in a clip, where there are several."""
    meanings: dict[str, list[object]] = {}
    for phrase in phrases:
        slot, value = LEXICON.get(phrase, ("", None))
        if slot in _NOUNS:
            meanings.setdefault("thing", []).append(len(meanings.get("thing", ())))
        elif slot in _ONE and phrase not in _ANY_SKY:
            meanings.setdefault(slot, []).append(value)
    many = [slot for slot, values in meanings.items() if len(set(values)) > 1]
    told = [
        phrase
        for phrase in phrases
        for slot in [LEXICON.get(phrase, ("",))[0]]
        if ("thing" if slot in _NOUNS else slot) in many and phrase not in _ANY_SKY
    ]
    return tuple(dict.fromkeys(told))


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
