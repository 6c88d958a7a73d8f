"""A say before generation: a list of refused terms, or any function of the request."""

from __future__ import annotations

import importlib
import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Protocol

from vidigree.generate.request import ClipRequest
from vidigree.media.errors import OutputError, PolicyRefusalError, UsageError, VidigreeError
from vidigree.media.home import home_folder

__all__ = ["CallablePolicy", "Policy", "TermPolicy", "enforce", "load_policy"]

_OVERLAY = 1
"""Combining class of strokes through a letter."""

_SIGNS = frozenset({0, 7, 9})
"""Combining classes of vowel signs, nuktas and viramas."""

_GAP = "\0"
"""Stands for characters that are not seen; one of them itself."""

# Of other classes than formats and controls: joiner, fillers, what chooses a glyph's variant, and
# what Unicode keeps free for more of them.
_UNSEEN = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
            *(0x180B, 0x180C, 0x180D, 0x180F, *range(0xFE00, 0xFE10), *range(0xE0000, 0xE1000)),
            *(0x2065, *range(0xFFF0, 0xFFF9)),
        ),
    )
)


class Policy(Protocol):
    """Decides whether a request may be carried out."""

    @property
    def name(self) -> str:
        """What stands in the records: a file name or ``package.module:function``."""
        ...

    def refusal(self, request: ClipRequest) -> str | None:
        """Return the reason to refuse ``request``, or ``None`` to let it pass."""
        ...


@dataclass(frozen=True)
class TermPolicy:
    """Refuses prompts that hold a term.

    Terms match whole words, whatever the case, accents of compatibility forms and spaces between
    words; ``bomb`` does not match "bombastic". Characters that nobody sees hide no term, whether
    they stand within a word or between words.

    Attributes:
        name: Where the terms come from.
        terms: Words or phrases.
    """

    name: str
    terms: tuple[str, ...]

    def refusal(self, request: ClipRequest) -> str | None:
        """Return which term the prompt holds."""
        # With gaps, each of which may stand within a word or part two; and without, as what a gap
        # kept apart may be one letter.
        texts = [_plain(request.prompt, gap) for gap in (_GAP, "")]
        for term in self.terms:
            pattern = _pattern(term)
            if pattern and any(_holds(text, pattern) for text in texts):
                return f"the prompt holds the refused term {term!r}"
        return None


@dataclass(frozen=True)
class CallablePolicy:
    """Asks a function: ``None`` or an empty string lets a request pass, a text is the reason.

    Attributes:
        name: ``package.module:function``.
        decide: The function.
    """

    name: str
    decide: Callable[[ClipRequest], str | None]

    def refusal(self, request: ClipRequest) -> str | None:
        """Return what the function says.

        Raises:
            PolicyRefusalError: The function failed, so nobody allowed the request.
        """
        try:
            return self.decide(request) or None
        except VidigreeError:
            raise
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise PolicyRefusalError(
                f"The policy {self.name} failed ({reason}), so nothing was generated.",
                hint="Correct it: it must take a ClipRequest and return None or a reason.",
            ) from error


def load_policy(source: str) -> Policy:
    """Load a policy.

    Args:
        source: A text file with one term a line (``#`` begins a comment), or
            ``package.module:function``, which is imported.

    Raises:
        UsageError: There is no such file or function, or the file holds no terms.
    """
    path = Path(source)
    # Not Path.is_file, which raises for names that no file can have.
    if os.path.isfile(path):  # noqa: PTH113
        return TermPolicy(path.name, tuple(_terms(path)))
    module, separator, function = source.partition(":")
    if not separator:
        raise UsageError(
            f"There is no policy file {source}.",
            hint="Check the path, or give package.module:function.",
        )
    try:
        decide = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(
            f"The policy {source} cannot be imported: {error}.",
            hint="Install it, or set PYTHONPATH.",
        ) from error
    except Exception as error:  # the user's module, run for the first time, may raise anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(
            f"The policy {source} cannot be imported ({reason}).", hint="Mend the module."
        ) from error
    if not callable(decide):
        raise UsageError(
            f"The policy {source} is no function.",
            hint="Name one that returns a reason to refuse, or None.",
        )
    return CallablePolicy(source, decide)


def enforce(policy: Policy, request: ClipRequest) -> None:
    """Let ``request`` pass, or record its refusal and raise.

    The record, ``refusals.jsonl`` in the data folder, holds the hash of the prompt, not the prompt.

    Raises:
        PolicyRefusalError: The policy refused.
        OutputError: The refusal could not be recorded.
    """
    reason = policy.refusal(request)
    if reason is None:
        return
    row = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "policy": policy.name,
        "reason": reason,
        "prompt_sha256": request.prompt_sha256,
        "engine": request.engine,
        "model": request.model,
    }
    path = home_folder() / "refusals.jsonl"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")
    except OSError as error:
        raise OutputError(f"The refusal cannot be recorded in {path}: {error}.") from error
    raise PolicyRefusalError(
        f"The policy {policy.name} refused: {reason}.", hint="Nothing was generated."
    )


def _terms(path: Path) -> Iterable[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The policy file {path} cannot be read as UTF-8 text.",
            hint="Write one refused term a line.",
        ) from error
    terms = [line.partition("#")[0].strip() for line in lines]
    terms = [term for term in terms if _plain(term)]
    if not terms:
        raise UsageError(f"The policy file {path} holds no terms.", hint="Write one term a line.")
    return terms


@lru_cache(maxsize=1 << 14)
def _pattern(term: str) -> re.Pattern[str] | None:
    """Return what finds a term in plain text with or without gaps; ``None`` for no term at all."""
    words = [f"{_GAP}?".join(map(re.escape, word)) for word in _plain(term).split()]
    return re.compile(rf"(?<!\w){f'[ {_GAP}]+'.join(words)}(?!\w)") if words else None


def _holds(text: str, pattern: re.Pattern[str]) -> bool:
    """Say whether what a pattern finds in a text begins and ends there as a word."""
    return any(
        not _goes_on(text, found.start()) and not _goes_on(text, found.end())
        for found in pattern.finditer(text)
    )


def _goes_on(text: str, place: int) -> bool:
    """Say whether a vowel sign or a virama stands at or before a place amid a word.

    They are no letters to Python, unlike what they are signs of. Marks of another script than what
    is beside them make no word of it.
    """
    if not 0 < place < len(text):
        return False
    before, after = text[place - 1], text[place]
    if not (_is_sign(before) or _is_sign(after)):
        return False
    return all(_is_sign(one) or one.isalnum() for one in (before, after)) and (
        _script(before) == _script(after)
    )


def _is_sign(character: str) -> bool:
    marks = {"Mc", "Mn"}
    return unicodedata.category(character) in marks and unicodedata.combining(character) in _SIGNS


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


def _plain(text: str, gap: str = "") -> str:
    """Return text in one dress, with ``gap`` in place of the characters that are not seen."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    runs = groupby(folded, _is_unseen)
    seen = "".join(gap if unseen else "".join(run) for unseen, run in runs)
    return " ".join(unicodedata.normalize("NFKC", seen).split())


def _is_unseen(character: str) -> bool:
    """Say whether a character is not seen by itself: formats, controls, selectors, overlays."""
    if character in _UNSEEN or unicodedata.combining(character) == _OVERLAY:
        return True
    return unicodedata.category(character) in {"Cf", "Cc"} and not character.isspace()
