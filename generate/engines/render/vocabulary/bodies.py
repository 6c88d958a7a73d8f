"""Words for bodies: how many, how large, of what, and how they stand together."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ARRANGEMENTS",
    "ARRANGEMENTS_IN_THE_PLURAL",
    "COUNTS",
    "MATERIALS",
    "PATTERNS",
    "PLURALS",
    "SHAPES",
    "SIZES",
]

COUNTS: Final = {
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

SIZES: Final = {
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

MATERIALS: Final = {
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

PATTERNS: Final = {
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
SHAPES: Final = {
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

PLURALS: Final = {
    "boxes": "box",
    "dominoes": "domino",
    "dominos": "domino",
    "marbles": "ball",
}

ARRANGEMENTS: Final = {
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

ARRANGEMENTS_IN_THE_PLURAL: Final = {
    "towers": "tower",
    "stacks": "tower",
    "piles": "pile",
    "heaps": "pile",
    "walls": "wall",
    "pyramids": "pyramid",
    "rows": "row",
    "lines": "row",
    "rings": "ring",
    "circles": "ring",
}
