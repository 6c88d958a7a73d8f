"""Names of colours, and what they reflect."""

from __future__ import annotations

from typing import Final

__all__ = ["COLOURS", "COLOUR_SYNONYMS"]

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

COLOUR_SYNONYMS: Final = {
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
