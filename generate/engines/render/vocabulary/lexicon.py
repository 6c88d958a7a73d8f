"""All words in one table: each maps to a slot of the scene and a value.

Phrases of several words are matched before single words. Words without meaning for the picture
("a", "the", "video of") are listed too, so that every other word can be named as unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from vidigree.generate.engines.render.vocabulary.bodies import (
    ARRANGEMENTS,
    ARRANGEMENTS_IN_THE_PLURAL,
    COUNTS,
    MATERIALS,
    PATTERNS,
    PLURALS,
    SHAPES,
    SIZES,
)
from vidigree.generate.engines.render.vocabulary.colours import (
    COLOUR_SYNONYMS,
    COLOURS,
)
from vidigree.generate.engines.render.vocabulary.motion import (
    DIRECTIONS,
    MOTIONS,
    PHYSICS,
)
from vidigree.generate.engines.render.vocabulary.places import PLACES
from vidigree.generate.engines.render.vocabulary.surroundings import (
    CAMERAS,
    GROUNDS,
    SKIES,
    SURFACES,
)

__all__ = [
    "FILLER",
    "LEXICON",
    "denials",
    "known_words",
    "listed",
    "not_drawn",
    "phrase_at",
]

Slot = str
# Unknown words that a note names.
_NAMED: Final = 12

_FILLER: Final = """
    the of on in onto into over with and from is are at it its that which while as to by up
    down for this there then around other another each against together across along under
    video clip movie animation footage scene shot film view camera render rendering rendered
    showing shows seen viewed background front next being gets off very bright
    light lit soft realistic photorealistic cinematic beautiful detailed high quality 3d 4k hd
    colored coloured color colour sun smooth smoothly gently air s
"""

FILLER: Final = frozenset(_FILLER.split())

_DENIALS: Final = frozenset(
    ("no", "not", "without", "zero", "0", "never", "neither", "nor", "non", "cannot")
)


def _build() -> dict[str, tuple[Slot, object]]:
    lexicon: dict[str, tuple[Slot, object]] = {}

    def put(slot: Slot, words: Iterable[tuple[str, object]]) -> None:
        for word, value in words:
            if word in lexicon:
                raise AssertionError(f"{word!r} stands in two tables")
            lexicon[word] = (slot, value)

    put("colour", ((word, word) for word in COLOURS))
    put("colour", COLOUR_SYNONYMS.items())
    put("count", COUNTS.items())
    put("count", ((str(n), n) for n in range(1, 31)))
    put("size", SIZES.items())
    put("material", MATERIALS.items())
    put("pattern", PATTERNS.items())
    put("shape", SHAPES.items())
    plurals = {f"{word}s": value for word, value in SHAPES.items() if f"{word}s" not in lexicon}
    plurals |= {plural: SHAPES[word] for plural, word in PLURALS.items()}
    put("shape plural", plurals.items())
    put("motion", MOTIONS.items())
    put("direction", DIRECTIONS.items())
    put("place", PLACES.items())
    put("arrangement", ARRANGEMENTS.items())
    put("arrangement plural", ARRANGEMENTS_IN_THE_PLURAL.items())
    put("ground", GROUNDS.items())
    put("surface", ((word, word) for word in SURFACES))
    put("sky", SKIES.items())
    put("camera", CAMERAS.items())
    put("physics", PHYSICS.items())
    return lexicon


LEXICON: Final = _build()

# Words of the longest entry.
_LONGEST: Final = max(len(words.split()) for words in LEXICON)


def phrase_at(words: Sequence[str], at: int) -> str:
    """Return the longest phrase of the vocabulary that begins at a word, else that word alone."""
    for length in range(min(_LONGEST, len(words) - at), 1, -1):
        phrase = " ".join(words[at : at + length])
        if phrase in LEXICON:
            return phrase
    return words[at]


def listed(words: Sequence[str]) -> str:
    """Return unknown words as a message names them: quoted, the first dozen at most."""
    named = ", ".join(repr(word[:40]) for word in words[:_NAMED])
    return named if len(words) <= _NAMED else f"{named} and {len(words) - _NAMED} more words"


def denials(unknown: Sequence[str]) -> tuple[str, ...]:
    """Return those of unknown words that deny what comes next: "no", "zero", "isn't"."""
    return tuple(word for word in unknown if word in _DENIALS or word.endswith("n't"))


def not_drawn(unknown: Sequence[str]) -> list[str]:
    """Return what an engine has to say of unknown words, each sentence without its subject."""
    denied = denials(unknown)
    others = [word for word in unknown if word not in denied]
    told = [f"does not know {listed(others)}; drawn without."] if others else []
    if denied:
        told.append(
            f"does not understand {listed(denied)}; what is denied is drawn all the same."
            " Name only what the clip should show."
        )
    return told


def known_words() -> dict[str, list[str]]:
    """Return the vocabulary by slot, for documentation and error messages."""
    slots: dict[str, list[str]] = {}
    for word, (slot, _) in LEXICON.items():
        slots.setdefault(slot, []).append(word)
    return {slot: sorted(words) for slot, words in slots.items()}
