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
)
from vidigree.generate.engines.render.vocabulary.motion import PARTICLES
from vidigree.generate.engines.render.vocabulary.splitting import words_of

__all__ = [
    "COLOURS",
    "FILLER",
    "LEXICON",
    "PARTICLES",
    "denials",
    "known_words",
    "listed",
    "not_drawn",
    "phrase_at",
    "words_of",
]
