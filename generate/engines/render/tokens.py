"""Splits a prompt into the phrases that the grammar takes, each with what it is for."""

from __future__ import annotations

from typing import Final

from vidigree.generate.engines.render.vocabulary import (
    FILLER,
    LEXICON,
    PARTICLES,
    phrase_at,
    words_of,
)

__all__ = ["tokens_of"]

_ADJECTIVES: Final = ("colour", "material", "size", "pattern")
_UPON: Final = ("on", "onto", "over", "across", "along", "upon", "under", "of")
# After a place they end the wait for what it is beside: "left of it", "next to each other".
_ENDS: Final = (
    "and", "at", "camera", "each", "for", "from", "in", "is", "it", "its", "on", "onto", "over",
    "scene", "that", "there", "under", "view", "which", "while", "with",
)  # fmt: skip


def tokens_of(prompt: str) -> list[tuple[str, object, str]]:
    """Split into (slot, value, words), longest phrases first; unknown words get slot ``"?"``."""
    words = words_of(prompt)
    tokens: list[tuple[str, object, str]] = []
    at = 0
    while at < len(words):
        if _is_toy(words, at):
            tokens.append((*LEXICON["ball"], "ball"))
            at += 1
            continue
        phrase = phrase_at(words, at)
        if phrase == "behind" and words[at - 1 : at] == ["from"]:
            tokens.append(("?", "from behind", phrase))  # where the camera stands
        elif _is_in_arrangement(words, at):
            tokens.append(("arranged", LEXICON[phrase][1], phrase))
        elif phrase in LEXICON:
            slot, value = LEXICON[phrase]
            tokens.append((slot, phrase if slot == "place" else value, phrase))
        elif phrase not in FILLER:
            tokens.append(("?", phrase, phrase))
        elif phrase in PARTICLES:
            tokens.append(("particle", phrase, phrase))
        elif phrase == "background":
            tokens.append((phrase, None, phrase))
        elif phrase == "into":
            tokens.append(("into", None, phrase))
        elif phrase in _ENDS:
            tokens.append(("end", None, phrase))
        at += len(phrase.split())
    return tokens


def _is_toy(words: list[str], at: int) -> bool:
    """Whether a "marble" is the toy, and not what something moves upon: it moves itself."""

    def slot(place: int) -> str:
        return LEXICON.get(words[place], ("", None))[0] if 0 <= place < len(words) else ""

    if words[at] != "marble" or slot(at + 1) != "motion":
        return False
    before = at - 1
    while slot(before) in _ADJECTIVES:
        before -= 1
    return before < 0 or words[before] not in _UPON


def _is_in_arrangement(words: list[str], at: int) -> bool:
    """Whether a "row" says how the things before it stand: "three cubes in a row"."""
    if LEXICON.get(words[at], ("",))[0] != "arrangement" or words[at + 1 : at + 2] == ["of"]:
        return False
    before = words[:at]
    return before[-1:] == ["in"] or before[-2:] in (["in", "a"], ["in", "one"], ["in", "the"])
