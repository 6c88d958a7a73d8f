"""What a training clip shows, drawn at random from a part of the renderer's vocabulary.

The part is what a model of a few million weights can learn: one kind of thing at a time, ten
colours that lie apart, one motion. Some combinations are held out of training by a rule that needs
no list, so that a model is asked for what it never saw.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np

__all__ = [
    "COLOURS",
    "COUNTS",
    "DIRECTIONS",
    "GROUNDS",
    "LIGHTS",
    "MOTIONS",
    "SHAPES",
    "ClipFacts",
    "Split",
    "draw_facts",
]

Split = Literal["train", "held-out"]

SHAPES: Final = ("sphere", "cube", "cylinder", "cone")
COLOURS: Final = (
    "red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "white", "black",
)  # fmt: skip
COUNTS: Final = (1, 2, 3)
MOTIONS: Final = ("travel", "bounce", "fall", "spin", "float", "rest")
DIRECTIONS: Final = ("left", "right", "near", "far")
GROUNDS: Final = ("grass", "wood", "sand", "snow", "asphalt", "ice")
LIGHTS: Final = ("day", "sunset", "overcast", "night")

_SIZES: Final = ("", "small", "big")
_MATERIALS: Final = ("", "shiny", "metal")
# Shares of the values above.
_COUNT_SHARES: Final = (0.6, 0.22, 0.18)
_MOTION_SHARES: Final = (0.46, 0.16, 0.14, 0.06, 0.06, 0.12)
_DIRECTION_SHARES: Final = (0.38, 0.38, 0.12, 0.12)
_LIGHT_SHARES: Final = (0.52, 0.18, 0.15, 0.15)
_SIZE_SHARES: Final = (0.76, 0.10, 0.14)
_MATERIAL_SHARES: Final = (0.8, 0.12, 0.08)
# One combination in this many is held out.
_HELD_OUT_OF: Final = 10


@dataclass(frozen=True, kw_only=True)
class ClipFacts:
    """What one clip shows.

    Attributes:
        shape: One of :data:`SHAPES`.
        colour: One of :data:`COLOURS`.
        count: How many things, 1 to 3.
        motion: One of :data:`MOTIONS`; ``"travel"`` is rolling or sliding.
        direction: One of :data:`DIRECTIONS` if the motion is ``"travel"``, else ``""``.
        ground: One of :data:`GROUNDS`.
        light: One of :data:`LIGHTS`.
        size: ``""``, ``"small"`` or ``"big"``.
        material: ``""``, ``"shiny"`` or ``"metal"``.
    """

    shape: str
    colour: str
    count: int
    motion: str
    direction: str
    ground: str
    light: str
    size: str = ""
    material: str = ""

    @property
    def held_out(self) -> bool:
        """Whether this combination of shape, colour, motion and ground is kept from training."""
        text = f"{self.shape} {self.colour} {self.motion} {self.direction} {self.ground}"
        return hashlib.sha256(text.encode()).digest()[0] * _HELD_OUT_OF < 256

    @property
    def prompt(self) -> str:
        """The plain prompt from which the renderer draws these facts."""
        words = [str(self.count), self.size, self.material, self.colour]
        words.append(self.shape if self.count == 1 else f"{self.shape}s")
        words += [_VERBS[self.motion], _WHERE_TO.get(self.direction, "")]
        words += ["on", _FLOORS[self.ground], _SKIES[self.light]]
        return " ".join(word for word in words if word)

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON values."""
        return asdict(self)


_VERBS: Final = {
    "travel": "sliding",
    "bounce": "bouncing",
    "fall": "falling",
    "spin": "spinning",
    "float": "floating",
    "rest": "standing",
}
_WHERE_TO: Final = {
    "left": "to the left",
    "right": "to the right",
    "near": "towards the camera",
    "far": "away",
}
_FLOORS: Final = {
    "grass": "grass",
    "wood": "a wooden floor",
    "sand": "sand",
    "snow": "snow",
    "asphalt": "asphalt",
    "ice": "ice",
}
_SKIES: Final = {"day": "sunny", "sunset": "sunset", "overcast": "overcast", "night": "night"}


def draw_facts(rng: np.random.Generator, split: Split) -> ClipFacts:
    """Draw what a clip of ``split`` shows.

    Args:
        rng: Draws it.
        split: ``"train"`` leaves the held-out combinations away, ``"held-out"`` draws only those.
    """
    while True:
        facts = _draw(rng)
        if facts.held_out == (split == "held-out") and _can_be_seen(facts):
            return facts


def _draw(rng: np.random.Generator) -> ClipFacts:
    def pick(values: tuple[Any, ...], shares: tuple[float, ...] | None = None) -> Any:
        return values[int(rng.choice(len(values), p=shares))]

    motion = pick(MOTIONS, _MOTION_SHARES)
    return ClipFacts(
        shape=pick(SHAPES),
        colour=pick(COLOURS),
        count=pick(COUNTS, _COUNT_SHARES),
        motion=motion,
        direction=pick(DIRECTIONS, _DIRECTION_SHARES) if motion == "travel" else "",
        ground=pick(GROUNDS),
        light=pick(LIGHTS, _LIGHT_SHARES),
        size=pick(_SIZES, _SIZE_SHARES),
        material=pick(_MATERIALS, _MATERIAL_SHARES),
    )


def _can_be_seen(facts: ClipFacts) -> bool:
    """Whether a viewer could tell: round things spin unseen, black things vanish at night."""
    if facts.motion == "spin" and facts.shape != "cube":
        return False
    return not (facts.colour == "black" and facts.light == "night")
