"""From a prompt to what the scene should hold.

A small left-to-right grammar: adjectives wait for the noun they describe, a shape noun closes an
object phrase, a verb applies to the objects before it that have none yet (or, before any object, to
the next one). A place ("left of") joins the object before it with the next one named. Words
outside the vocabulary and words that end up nowhere are collected, never dropped silently.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from vidigree.generate.engines.render.adjectives import Adjectives, Strays
from vidigree.generate.engines.render.reading import ObjectPhrase, PromptReading, Relation
from vidigree.generate.engines.render.scenery import Scenery
from vidigree.generate.engines.render.tokens import tokens_of
from vidigree.generate.engines.render.vocabulary import LEXICON, PARTICLES

__all__ = ["read_prompt"]

# Arrangements side by side; more would not fit a picture.
_MOST_GROUPS: Final = 4
# Motions that end in a collision if something is in the way.
_CAN_HIT: Final = {"roll", "slide", "throw", "tumble", "bounce"}
# What comes in between leaves a place without what it is beside.
_ENDING: Final = ("camera", "direction", "into", "surface")
# What may stand between "on", "in", ... and the thing that they mean.
_BETWEEN: Final = ("count", "colour", "material", "pattern", "size", "arrangement")
_ON_THINGS: Final = ("in", "on", "onto", "over", "under")
# Motions of which another is a part.
_PARTS: Final = {
    "bounce": {"fall"}, "explode": {"throw", "fall"}, "rain": {"fall"}, "roll": {"spin"},
    "throw": {"spin", "fall"}, "topple": {"fall"}, "tumble": {"fall", "spin", "roll"},
}  # fmt: skip


def read_prompt(prompt: str) -> PromptReading:
    """Read a prompt.

    Args:
        prompt: English text; case and punctuation do not matter.

    Returns:
        What was understood, and the words that were not.

    Example:
        >>> reading = read_prompt("two red balls bouncing on a wooden floor")
        >>> reading.objects[0].count, reading.objects[0].colour, reading.ground
        (2, 'red', 'wood')
    """
    reader = _Reader()
    for slot, value, words in tokens_of(prompt):
        reader.take(slot, value, words)
    return reader.finish()


@dataclass
class _Reader:
    """The state of the grammar: adjectives that wait, objects that wait for a verb."""

    strays: Strays = field(default_factory=Strays)
    objects: list[ObjectPhrase] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    # the words of the token that is taken
    words: str = ""
    # a motion and a direction before what they are for, with their words
    early_motion: tuple[str, str] | None = None
    early_direction: tuple[str, str] | None = None
    # index of the first object that has no verb yet
    verbless_from: int = 0
    moved: range = field(default_factory=lambda: range(0))
    # objects that were said to move into what comes next
    aimed: range = field(default_factory=lambda: range(0))
    # objects of the latest noun, of which a place may tell
    latest: range = field(default_factory=lambda: range(0))
    # who stands beside what comes next, and whether its words were unknown once before
    beside: tuple[Relation, bool] | None = None
    # "on", "in", ... after a thing, right before another
    upon: str = ""
    # an unknown word came since: "left of a cat, a cube" is beside the cat
    strange: bool = False
    # how many arrangements of the same kind, "two towers of cubes"
    groups: int = 1

    def __post_init__(self) -> None:
        self.adjectives = Adjectives(self.strays)
        self.scenery = Scenery(self.adjectives, self.strays)

    def take(self, slot: str, value: object, words: str) -> None:
        self.words = words
        if slot in _ENDING:
            self.beside = None
        if slot == "count" and self.strange:
            self.beside = None
        self.strange = slot == "?" or (self.strange and slot not in ("count", "place"))
        if slot in ("ground", "surface") and self.upon == "under":
            self.strays.add("apart", self.upon)
        if slot not in (*_BETWEEN, "shape", "shape plural", "end"):
            self.upon = ""
        name = slot.replace(" ", "_").replace("?", "unknown")
        getattr(self, f"_on_{name}")(value)

    def finish(self) -> PromptReading:
        if self.early_motion and self.objects:
            self._move(*self.early_motion)
        elif self.early_motion:
            self.strays.add("unused", self.early_motion[1])
        if self.early_direction:
            self.strays.add("unused", self.early_direction[1])
        for slot in tuple(self.adjectives.said):
            self.adjectives.lose(slot)
        return PromptReading(
            objects=tuple(self.objects),
            relations=tuple(self.relations),
            unknown=tuple(self.unknown),
            unused=tuple(self.strays.unused),
            outdone=tuple(self.strays.outdone),
            unmet=tuple(self.strays.unmet),
            apart=tuple(self.strays.apart),
            **self.scenery.facts(),
        )

    def _on_colour(self, value: object) -> None:
        self.adjectives.wait("colour", value, self.words)

    def _on_count(self, value: object) -> None:
        # "a tower of five cubes": the number counts, the article does not take it back
        if value != 1 or "count" not in self.adjectives.waiting:
            self.adjectives.wait("count", value, self.words)

    def _on_size(self, value: object) -> None:
        slot = "proportion" if isinstance(value, str) else "size"
        self.adjectives.wait(slot, value, self.words)

    def _on_material(self, value: object) -> None:
        self.adjectives.wait_material(str(value), self.words)

    def _on_pattern(self, value: object) -> None:
        self.adjectives.wait("pattern", value, self.words)

    def _on_arrangement(self, value: object) -> None:
        # the article is the tower's; of "three stacked cubes" the number is the cubes'
        if self.adjectives.waiting.get("count") == 1:
            self.adjectives.take("count")
        self.adjectives.wait("arrangement", value, self.words)

    def _on_arranged(self, value: object) -> None:
        """Take "in a row" after the things that stand so."""
        if self.adjectives.waiting.get("count") == 1:
            self.adjectives.take("count")
        self.adjectives.lose_all()
        last = self.objects[-1] if len(self.latest) == 1 else None
        if last is None or last.arrangement or not (last.plural or (last.count or 1) > 1):
            self.strays.add("unmet", self.words)
            return
        said = {**last.said, "arrangement": self.words}
        self.objects[-1] = replace(last, arrangement=str(value), said=said)

    def _on_arrangement_plural(self, value: object) -> None:
        number, words = self.adjectives.take("count")
        self.groups = min(number or 2, _MOST_GROUPS)
        if (number or 2) > self.groups:
            self.strays.add("unmet", words)
        self.adjectives.wait("arrangement", value, self.words)

    def _on_shape(self, value: object) -> None:
        self._add_object(str(value), plural=False)

    def _on_shape_plural(self, value: object) -> None:
        self._add_object(str(value), plural=True)

    def _add_object(self, shape: str, *, plural: bool) -> None:
        told = self.adjectives
        phrase = ObjectPhrase(
            shape=shape,
            plural=plural,
            materials=tuple(told.materials),
            said=dict(told.said),
            **told.waiting,
        )
        groups = [replace(phrase) for _ in range(self.groups)]
        told.clear()
        self.groups = 1
        self._hit()
        self.strays.add("apart", self.upon)
        self.upon = ""
        self.objects += groups
        self.latest = range(len(self.objects) - len(groups), len(self.objects))
        self._relate()
        if self.early_motion is not None:
            self.verbless_from = self.latest.start
            self._move(*self.early_motion)
            if self.early_direction is not None:
                self._steer(*self.early_direction)
                self.early_direction = None

    def _hit(self) -> None:
        """Let who is on the way into what was just named collide with it."""
        for i in self.aimed:
            if self.objects[i].motion in _CAN_HIT:
                self.objects[i] = replace(self.objects[i], motion="collide")
            elif self.objects[i].motion != "collide":
                self.strays.add("apart", "into")
        self.aimed = range(0)

    def _on_place(self, value: object) -> None:
        words = str(value)
        twice = words in self.unknown
        self._on_unknown(words)  # until what it is beside of is named
        self.beside = None
        if self.latest:
            side, subjects = str(LEXICON[words][1]), tuple(self.latest)
            waits = Relation(words=words, side=side, subjects=subjects, references=())
            self.beside = (waits, twice)

    def _relate(self) -> None:
        """Join who waits beside something with the objects that were just named."""
        if self.beside is None:
            return
        waits, twice = self.beside
        self.relations.append(replace(waits, references=tuple(self.latest)))
        self._know(waits, twice)
        self.beside = None

    def _know(self, waits: Relation, twice: bool) -> None:
        """Take the words of a place back from the unknown ones, unless they were there before."""
        if not twice:
            self.unknown.remove(waits.words)

    def _on_end(self, value: object) -> None:  # noqa: ARG002
        self.beside = None
        if self.words in ("each", "it"):
            self.strays.add("apart", self.upon)
        self.upon = self.words if self.words in _ON_THINGS and self.objects else ""

    def _on_motion(self, value: object) -> None:
        # "a ball beside a rolling cube": the verb is the cube's
        if self.beside is None and self.verbless_from < len(self.objects):
            self._move(str(value), self.words)
            return
        motion, words = str(value), self.words
        if self.early_motion is not None:
            motion, words = self._joined(*self.early_motion, motion, words)
        self.early_motion = (motion, words)

    def _move(self, motion: str, words: str) -> None:
        self.moved = range(self.verbless_from, len(self.objects))
        if not self.moved:  # a second verb for the same objects: the later one wins
            self.moved = range(max(len(self.objects) - 1, 0), len(self.objects))
        for i in self.moved:
            old = self.objects[i]
            said = (motion, words)
            if old.motion is not None:
                said = self._joined(old.motion, old.said.get("motion", ""), motion, words)
            self.objects[i] = replace(old, motion=said[0], said={**old.said, "motion": said[1]})
        self.verbless_from = len(self.objects)
        self.early_motion = None

    def _joined(self, old: str, old_words: str, new: str, words: str) -> tuple[str, str]:
        """Return which of two motions a thing has, with its words: the one that has the other."""
        if new == old or new in _PARTS.get(old, ()):
            return old, old_words
        if old not in _PARTS.get(new, ()):
            self.strays.add("outdone", old_words)
        return new, words

    def _on_direction(self, value: object) -> None:
        if self.early_motion is not None and self.objects:
            self._move(*self.early_motion)
        if self.objects:
            self._steer(str(value), self.words)
        else:
            if self.early_direction is not None and self.early_direction[0] != value:
                self.strays.add("outdone", self.early_direction[1])
            self.early_direction = (str(value), self.words)

    def _steer(self, direction: str, words: str) -> None:
        for i in self.moved or range(len(self.objects)):
            old = self.objects[i]
            if old.direction not in (None, direction):
                self.strays.add("outdone", old.said["direction"])
            said = {**old.said, "direction": words}
            self.objects[i] = replace(old, direction=direction, said=said)

    def _on_particle(self, value: object) -> None:
        """Take "up", "around", ...: they go with some motions, and mean nothing with others."""
        motions = {self.objects[i].motion for i in self.moved}
        if self.early_motion is not None:
            motions = {self.early_motion[0]}
        if not motions or not motions <= PARTICLES[str(value)]:
            self.strays.add("unmet", self.words)

    def _on_background(self, value: object) -> None:  # noqa: ARG002
        self.adjectives.lose_all()
        self.strays.add("unmet", self.words)

    def _on_ground(self, value: object) -> None:
        self.aimed = range(0)
        self.scenery.take_ground(str(value), self.words)
        self.groups = 1

    def _on_surface(self, value: object) -> None:  # noqa: ARG002
        self.aimed = range(0)
        self.scenery.take_surface(self.words)
        self.groups = 1

    def _on_sky(self, value: object) -> None:
        if self.beside is not None and self.beside[0].side == "front":
            self._know(*self.beside)  # everything stands in front of the sky
        self.beside = None
        self.scenery.take_sky(str(value), self.words)
        self.groups = 1

    def _on_camera(self, value: object) -> None:
        self.scenery.take_camera(str(value), self.words)
        self.groups = 1

    def _on_physics(self, value: object) -> None:
        self.scenery.take_physics(str(value), self.words)

    def _on_into(self, value: object) -> None:  # noqa: ARG002
        """Remember who is on the way: "rolling into a cube" hits it, "into the snow" does not."""
        self.aimed = self.moved

    def _on_unknown(self, value: object) -> None:
        if value not in self.unknown:
            self.unknown.append(str(value))
