"""From nouns and adjectives to geometry and material."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from vidigree.generate.engines.render.reading import ObjectPhrase
from vidigree.generate.engines.render.scene import Colour, Material
from vidigree.generate.engines.render.shapes import Box, Cone, Cylinder, Shape, Sphere
from vidigree.generate.engines.render.vocabulary import COLOURS

__all__ = ["Look", "has_proportions", "look_of", "pattern_of"]

# Usual radius of a ball in metres; every other size follows from it.
UNIT: Final = 0.45
# Colours given to objects whose colour the prompt leaves open.
_OPEN_COLOURS: Final = ("red", "blue", "yellow", "green", "orange", "purple", "teal", "pink")


@dataclass(frozen=True, kw_only=True)
class _Noun:
    """What a shape noun brings along."""

    form: str
    size: float = 1.0
    colour: str | None = None
    accent: str | None = None
    pattern: str = "plain"
    material: str | None = None
    proportion: tuple[float, float, float] = (1.0, 1.0, 1.0)
    # Hollow things weigh less than their material says.
    fill: float = 1.0


_NOUNS: Final[dict[str, _Noun]] = {
    "sphere": _Noun(form="sphere"),
    "cube": _Noun(form="box", size=0.85),
    "cylinder": _Noun(form="cylinder", proportion=(0.8, 1.0, 0.8)),
    "cone": _Noun(form="cone", proportion=(1.0, 1.1, 1.0)),
    "crate": _Noun(form="box", colour="brown", material="wood"),
    "dice": _Noun(form="box", size=0.7, colour="white", accent="black", pattern="dotted"),
    "brick": _Noun(form="box", colour="red", proportion=(1.0, 0.42, 0.5), material="matte"),
    "plank": _Noun(form="box", colour="brown", proportion=(1.6, 0.12, 0.4), material="wood"),
    "domino": _Noun(form="box", size=0.8, proportion=(0.22, 1.1, 0.55)),
    "can": _Noun(form="cylinder", size=0.8, colour="silver", material="metal", fill=0.08),
    "barrel": _Noun(form="cylinder", size=1.2, colour="brown", material="wood", fill=0.5),
    "column": _Noun(form="cylinder", colour="white", proportion=(0.55, 2.0, 0.55)),
    "coin": _Noun(form="cylinder", colour="gold", material="metal", proportion=(0.9, 0.13, 0.9)),
    "traffic cone": _Noun(form="cone", colour="orange", accent="white", pattern="striped"),
    "basketball": _Noun(form="sphere", colour="orange", accent="black", pattern="seams"),
    "football": _Noun(form="sphere", colour="white", accent="black", pattern="dotted"),
    "tennis ball": _Noun(form="sphere", size=0.6, colour="lime", accent="white", pattern="seams"),
    "beach ball": _Noun(form="sphere", size=1.2, colour="red", accent="white", pattern="striped"),
    "bowling ball": _Noun(form="sphere", colour="navy", material="heavy"),
    "marble ball": _Noun(form="sphere", colour="white", accent="grey", pattern="marble"),
    "planet": _Noun(form="sphere", size=1.3, colour="blue", accent="beige", pattern="marble"),
}


@dataclass(frozen=True, kw_only=True)
class Look:
    """Geometry, material and the physical manners that go with them.

    Attributes:
        shape: Geometry.
        material: Looks.
        density: Relative to the usual body.
        restitution: Share of the closing speed kept in a bounce; ``None`` leaves it to the motion.
    """

    shape: Shape
    material: Material
    density: float = 1.0
    restitution: float | None = field(default=None)


def look_of(phrase: ObjectPhrase, scale: float, rng: np.random.Generator) -> Look:
    """Return what one object of ``phrase`` looks like.

    Args:
        phrase: The words.
        scale: Factor on all sizes, so that many objects fit.
        rng: Chooses what the words leave open.
    """
    noun = _NOUNS[phrase.shape]
    shape = _geometry(noun, phrase, UNIT * noun.size * phrase.size * scale)
    colour = phrase.colour or noun.colour or str(rng.choice(_OPEN_COLOURS))
    accent = noun.accent or ("white" if colour not in ("white", "silver", "beige") else "blue")
    look = Look(
        shape=shape,
        material=Material(
            colour=COLOURS[colour],
            accent=COLOURS[accent],
            pattern=pattern_of(phrase),
        ),
    )
    if colour in ("gold", "silver", "copper") and not phrase.materials and noun.material is None:
        look = _made_of(look, "metal")
    for word in (noun.material, *phrase.materials):
        if word is not None:
            look = _made_of(look, word, keep_colour=phrase.colour is not None)
    if phrase.pattern and phrase.pattern != look.material.pattern:
        # wood and stone bring veins along; what the prompt says stands above them
        look = replace(look, material=replace(look.material, pattern=phrase.pattern))
    return replace(look, density=look.density * noun.fill)


def pattern_of(phrase: ObjectPhrase) -> str:
    """Return the pattern that objects of ``phrase`` have: its own, or that of the noun."""
    return phrase.pattern or _NOUNS[phrase.shape].pattern


def has_proportions(phrase: ObjectPhrase) -> bool:
    """Return whether things of this shape can be tall, flat, ...: all but balls."""
    return _NOUNS[phrase.shape].form != "sphere"


def _geometry(noun: _Noun, phrase: ObjectPhrase, unit: float) -> Shape:
    px, py, pz = noun.proportion
    stretch = {"tall": (1, 1.7, 1), "short": (1, 0.6, 1), "flat": (1.1, 0.35, 1.1)}
    stretch["long"] = (1.7, 1, 1) if noun.form == "box" else (1, 1.7, 1)
    sx, sy, sz = stretch.get(phrase.proportion or "", (1, 1, 1))
    x, y, z = unit * px * sx, unit * py * sy, unit * pz * sz
    if noun.form == "box":
        return Box((x, y, z))
    if noun.form == "cylinder":
        return Cylinder(x, y)
    if noun.form == "cone":
        return Cone(x, 2 * y)
    return Sphere(unit)


_BROWN: Final[Colour] = (0.36, 0.185, 0.075)


def _made_of(look: Look, word: str, *, keep_colour: bool = True) -> Look:
    """Return ``look`` made of another material."""
    material = look.material
    if word in _MANNERS:
        changes, density, restitution = _MANNERS[word]
        return replace(
            look,
            material=replace(material, **changes),
            density=density,
            restitution=restitution if restitution is not None else look.restitution,
        )
    own: Colour = {"mirror": COLOURS["silver"], "wood": _BROWN, "marble": COLOURS["white"]}[word]
    colour = material.colour if keep_colour else own
    if word == "mirror":
        return replace(look, material=replace(material, colour=colour, gloss=1.0, metallic=1.0))
    if word == "wood":
        dark: Colour = (0.55 * colour[0], 0.45 * colour[1], 0.4 * colour[2])
        wooden = replace(material, colour=colour, accent=dark, pattern="wood", gloss=0.15)
        return replace(look, material=wooden, density=0.7)
    veined = replace(material, colour=colour, accent=COLOURS["grey"], pattern="marble", gloss=0.7)
    return replace(look, material=veined, density=2.0)


# word -> changes of the material, density, restitution (None keeps it)
_MANNERS: Final[dict[str, tuple[dict[str, Any], float, float | None]]] = {
    "bouncy": ({}, 1.0, 0.9),
    "glossy": ({"gloss": 0.9}, 1.0, None),
    "glowing": ({"gloss": 0.1, "glow": 1.3}, 1.0, None),
    "heavy": ({"gloss": 0.8}, 6.0, None),
    "matte": ({"gloss": 0.03}, 1.0, None),
    "metal": ({"gloss": 0.8, "metallic": 0.75}, 3.0, None),
    "plastic": ({"gloss": 0.5}, 1.0, None),
    "rubber": ({"gloss": 0.12}, 1.0, 0.85),
}
