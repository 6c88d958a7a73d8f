"""What of a prompt does not end up in the picture, in sentences without their subject."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vidigree.generate.engines.render.looks import has_proportions
from vidigree.generate.engines.render.motions import STEERED, UNARRANGED
from vidigree.generate.engines.render.reading import ObjectPhrase, PromptReading
from vidigree.generate.engines.render.staging import settled
from vidigree.generate.engines.render.vocabulary import listed, not_drawn

__all__ = ["unheeded"]


def unheeded(reading: PromptReading) -> list[str]:
    """Return a sentence for each reason why words are not drawn, naming them."""
    groups, kept = settled(reading)
    moving = [each.words for each in reading.relations if each not in kept]
    unmet = [*reading.unmet, *(word for phrase in groups for word in _unmet(phrase))]
    told = not_drawn(reading.unknown)
    told += _told(
        reading.unused,
        "found nothing for {} to describe; drawn without. Put what describes a thing before its"
        " noun, and name each thing: 'a red ball, a blue ball'.",
    )
    told += _told(
        reading.outdone,
        "cannot draw {} together with what else is said of the same; drawn without. Give a thing"
        " one motion and one direction, and the clip one ground, sky and view.",
    )
    told += _told(unmet, "cannot draw {} with what it is said of; drawn without.")
    told += _told(
        reading.apart, "puts no thing on, in or under another ({}); they are drawn side by side."
    )
    told += _told(moving, "does not keep {}: what moves across does not stay there; drawn without.")
    return told


def _told(words: Iterable[str], sentence: str) -> list[str]:
    named = tuple(dict.fromkeys(words))
    return [sentence.format(listed(named))] if named else []


def _unmet(phrase: ObjectPhrase) -> Iterator[str]:
    """Yield the words of a settled phrase that its shape or motion has no room for."""
    motion, said = str(phrase.motion), phrase.said
    if phrase.direction and phrase.direction not in STEERED.get(motion, ()):
        yield said["direction"]
    if phrase.proportion and not has_proportions(phrase):
        yield said["proportion"]
    lined_up = phrase.arrangement == "row" and motion != "orbit"
    if "arrangement" in said and motion in UNARRANGED and not lined_up:
        yield said["arrangement"]
