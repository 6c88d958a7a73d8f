"""One small registry for every plug-in seam: engines, watermarks, feature groups, signers."""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
from collections.abc import Iterator
from typing import Generic, TypeVar, cast

from vidigree.media.errors import UsageError

__all__ = ["Registry"]

T = TypeVar("T")


class Registry(Generic[T]):
    """Names mapped to objects that are imported only when they are asked for.

    Args:
        kind: What is registered, in the singular, for messages: ``"engine"``.
        entry_point_group: Group under which other packages add entries; ``None`` for a closed list.

    Example:
        >>> from vidigree.media import Registry
        >>> codecs: Registry[object] = Registry("codec")
        >>> codecs.add("json", "json:loads")
        >>> codecs.names()
        ['json']
    """

    def __init__(self, kind: str, entry_point_group: str | None = None) -> None:
        self.kind = kind
        self._group = entry_point_group
        self._targets: dict[str, str] = {}
        self._scanned = entry_point_group is None
        self._foreign: set[str] = set()

    def add(self, name: str, target: str) -> None:
        """Register ``target`` (``"package.module:attribute"``) under ``name``.

        Raises:
            UsageError: The name is taken by another target.
        """
        known = self._targets.get(name)
        if known is not None and known != target:
            raise UsageError(
                f"The {self.kind} name {name!r} of {target} is already taken by {known}.",
                hint=f"Mend or remove the package that has {target}.",
            )
        self._targets[name] = target

    def names(self) -> list[str]:
        """Return all names, sorted; nothing is imported.

        Raises:
            UsageError: Another package takes a name that is taken.
        """
        self._scan()
        return sorted(self._targets)

    def get(self, name: str) -> T:
        """Import and return the entry called ``name``.

        Raises:
            UsageError: There is no such entry, and the message names the closest one; or it is of
                another package and fails when it is imported; or another package takes a name that
                is taken.
        """
        self._scan()
        target = self._targets.get(name)
        if target is None:
            close = difflib.get_close_matches(name, self._targets, n=1)
            hint = f"Did you mean {close[0]!r}? " if close else ""
            raise UsageError(
                f"There is no {self.kind} called {name!r}.",
                hint=f"{hint}Known: {', '.join(self.names())}.",
            )
        module, _, attribute = target.partition(":")
        try:
            return cast("T", getattr(importlib.import_module(module), attribute))
        except Exception as error:
            if name not in self._foreign:
                raise
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise UsageError(
                f"The {self.kind} {name!r} of another package cannot be imported ({reason}).",
                hint=f"Mend or remove the package that has {target}.",
            ) from error

    def __contains__(self, name: object) -> bool:
        self._scan()
        return name in self._targets

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def _scan(self) -> None:
        if self._scanned or self._group is None:
            return
        own = set(self._targets) - self._foreign
        for point in importlib.metadata.entry_points(group=self._group):
            self.add(point.name, point.value)
            if point.name not in own:
                self._foreign.add(point.name)
        self._scanned = True  # not before: a name that is taken is told each time
