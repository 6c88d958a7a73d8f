"""From a prompt to what the scene should hold.

A small left-to-right grammar: adjectives wait for the noun they describe, a shape noun closes an
object phrase, a verb applies to the objects before it that have none yet (or, before any object, to
the next one). A place ("left of") joins the object before it with the next one named. Words
outside the vocabulary are collected, never dropped silently.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from vidigree.generate.engines.render.vocabulary import FILLER, LEXICON, phrase_at, words_of

__all__ = ["ObjectPhrase", "PromptReading", "Relation", "read_prompt"]

_ADJECTIVES = ("colour", "material", "size", "pattern")
_UPON = ("on", "onto", "over", "across", "along", "upon", "under", "of")
# After a place they end the wait for what it is beside: "left of it", "next to each other".
_ARTICLES = ("a", "an")
_ENDS = (
    "and", "at", "camera", "each", "for", "from", "in", "is", "it", "its", "on", "onto", "over",
    "scene", "that", "there", "under", "view", "which", "while", "with",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ObjectPhrase:
    """One group of alike objects.

    Attributes:
        shape: Noun of :mod:`vocabulary`, e.g. ``"sphere"`` or ``"basketball"``.
        count: How many; ``None`` lets the arrangement or the plural decide.
        plural: Whether the noun was in the plural.
        colour: Colour name; ``None`` leaves it to the noun or to chance.
        size: Factor on the usual size.
        proportion: ``"tall"``, ``"short"``, ``"flat"``, ``"long"`` or ``None``.
        materials: Material words, in order.
        pattern: Pattern name or ``None``.
        arrangement: ``"tower"``, ``"row"``, ... or ``None``; every tower of "two towers of cubes"
            is a phrase of its own.
        motion: Motion name; ``None`` if no verb was given.
        direction: ``"left"``, ``"right"``, ``"near"``, ``"far"`` or ``None``.
    """

    shape: str
    count: int | None = None
    plural: bool = False
    colour: str | None = None
    size: float = 1.0
    proportion: str | None = None
    materials: tuple[str, ...] = ()
    pattern: str | None = None
    arrangement: str | None = None
    motion: str | None = None
    direction: str | None = None


@dataclass(frozen=True, kw_only=True)
class Relation:
    """Where objects stand beside others, as the camera sees them at first.

    Attributes:
        words: How the prompt says it, e.g. ``"to the left of"``.
        side: ``"left"``, ``"right"``, ``"beside"`` (either of them), ``"behind"`` or ``"front"``.
        subjects: Numbers of the phrases that stand there, from 0 in order of mention.
        references: Numbers of the phrases that they stand beside, all after the subjects.
    """

    words: str
    side: str
    subjects: tuple[int, ...]
    references: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class PromptReading:
    """What a prompt asks for.

    Attributes:
        objects: Object phrases in order of mention.
        ground: Ground kind or ``None``.
        ground_colour: Colour of the ground or ``None``.
        sky: Sky name or ``None``.
        camera: Camera words, in order.
        physics: ``"slow"``, ``"fast"``, ``"moon"``, ``"weightless"``, in order.
        relations: Where objects stand beside others, in order of mention.
        unknown: Words outside the vocabulary, and places without a thing before or after them, in
            order, each once.
        unused: Words of the vocabulary that describe nothing, as no noun comes after them ("the
            ball is red") or another of their kind comes before it ("red and blue balls"), in order.
    """

    objects: tuple[ObjectPhrase, ...] = ()
    ground: str | None = None
    ground_colour: str | None = None
    sky: str | None = None
    camera: tuple[str, ...] = ()
    physics: tuple[str, ...] = ()
    relations: tuple[Relation, ...] = ()
    unknown: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    @property
    def says_something(self) -> bool:
        """Whether anything in the prompt can be drawn."""
        return bool(self.objects or self.ground or self.sky)


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
    for slot, value, words in _tokens(prompt):
        reader.take(slot, value, words)
    return reader.finish()


def _tokens(prompt: str) -> list[tuple[str, object, str]]:
    """Split into (slot, value, words), longest phrases first; unknown words get slot ``"?"``."""
    words = words_of(prompt)
    tokens: list[tuple[str, object, str]] = []
    at = 0
    while at < len(words):
        if _is_toy(words, at):
            tokens.append((*LEXICON["ball"], "ball"))
            at += 1
            continue
        phrase = phrase_at(words, at)
        if phrase == "behind" and words[at - 1 : at] == ["from"]:
            tokens.append(("?", "from behind", phrase))  # where the camera stands
        elif phrase in LEXICON:
            slot, value = LEXICON[phrase]
            tokens.append((slot, phrase if slot == "place" else value, phrase))
        elif phrase not in FILLER:
            tokens.append(("?", phrase, phrase))
        elif phrase == "into":
            tokens.append(("into", None, phrase))
        elif phrase in _ENDS:
            tokens.append(("end", None, phrase))
        at += len(phrase.split())
    return tokens


def _is_toy(words: list[str], at: int) -> bool:
    """Whether a "marble" is the toy, and not what something moves upon: it moves itself."""

    def slot(place: int) -> str:
        return LEXICON.get(words[place], ("", None))[0] if 0 <= place < len(words) else ""

    if words[at] != "marble" or slot(at + 1) != "motion":
        return False
    before = at - 1
    while slot(before) in _ADJECTIVES:
        before -= 1
    return before < 0 or words[before] not in _UPON


# Arrangements side by side; more would not fit a picture.
_MOST_GROUPS = 4
# Motions that end in a collision if something is in the way.
_CAN_HIT = {"roll", "slide", "throw", "tumble", "bounce"}
# What comes in between leaves a place without what it is beside.
_ENDING = ("camera", "direction", "into", "surface")
_KIND_OF_GROUND = {"wood": "wood", "marble": "marble", "glossy": "gloss", "mirror": "gloss"}


@dataclass
class _Reader:
    """The state of the grammar: adjectives that wait, objects that wait for a verb."""

    waiting: dict[str, Any] = field(default_factory=dict)
    materials: list[str] = field(default_factory=list)
    # the words of all that waits, by slot; the words of the token that is taken
    said: dict[str, str] = field(default_factory=dict)
    words: str = ""
    objects: list[ObjectPhrase] = field(default_factory=list)
    early_motion: str | None = None
    # index of the first object that has no verb yet
    verbless_from: int = 0
    moved: range = field(default_factory=lambda: range(0))
    # objects that were said to move into what comes next
    aimed: range = field(default_factory=lambda: range(0))
    # objects of the latest noun, of which a place may tell
    latest: range = field(default_factory=lambda: range(0))
    # who stands beside what comes next, and whether its words were unknown once before
    beside: tuple[Relation, bool] | None = None
    # an unknown word came since: "left of a cat, a cube" is beside the cat
    strange: bool = False
    # how many arrangements of the same kind, "two towers of cubes"
    groups: int = 1
    reading: PromptReading = field(default_factory=PromptReading)

    def take(self, slot: str, value: object, words: str) -> None:
        self.words = words
        if slot in _ENDING:
            self._on_end(value)
        if slot == "count" and self.strange:
            self.beside = None
        self.strange = slot == "?" or (self.strange and slot not in ("count", "place"))
        name = slot.replace(" ", "_").replace("?", "unknown")
        getattr(self, f"_on_{name}")(value)

    def finish(self) -> PromptReading:
        if self.early_motion and self.objects:
            self._move(self.early_motion)
        for slot in tuple(self.said):
            self._lose(slot)
        return replace(self.reading, objects=tuple(self.objects))

    def _wait(self, slot: str, value: object) -> None:
        if self.waiting.get(slot, value) != value:
            self._lose(slot)
        self.waiting[slot] = value
        self.said[slot] = self.words

    def _lose(self, slot: str) -> None:
        """Remember words that describe nothing; an article says nothing by itself."""
        words = self.said.pop(slot, "")
        if words and words not in _ARTICLES and words not in self.reading.unused:
            self.reading = replace(self.reading, unused=(*self.reading.unused, words))

    def _clear(self) -> None:
        self.waiting.clear()
        self.said.clear()
        self.materials.clear()
        self.groups = 1

    def _on_colour(self, value: object) -> None:
        self._wait("colour", value)

    def _on_count(self, value: object) -> None:
        # "a tower of five cubes": the number counts, the article does not take it back
        if value != 1 or "count" not in self.waiting:
            self._wait("count", value)

    def _on_size(self, value: object) -> None:
        self._wait("proportion" if isinstance(value, str) else "size", value)

    def _on_material(self, value: object) -> None:
        self.materials.append(str(value))
        self.said[f"material {value}"] = self.words

    def _on_pattern(self, value: object) -> None:
        self._wait("pattern", value)

    def _on_arrangement(self, value: object) -> None:
        self.waiting.pop("count", None)
        self.said.pop("count", None)
        self._wait("arrangement", value)

    def _on_arrangement_plural(self, value: object) -> None:
        self.groups = min(int(self.waiting.pop("count", 2)), _MOST_GROUPS)
        self.said.pop("count", None)
        self._wait("arrangement", value)

    def _on_shape(self, value: object) -> None:
        self._add_object(str(value), plural=False)

    def _on_shape_plural(self, value: object) -> None:
        self._add_object(str(value), plural=True)

    def _add_object(self, shape: str, *, plural: bool) -> None:
        phrase = ObjectPhrase(
            shape=shape, plural=plural, materials=tuple(self.materials), **self.waiting
        )
        groups = [replace(phrase) for _ in range(self.groups)]
        self._clear()
        for i in self.aimed:
            if self.objects[i].motion in _CAN_HIT:
                self.objects[i] = replace(self.objects[i], motion="collide")
        self.aimed = range(0)
        self.objects += groups
        self.latest = range(len(self.objects) - len(groups), len(self.objects))
        self._relate()
        if self.early_motion is not None:
            self.verbless_from = self.latest.start
            self._move(self.early_motion)

    def _on_place(self, value: object) -> None:
        words = str(value)
        twice = words in self.reading.unknown
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
        relation = replace(waits, references=tuple(self.latest))
        self.reading = replace(self.reading, relations=(*self.reading.relations, relation))
        self._know(waits, twice)
        self.beside = None

    def _know(self, waits: Relation, twice: bool) -> None:
        """Take the words of a place back from the unknown ones, unless they were there before."""
        left = tuple(word for word in self.reading.unknown if twice or word != waits.words)
        self.reading = replace(self.reading, unknown=left)

    def _on_end(self, value: object) -> None:  # noqa: ARG002
        self.beside = None

    def _on_motion(self, value: object) -> None:
        # "a ball beside a rolling cube": the verb is the cube's
        if self.beside is None and self.verbless_from < len(self.objects):
            self._move(str(value))
        else:
            self.early_motion = str(value)

    def _move(self, motion: str) -> None:
        self.moved = range(self.verbless_from, len(self.objects))
        if not self.moved:  # a second verb for the same objects: the later one wins
            self.moved = range(max(len(self.objects) - 1, 0), len(self.objects))
        for i in self.moved:
            self.objects[i] = replace(self.objects[i], motion=motion)
        self.verbless_from = len(self.objects)
        self.early_motion = None

    def _on_direction(self, value: object) -> None:
        if self.early_motion is not None and self.objects:
            self._move(self.early_motion)
        for i in self.moved or range(len(self.objects)):
            self.objects[i] = replace(self.objects[i], direction=str(value))

    def _on_ground(self, value: object) -> None:
        self._set_ground(str(value))

    def _on_surface(self, value: object) -> None:  # noqa: ARG002
        if self.waiting.get("pattern") == "checkered":
            self._set_ground("checker")
        elif self.materials and self.materials[-1] in _KIND_OF_GROUND:
            self._set_ground(_KIND_OF_GROUND[self.materials[-1]])
        elif self.reading.ground is None or "colour" in self.waiting:
            self._set_ground(self.reading.ground or "plain")

    def _set_ground(self, kind: str) -> None:
        colour = self.waiting.get("colour")
        tint = str(colour) if colour is not None else self.reading.ground_colour
        self.aimed = range(0)
        if self.reading.ground not in (None, "plain") and kind == "plain":
            kind = str(self.reading.ground)
        self.reading = replace(self.reading, ground=kind, ground_colour=tint)
        self._clear()

    def _on_sky(self, value: object) -> None:
        known = self.reading.sky
        colour = self.waiting.get("colour")
        sky = str(value)
        if self.beside is not None and self.beside[0].side == "front":
            self._know(*self.beside)  # everything stands in front of the sky
        self.beside = None
        if sky == "day" and known is not None:
            sky = known
        if sky == "day" and colour in ("grey", "white"):
            sky = "overcast"
        if sky == "day" and colour in ("black", "navy"):
            sky = "night"
        if sky == "day" and colour in ("red", "orange", "pink", "purple", "gold"):
            sky = "sunset"
        self.reading = replace(self.reading, sky=sky)
        self._clear()

    def _on_camera(self, value: object) -> None:
        self.reading = replace(self.reading, camera=(*self.reading.camera, str(value)))
        self._clear()

    def _on_physics(self, value: object) -> None:
        self.reading = replace(self.reading, physics=(*self.reading.physics, str(value)))

    def _on_into(self, value: object) -> None:  # noqa: ARG002
        """Remember who is on the way: "rolling into a cube" hits it, "into the snow" does not."""
        self.aimed = self.moved

    def _on_unknown(self, value: object) -> None:
        if value not in self.reading.unknown:
            self.reading = replace(self.reading, unknown=(*self.reading.unknown, str(value)))
