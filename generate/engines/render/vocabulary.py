"""The words that the renderer understands: each maps to a slot of the scene and a value.

Phrases of several words are matched before single words. Words without meaning for the picture
("a", "the", "video of") are listed too, so that every other word can be named as unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["COLOURS", "FILLER", "LEXICON", "Slot", "known_words"]

Slot = str

# Linear RGB albedo.
COLOURS: Final[dict[str, tuple[float, float, float]]] = {
    "red": (0.62, 0.025, 0.02),
    "orange": (0.85, 0.21, 0.015),
    "yellow": (0.86, 0.58, 0.03),
    "green": (0.03, 0.33, 0.055),
    "lime": (0.33, 0.66, 0.04),
    "teal": (0.01, 0.28, 0.27),
    "cyan": (0.03, 0.55, 0.68),
    "blue": (0.02, 0.09, 0.58),
    "navy": (0.01, 0.02, 0.16),
    "purple": (0.22, 0.03, 0.42),
    "magenta": (0.62, 0.02, 0.36),
    "pink": (0.86, 0.28, 0.42),
    "brown": (0.21, 0.085, 0.03),
    "beige": (0.66, 0.52, 0.35),
    "white": (0.86, 0.86, 0.84),
    "grey": (0.26, 0.26, 0.27),
    "black": (0.018, 0.018, 0.02),
    "gold": (0.94, 0.60, 0.17),
    "silver": (0.86, 0.86, 0.88),
    "copper": (0.86, 0.36, 0.20),
}

_COLOUR_SYNONYMS: Final = {
    "crimson": "red",
    "scarlet": "red",
    "golden": "gold",
    "violet": "purple",
    "indigo": "purple",
    "turquoise": "teal",
    "aqua": "cyan",
    "gray": "grey",
    "tan": "beige",
    "cream": "beige",
    "rose": "pink",
    "fuchsia": "magenta",
    "bronze": "copper",
    "emerald": "green",
    "light blue": "cyan",
    "sky blue": "cyan",
    "dark blue": "navy",
    "light green": "lime",
    "dark green": "green",
    "dark red": "red",
    "silvery": "silver",
}

_COUNTS: Final = {
    "a": 1,
    "an": 1,
    "one": 1,
    "single": 1,
    "two": 2,
    "pair": 2,
    "couple": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "dozen": 12,
    "few": 3,
    "several": 5,
    "some": 4,
    "many": 12,
    "lots": 12,
}

_SIZES: Final = {
    "tiny": 0.45,
    "little": 0.65,
    "small": 0.65,
    "big": 1.4,
    "large": 1.4,
    "huge": 1.8,
    "giant": 1.8,
    "tall": "tall",
    "short": "short",
    "flat": "flat",
    "long": "long",
}

_MATERIALS: Final = {
    "matte": "matte",
    "chalk": "matte",
    "clay": "matte",
    "rubber": "rubber",
    "plastic": "plastic",
    "shiny": "glossy",
    "glossy": "glossy",
    "polished": "glossy",
    "metal": "metal",
    "metallic": "metal",
    "steel": "metal",
    "chrome": "mirror",
    "mirror": "mirror",
    "mirrored": "mirror",
    "wooden": "wood",
    "wood": "wood",
    "stone": "marble",
    "glowing": "glowing",
    "bright": "glossy",
    "neon": "glowing",
    "heavy": "heavy",
    "bouncy": "bouncy",
}

_PATTERNS: Final = {
    "striped": "striped",
    "stripes": "striped",
    "stripy": "striped",
    "checkered": "checkered",
    "checkerboard": "checkered",
    "chequered": "checkered",
    "chessboard": "checkered",
    "checked": "checkered",
    "dotted": "dotted",
    "spotted": "dotted",
    "dots": "dotted",
    "polka dot": "dotted",
    "plain": "plain",
}

# shape name and preset adjectives that the noun brings along
_SHAPES: Final = {
    "ball": "sphere",
    "sphere": "sphere",
    "orb": "sphere",
    "globe": "sphere",
    "bead": "sphere",
    "cube": "cube",
    "box": "cube",
    "block": "cube",
    "crate": "crate",
    "dice": "dice",
    "die": "dice",
    "brick": "brick",
    "plank": "plank",
    "domino": "domino",
    "cylinder": "cylinder",
    "can": "can",
    "tin": "can",
    "barrel": "barrel",
    "column": "column",
    "pillar": "column",
    "coin": "coin",
    "disc": "coin",
    "disk": "coin",
    "puck": "coin",
    "cone": "cone",
    "traffic cone": "traffic cone",
    "basketball": "basketball",
    "football": "football",
    "soccer ball": "football",
    "tennis ball": "tennis ball",
    "beach ball": "beach ball",
    "bowling ball": "bowling ball",
    "marble ball": "marble ball",
    "planet": "planet",
}

_PLURALS: Final = {"boxes": "box", "dominoes": "domino", "dominos": "domino"}

_MOTIONS: Final = {
    "bounce": "bounce",
    "bouncing": "bounce",
    "bounces": "bounce",
    "hop": "bounce",
    "hopping": "bounce",
    "jump": "bounce",
    "jumping": "bounce",
    "dribbling": "bounce",
    "fall": "fall",
    "falling": "fall",
    "falls": "fall",
    "drop": "fall",
    "drops": "fall",
    "dropped": "fall",
    "dropping": "fall",
    "landing": "fall",
    "raining": "rain",
    "rain down": "rain",
    "pouring": "rain",
    "tumble": "tumble",
    "tumbling": "tumble",
    "tumbles": "tumble",
    "roll": "roll",
    "rolls": "roll",
    "rolling": "roll",
    "slide": "slide",
    "slides": "slide",
    "sliding": "slide",
    "moving": "slide",
    "moves": "slide",
    "move": "slide",
    "gliding": "slide",
    "spin": "spin",
    "spins": "spin",
    "spinning": "spin",
    "rotating": "spin",
    "turning": "spin",
    "twirling": "spin",
    "orbiting": "orbit",
    "circling": "orbit",
    "orbit": "orbit",
    "floating": "hover",
    "floats": "hover",
    "hovering": "hover",
    "levitating": "hover",
    "drifting": "hover",
    "flying": "throw",
    "thrown": "throw",
    "tossed": "throw",
    "launched": "throw",
    "colliding": "collide",
    "collide": "collide",
    "crashing": "collide",
    "hitting": "collide",
    "collapsing": "topple",
    "collapse": "topple",
    "toppling": "topple",
    "falling over": "topple",
    "topple": "topple",
    "knocked over": "topple",
    "knocking over": "topple",
    "hit by": "topple",
    "hit": "topple",
    "exploding": "explode",
    "explode": "explode",
    "scattering": "explode",
    "bursting": "explode",
    "standing": "rest",
    "resting": "rest",
    "lying": "rest",
    "sitting": "rest",
    "still": "rest",
}

_DIRECTIONS: Final = {
    "left": "left",
    "leftward": "left",
    "leftwards": "left",
    "right": "right",
    "rightward": "right",
    "rightwards": "right",
    "forward": "near",
    "forwards": "near",
    "closer": "near",
    "towards us": "near",
    "towards the camera": "near",
    "toward the camera": "near",
    "away": "far",
    "backwards": "far",
    "into the distance": "far",
}

_ARRANGEMENTS: Final = {
    "stack": "tower",
    "stacked": "tower",
    "tower": "tower",
    "pile": "pile",
    "heap": "pile",
    "wall": "wall",
    "pyramid": "pyramid",
    "row": "row",
    "line": "row",
    "ring": "ring",
    "circle": "ring",
}

_GROUNDS: Final = {
    "parquet": "wood",
    "grass": "grass",
    "lawn": "grass",
    "meadow": "grass",
    "garden": "grass",
    "tiles": "tile",
    "tiled": "tile",
    "tile": "tile",
    "bathroom": "tile",
    "kitchen": "tile",
    "sand": "sand",
    "sandy": "sand",
    "beach": "sand",
    "desert": "sand",
    "concrete": "concrete",
    "asphalt": "asphalt",
    "street": "asphalt",
    "road": "asphalt",
    "pavement": "concrete",
    "snow": "snow",
    "snowy": "snow",
    "ice": "ice",
    "carpet": "carpet",
    "rug": "carpet",
    "marble": "marble",
    "mirror floor": "gloss",
}

_SURFACES: Final = ("floor", "ground", "table", "surface", "board", "field", "plane")

_SKIES: Final = {
    "sky": "day",
    "skies": "day",
    "day": "day",
    "daylight": "day",
    "sunny": "day",
    "sunshine": "day",
    "sunlight": "day",
    "noon": "day",
    "morning": "morning",
    "sunrise": "sunset",
    "dawn": "sunset",
    "sunset": "sunset",
    "dusk": "sunset",
    "evening": "sunset",
    "golden hour": "sunset",
    "cloudy": "cloudy",
    "clouds": "cloudy",
    "overcast": "overcast",
    "grey sky": "overcast",
    "foggy": "overcast",
    "night": "night",
    "moonlight": "night",
    "starry": "night",
    "stars": "night",
    "studio": "studio",
    "indoors": "studio",
    "indoor": "studio",
    "room": "studio",
    "white background": "studio",
    "dark background": "dark",
    "black background": "dark",
    "spotlight": "dark",
}

_CAMERAS: Final = {
    "static camera": "static",
    "fixed camera": "static",
    "orbiting camera": "orbit",
    "camera orbiting": "orbit",
    "camera orbits": "orbit",
    "camera circling": "orbit",
    "rotating camera": "orbit",
    "camera pans left": "pan left",
    "camera pans right": "pan right",
    "panning left": "pan left",
    "panning right": "pan right",
    "panning": "pan right",
    "camera pans": "pan right",
    "zooming in": "zoom in",
    "zooms in": "zoom in",
    "zoom in": "zoom in",
    "dolly in": "zoom in",
    "zooming out": "zoom out",
    "zooms out": "zoom out",
    "zoom out": "zoom out",
    "dolly out": "zoom out",
    "bird's eye view": "top",
    "bird's eye": "top",
    "birds eye view": "top",
    "top down": "top",
    "from above": "top",
    "overhead": "top",
    "aerial": "top",
    "low angle": "low",
    "from below": "low",
    "close up": "close",
    "closeup": "close",
    "macro": "close",
    "wide shot": "wide",
    "wide angle": "wide",
    "from far away": "wide",
}

_PHYSICS: Final = {
    "slow motion": "slow",
    "slowly": "slow",
    "slow": "slow",
    "fast": "fast",
    "quickly": "fast",
    "moon": "moon",
    "low gravity": "moon",
    "zero gravity": "weightless",
    "weightless": "weightless",
    "in space": "weightless",
}

_FILLER: Final = """
    the of on in onto into over with and from is are at it its that which while as to by up
    down for this there then around other another each against together across along under
    video clip movie animation footage scene shot film view camera render rendering rendered
    showing shows background front behind beside next being gets off very bright light lit
    soft realistic photorealistic cinematic beautiful detailed high quality 3d 4k hd colored
    coloured color colour sun smooth smoothly gently air s
"""

FILLER: Final = frozenset(_FILLER.split())


def _build() -> dict[str, tuple[Slot, object]]:
    lexicon: dict[str, tuple[Slot, object]] = {}

    def put(slot: Slot, words: Iterable[tuple[str, object]]) -> None:
        for word, value in words:
            if word in lexicon:
                raise AssertionError(f"{word!r} stands in two tables")
            lexicon[word] = (slot, value)

    put("colour", ((word, word) for word in COLOURS))
    put("colour", _COLOUR_SYNONYMS.items())
    put("count", _COUNTS.items())
    put("count", ((str(n), n) for n in range(1, 31)))
    put("size", _SIZES.items())
    put("material", _MATERIALS.items())
    put("pattern", _PATTERNS.items())
    put("shape", _SHAPES.items())
    plurals = {f"{word}s": value for word, value in _SHAPES.items() if f"{word}s" not in lexicon}
    plurals |= {plural: _SHAPES[word] for plural, word in _PLURALS.items()}
    put("shape plural", plurals.items())
    put("motion", _MOTIONS.items())
    put("direction", _DIRECTIONS.items())
    put("arrangement", _ARRANGEMENTS.items())
    put("ground", _GROUNDS.items())
    put("surface", ((word, word) for word in _SURFACES))
    put("sky", _SKIES.items())
    put("camera", _CAMERAS.items())
    put("physics", _PHYSICS.items())
    return lexicon


LEXICON: Final = _build()


def known_words() -> dict[str, list[str]]:
    """Return the vocabulary by slot, for documentation and error messages."""
    slots: dict[str, list[str]] = {}
    for word, (slot, _) in LEXICON.items():
        slots.setdefault(slot, []).append(word)
    return {slot: sorted(words) for slot, words in slots.items()}
