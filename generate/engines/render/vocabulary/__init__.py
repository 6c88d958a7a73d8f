"""The words that the renderer understands."""

from vidigree.generate.engines.render.vocabulary.colours import COLOURS
from vidigree.generate.engines.render.vocabulary.lexicon import (
    FILLER,
    LEXICON,
    known_words,
    listed,
    words_of,
)

__all__ = ["COLOURS", "FILLER", "LEXICON", "known_words", "listed", "words_of"]
