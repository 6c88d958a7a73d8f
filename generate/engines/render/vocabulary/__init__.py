"""The words that the renderer understands."""

from vidigree.generate.engines.render.vocabulary.colours import COLOURS
from vidigree.generate.engines.render.vocabulary.lexicon import (
    FILLER,
    LEXICON,
    LONGEST_PHRASE,
    known_words,
    listed,
    words_of,
)

__all__ = ["COLOURS", "FILLER", "LEXICON", "LONGEST_PHRASE", "known_words", "listed", "words_of"]
