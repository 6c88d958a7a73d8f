"""What a prompt was understood to ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["ObjectPhrase", "PromptReading", "Relation"]


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
        said: The words of the prompt for these, by the name of the attribute.
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
    said: Mapping[str, str] = field(default_factory=dict, compare=False)


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
        physics: ``"slow"``, ``"fast"``, ``"low gravity"``, ``"moon"``, ``"weightless"``,
            ``"space"``, in order.
        relations: Where objects stand beside others, in order of mention.
        unknown: Words outside the vocabulary, and places without a thing before or after them, in
            order, each once.
        unused: Words of the vocabulary that describe nothing, as no noun comes after them ("the
            ball is red") or another of their kind comes before it ("red and blue balls"), in order.
        outdone: Words that cannot hold together with others for the same thing: a second motion or
            direction of a thing, a second ground, sky or view, in order.
        unmet: Words that do not go with what they are said of ("a striped lawn", "spinning up", the
            number of "nine towers"), in order.
        apart: Words that put one thing on, in or under another, in order.
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
    outdone: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()

    @property
    def says_something(self) -> bool:
        """Whether anything in the prompt can be drawn."""
        return bool(self.objects or self.ground or self.sky)
