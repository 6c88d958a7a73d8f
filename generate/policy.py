"""A say before generation: a list of refused terms, or any function of the request."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from vidigree.generate.request import ClipRequest
from vidigree.generate.terms import read_prose, read_term
from vidigree.media.arguments import path_of
from vidigree.media.errors import OutputError, PolicyRefusalError, UsageError, VidigreeError
from vidigree.media.home import home_folder

__all__ = ["CallablePolicy", "Policy", "TermPolicy", "enforce", "load_policy"]


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
    """Refuses prompts that hold a term, and options that do.

    Terms match whole words, whatever their case and the dress that Unicode has for their letters;
    ``bomb`` does not match "bombastic". ``docs/generate.md`` tells what is found and what is not.

    Attributes:
        name: Where the terms come from.
        terms: Words or phrases.
    """

    name: str
    terms: tuple[str, ...]

    def refusal(self, request: ClipRequest) -> str | None:
        """Return which term the request holds."""
        prompt, *others = [read_prose(text) for text in (request.prompt, *_said(request.options))]
        for text in self.terms:
            term = read_term(text)
            if term is None:
                continue
            if term.stands_in(prompt):
                return f"the prompt holds the refused term {text!r}"
            if any(map(term.stands_in, others)):
                return f"an option holds the refused term {text!r}"
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
    path = path_of(source, "policy")
    source = str(source)
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
    terms = [term for term in terms if read_term(term)]
    if not terms:
        raise UsageError(f"The policy file {path} holds no terms.", hint="Write one term a line.")
    return terms


def _said(options: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of options: some models take a second prompt or a template there."""
    waiting: list[Any] = [options]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, Sequence):
            waiting += value
