"""Adjectives that wait for their noun, and the words that end up nowhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["Adjectives", "Strays"]

_ARTICLES: Final = ("a", "an")


@dataclass
class Strays:
    """Words that do not end up in the picture, each once and in order; see ``PromptReading``."""

    unused: list[str] = field(default_factory=list)
    outdone: list[str] = field(default_factory=list)
    unmet: list[str] = field(default_factory=list)
    apart: list[str] = field(default_factory=list)

    def add(self, why: str, words: str) -> None:
        """Remember words that end up nowhere; an article says nothing by itself."""
        named: list[str] = getattr(self, why)
        if words and words not in _ARTICLES and words not in named:
            named.append(words)


@dataclass
class Adjectives:
    """What was said of the noun to come.

    Attributes:
        strays: Told of adjectives that describe nothing.
        waiting: Values by attribute of ``ObjectPhrase``, without the materials.
        materials: In order.
        said: The words of all these; each material has a key of its own.
    """

    strays: Strays
    waiting: dict[str, Any] = field(default_factory=dict)
    materials: list[str] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)

    def wait(self, slot: str, value: object, words: str) -> None:
        """Keep an adjective; another of its kind that waits describes nothing."""
        if self.waiting.get(slot, value) != value:
            self.lose(slot)
        self.waiting[slot] = value
        self.said[slot] = words

    def wait_material(self, value: str, words: str) -> None:
        """Keep a material; things may have several."""
        self.materials.append(value)
        self.said[f"material {value}"] = words

    def take(self, slot: str) -> tuple[Any, str]:
        """Return and forget the value that waits, ``None`` without, and its words."""
        return self.waiting.pop(slot, None), self.said.pop(slot, "")

    def lose(self, slot: str) -> None:
        """Name the words of a slot as describing nothing."""
        self.strays.add("unused", self.said.pop(slot, ""))

    def lose_all(self) -> None:
        """Forget all that wait, as the noun has no such thing; a ground is one anyway."""
        if self.waiting.get("count") == 1:
            self.said.pop("count", None)
        for words in self.said.values():
            self.strays.add("unmet", words)
        self.clear()

    def clear(self) -> None:
        """Forget all that wait."""
        self.waiting.clear()
        self.materials.clear()
        self.said.clear()
