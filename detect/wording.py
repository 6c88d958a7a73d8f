"""The words for findings, reasons and evidence, in the languages under ``detect/texts``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from vidigree.detect.evidence import Evidence
from vidigree.detect.findings import Finding
from vidigree.media.errors import UsageError

__all__ = ["LANGUAGES", "Wording", "wording"]

LANGUAGES = ("en", "zh")


class _Blank(dict[str, Any]):
    """Leaves a placeholder without a value empty: a missing fact must not cost the verdict."""

    def __missing__(self, key: str) -> str:
        return ""


class Wording:
    """All words in one language.

    Args:
        table: The parsed text file.
    """

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table = table

    def title(self, finding: Finding) -> str:
        """Return the finding in a few words."""
        return str(self._table["finding"][finding.value]["title"])

    def advice(self, finding: Finding) -> str:
        """Return what a person should do with the finding, in one sentence."""
        return str(self._table["finding"][finding.value]["advice"])

    def confidence(self, level: str) -> str:
        """Return the name of a level of confidence."""
        return str(self._table["confidence"][level])

    def layer(self, name: str) -> str:
        """Return the name of a layer."""
        return str(self._table["layer"][name])

    def reason(self, name: str, values: Mapping[str, Any]) -> str:
        """Return the reason of a row of the truth table in one sentence."""
        return _fill(self._table["reason"][name], self._in_words(values))

    def says(self, piece: Evidence) -> str:
        """Return what was seen."""
        return _fill(self._code(piece)["says"], self._in_words(piece.values))

    def proves(self, piece: Evidence) -> str:
        """Return what the evidence proves."""
        return str(self._code(piece)["proves"])

    def does_not_prove(self, piece: Evidence) -> str:
        """Return what the evidence does not prove."""
        return str(self._code(piece)["not"])

    def value(self, name: str) -> str:
        """Return a reading of the credentials in words; one without words as it is."""
        return str(self._table["value"].get(name, name))

    def decision(self, decision: Mapping[str, Any]) -> str:
        """Return what a policy says, in one sentence; its reason as the policy has it."""
        action = self.action(str(decision["action"]))
        return self.text("decision", **(dict(decision) | {"action": action}))

    def action(self, name: str) -> str:
        """Return what a policy says to do in a word or two."""
        return str(self._table["action"].get(name, name))

    def text(self, name: str, **values: Any) -> str:
        """Return a phrase of the reports and of the web page."""
        return _fill(self._table["text"][name], values)

    @property
    def table(self) -> Mapping[str, Any]:
        """The whole table, for the web page."""
        return self._table

    def _in_words(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Replace codes by words: why the classifier abstains, claimed sources, layers."""
        words: dict[str, Any] = dict(values)
        if words.get("why") in self._table["abstention"]:
            words["why"] = self._table["abstention"][words["why"]]
        if words.get("source"):
            words["source"] = self.value(str(words["source"]))
        if words.get("layers"):
            layers = self._table["layer"]
            parts = str(words["layers"]).split(", ")
            names = (str(layers.get(part) or self.value(part)) for part in parts)
            words["layers"] = ", ".join(names)
        return words

    def _code(self, piece: Evidence) -> Mapping[str, str]:
        codes: Mapping[str, Mapping[str, str]] = self._table["code"]
        specific = codes.get(piece.code)
        if specific is not None:
            return specific
        return codes[piece.code.partition(".")[2]]  # "not-checked", "left-out": one for all layers


@cache
def wording(language: str = "en") -> Wording:
    """Return the words of a language.

    Args:
        language: One of :data:`LANGUAGES`.

    Raises:
        UsageError: There are no texts in that language.
    """
    if language not in LANGUAGES:
        raise UsageError(
            f"There are no texts in language {language!r}.", hint=f"Known: {', '.join(LANGUAGES)}."
        )
    source = resources.files("vidigree.detect") / "texts" / f"{language}.toml"
    return Wording(tomllib.loads(source.read_text(encoding="utf-8")))


def _fill(template: str, values: Mapping[str, Any]) -> str:
    return " ".join(template.format_map(_Blank(values)).split())
