"""The words that the renderer understands."""

from vidigree.generate.engines.render.vocabulary.colours import COLOURS
from vidigree.generate.engines.render.vocabulary.lexicon import (
    FILLER,
    LEXICON,
    denials,
    known_words,
    listed,
    not_drawn,
    phrase_at,
    words_of,
)

__all__ = [
    "COLOURS",
    "FILLER",
    "LEXICON",
    "denials",
    "known_words",
    "listed",
    "not_drawn",
    "phrase_at",
    "words_of",
]
