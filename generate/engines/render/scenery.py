"""Ground, sky, view and physics of a prompt, and which of their words do not hold together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from vidigree.generate.engines.render.adjectives import Adjectives, Strays

__all__ = ["Scenery"]

_KIND_OF_GROUND: Final = {"wood": "wood", "marble": "marble", "glossy": "gloss", "mirror": "gloss"}
# Grounds that shine by themselves.
_SHINING: Final = ("wood", "checker", "tile", "marble", "ice", "gloss")
# A colour of the sky by day makes another sky of it; of others none is to be seen.
_SKY_BY_COLOUR: Final = {
    "grey": "overcast", "white": "overcast", "black": "night", "navy": "night", "red": "sunset",
    "orange": "sunset", "pink": "sunset", "purple": "sunset", "gold": "sunset", "blue": "day",
    "cyan": "day",
}  # fmt: skip
# Words that are true of every sky, and those indoors that say nothing of a background.
_ANY_SKY: Final = ("sky", "skies", "day")
_ANY_ROOM: Final = ("room", "indoor", "indoors", "studio")
# Skies of which one picture shows both.
_TOGETHER: Final = (
    {"day", "morning"}, {"day", "sunset"}, {"cloudy", "morning"}, {"cloudy", "sunset"},
    {"morning", "sunset"}, {"cloudy", "overcast"},
)  # fmt: skip
# What one word of the camera or of physics leaves no room for.
_KINDS: Final = {
    "pan left": "pan", "pan right": "pan", "zoom in": "zoom", "zoom out": "zoom", "top": "height",
    "low": "height", "close": "distance", "wide": "distance", "slow": "speed", "fast": "speed",
    "moon": "gravity", "weightless": "gravity", "low gravity": "gravity", "space": "gravity",
}  # fmt: skip
_MOVES: Final = ("orbit", "pan left", "pan right", "zoom in", "zoom out")


@dataclass
class Scenery:
    """What is around the things.

    Attributes:
        adjectives: Those that wait when a noun of the surroundings comes.
        strays: Told of words that do not hold together with others.
    """

    adjectives: Adjectives
    strays: Strays
    ground: str | None = None
    ground_colour: str | None = None
    sky: str | None = None
    camera: list[str] = field(default_factory=list)
    physics: list[str] = field(default_factory=list)
    # the words of what was taken last, by kind
    said: dict[str, str] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """Return the fields of ``PromptReading`` that this fills."""
        return {
            "ground": self.ground,
            "ground_colour": self.ground_colour,
            "sky": self.sky,
            "camera": tuple(self.camera),
            "physics": tuple(self.physics),
        }

    def take_ground(self, kind: str, words: str) -> None:
        """Take a ground with the adjectives before it."""
        if self.ground not in (None, "plain") and kind == "plain":
            kind = str(self.ground)
        elif self.ground not in (None, "plain", kind):
            self.strays.add("outdone", self.said["ground"])
        self._keep_materials(kind)
        colour, named = self.adjectives.take("colour")
        if colour is not None:
            if self.ground_colour not in (None, colour):
                self.strays.add("outdone", self.said["ground colour"])
            self.ground_colour, self.said["ground colour"] = str(colour), named
        self.ground, self.said["ground"] = kind, words
        if self.adjectives.waiting.get("pattern") == "plain":
            self.adjectives.take("pattern")
        self.adjectives.lose_all()

    def take_surface(self, words: str) -> None:
        """Take a floor, a table, ...: of what it is, the adjectives before it say."""
        told = self.adjectives
        kinds = [_KIND_OF_GROUND[each] for each in told.materials if each in _KIND_OF_GROUND]
        if told.waiting.get("pattern") == "checkered":
            words = told.take("pattern")[1]
            self.take_ground("checker", words)
        elif kinds:
            # of a shiny wooden floor the wood counts
            kind = next((each for each in kinds if each != "gloss"), kinds[-1])
            material = next(each for each in told.materials if _KIND_OF_GROUND.get(each) == kind)
            self.take_ground(kind, told.said[f"material {material}"])
        else:
            if self.ground not in (None, "plain"):
                words = self.said["ground"]
            self.take_ground(self.ground or "plain", words)

    def _keep_materials(self, kind: str) -> None:
        """Take materials that a ground of this kind shows anyway from those that wait."""
        for material in tuple(self.adjectives.materials):
            own = _KIND_OF_GROUND.get(material)
            if own == kind or (own == "gloss" and kind in _SHINING):
                self.adjectives.said.pop(f"material {material}", None)

    def take_sky(self, sky: str, words: str) -> None:
        """Take a sky, a time of day, a room, ... with the adjectives before it."""
        known = self.sky
        if sky == "day":
            sky = self._coloured_day()
        if sky == "day" and words in _ANY_SKY:
            sky = known or sky
        elif sky == "studio" and known == "dark" and words in _ANY_ROOM:
            sky = known
        elif sky == "day" and known is not None and known != sky:
            if {sky, known} not in _TOGETHER:
                self.strays.add("outdone", words)
            sky = known
        elif known not in (None, sky) and {sky, known} not in _TOGETHER:
            generic = self.said["sky"] in (*_ANY_SKY, *_ANY_ROOM)
            self.strays.add("outdone", "" if generic else self.said["sky"])
        if sky != known:
            self.sky, self.said["sky"] = sky, words
        self.adjectives.said.pop("material glossy", None)  # skies are bright
        self.adjectives.lose_all()

    def _coloured_day(self) -> str:
        if self.adjectives.waiting.get("colour") not in _SKY_BY_COLOUR:
            return "day"
        return _SKY_BY_COLOUR[self.adjectives.take("colour")[0]]

    def take_camera(self, move: str, words: str) -> None:
        """Take a word of the camera with the adjectives before it."""
        self._outdo(self.camera, move)
        self.camera.append(move)
        self.said[move] = words
        if "static" in self.camera and any(each in _MOVES for each in self.camera):
            self.strays.add("outdone", self.said["static"])
        self.adjectives.lose_all()

    def take_physics(self, law: str, words: str) -> None:
        """Take a word of physics; it is for the whole scene."""
        self._outdo(self.physics, law)
        self.physics.append(law)
        self.said[law] = words

    def _outdo(self, before: list[str], value: str) -> None:
        """Name the words before that leave no room for a value, or rather it for them."""
        for each in before:
            alike = {each, value} in ({"moon", "low gravity"}, {"space", "weightless"})
            if each != value and not alike and _KINDS.get(each, each) == _KINDS.get(value):
                self.strays.add("outdone", self.said[each])
