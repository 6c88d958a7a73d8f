"""Captions: many wordings for the same facts, all in words that the renderer reads alike."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from vidigree.generate.training.facts import ClipFacts

__all__ = ["caption_of", "caption_words"]

_NOUNS: Final = {
    "sphere": ("ball", "ball", "sphere", "orb"),
    "cube": ("cube", "cube", "box", "block"),
    "cylinder": ("cylinder",),
    "cone": ("cone",),
}
_PLURALS: Final = {"box": "boxes"}
_COLOURS: Final = {
    "red": ("red", "red", "crimson", "scarlet"),
    "cyan": ("cyan", "light blue", "aqua"),
    "purple": ("purple", "violet"),
    "pink": ("pink", "rose"),
    "green": ("green", "emerald"),
}
_COUNTS: Final = {1: ("a", "a", "one", "a single"), 2: ("two", "two", "2"), 3: ("three", "3")}
_SIZES: Final = {"small": ("small", "little"), "big": ("big", "large", "huge")}
_MATERIALS: Final = {"shiny": ("shiny", "glossy", "polished"), "metal": ("metal", "metallic")}
_ROLLING: Final = ("rolling", "rolling", "rolls", "moving")
_SLIDING: Final = ("sliding", "sliding", "slides", "moving", "gliding")
_VERBS: Final = {
    "bounce": ("bouncing", "bouncing", "jumping", "hopping"),
    "fall": ("falling", "falling", "dropping"),
    "spin": ("spinning", "rotating", "turning"),
    "float": ("floating", "hovering", "levitating"),
    "rest": ("standing", "standing still", "resting", "lying"),
}
_WAYS: Final = {
    "left": ("to the left", "left", "leftwards"),
    "right": ("to the right", "right", "rightwards"),
    "near": ("towards the camera", "closer", "forwards"),
    "far": ("away", "into the distance"),
}
_GROUNDS: Final = {
    "grass": ("on grass", "on the lawn", "in a meadow", "on the grass"),
    "wood": ("on a wooden floor", "on parquet", "on a wooden table"),
    "sand": ("on sand", "on the beach", "in the desert"),
    "snow": ("on snow", "in the snow", "on snowy ground"),
    "asphalt": ("on asphalt", "on the road", "on a street"),
    "ice": ("on ice", "on the ice"),
}
_LIGHTS: Final = {
    "day": ("on a sunny day", "in sunshine", "in daylight", "under a blue sky"),
    "sunset": ("at sunset", "in the evening", "at dusk"),
    "overcast": ("under a grey sky", "on an overcast day"),
    "night": ("at night", "in moonlight", "under the stars"),
}
_FRAMES: Final = ("{}", "{}", "{}", "a video of {}", "a clip of {}")
# Share of captions that leave a fact open.
_UNSAID_DAY, _UNSAID_GROUND, _UNSAID_COLOUR, _UNSAID_REST = 0.6, 0.06, 0.04, 0.4
_LIGHT_FIRST: Final = 0.2


def caption_of(facts: ClipFacts, rng: np.random.Generator) -> str:
    """Return one of many captions for ``facts``.

    What is usual (daylight, standing still) is often left unsaid, ground and colour seldom.

    Args:
        facts: What the clip shows.
        rng: Chooses the words.
    """

    def one(words: tuple[str, ...]) -> str:
        return words[int(rng.integers(len(words)))]

    things = [one(_COUNTS[facts.count])]
    things += [one(_SIZES[facts.size])] if facts.size else []
    things += [one(_MATERIALS[facts.material])] if facts.material else []
    if rng.random() >= _UNSAID_COLOUR:
        things.append(one(_COLOURS.get(facts.colour, (facts.colour,))))
    noun = one(_NOUNS[facts.shape])
    things.append(noun if facts.count == 1 else _PLURALS.get(noun, f"{noun}s"))
    if things[0] == "a" and things[1][0] in "aeo":
        things[0] = "an"
    if facts.motion == "travel":
        things.append(one(_ROLLING if facts.shape == "sphere" else _SLIDING))
        things.append(one(_WAYS[facts.direction]))
    elif facts.motion != "rest" or rng.random() >= _UNSAID_REST:
        things.append(one(_VERBS[facts.motion]))
    if rng.random() >= _UNSAID_GROUND:
        things.append(one(_GROUNDS[facts.ground]))
    text = one(_FRAMES).format(" ".join(things))
    light = one(_LIGHTS[facts.light])
    if facts.light == "day" and rng.random() < _UNSAID_DAY:
        return text
    return f"{light}, {text}" if rng.random() < _LIGHT_FIRST else f"{text} {light}"


def caption_words() -> tuple[str, ...]:
    """Return every word that a caption can hold, sorted."""
    tables: tuple[dict[str, tuple[str, ...]], ...] = (
        _NOUNS, _COLOURS, _SIZES, _MATERIALS, _VERBS, _WAYS, _GROUNDS, _LIGHTS,
    )  # fmt: skip
    texts = [text for table in tables for wordings in table.values() for text in wordings]
    texts += [text for wordings in _COUNTS.values() for text in wordings]
    texts += ["an", *_ROLLING, *_SLIDING, *_COLOUR_NAMES, *_FRAMES, *_PLURALS.values()]
    texts += [f"{noun}s" for nouns in _NOUNS.values() for noun in nouns if noun not in _PLURALS]
    return tuple(sorted({word for text in texts for word in re.findall(r"[a-z0-9]+", text)}))


_COLOUR_NAMES: Final = ("orange", "yellow", "blue", "white", "black")
