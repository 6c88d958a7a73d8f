"""Who may do what at the resolution API: bearer tokens with the specification's scopes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from starlette.requests import Request

from vidigree.detect.service.refusals import RefusalError
from vidigree.media.errors import UsageError

__all__ = ["SCOPES", "Scope", "ScopedTokens"]

Scope = Literal["fetch:manifests", "store:manifests", "store:bindings"]
SCOPES: tuple[Scope, ...] = ("fetch:manifests", "store:manifests", "store:bindings")

_LEAST_TOKEN = 20


@dataclass(frozen=True, kw_only=True)
class ScopedTokens:
    """Bearer tokens, kept as hashes. Without any, everybody may read and nobody may write.

    Attributes:
        scopes: SHA-256 of a token in hex, and what its holder may do.
        open_reading: Whether queries and manifests need no token.
    """

    scopes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    open_reading: bool = True

    @classmethod
    def from_text(cls, text: str, *, open_reading: bool = True) -> ScopedTokens:
        """Read one token a line, each followed by its scopes; ``#`` begins a comment.

        Raises:
            UsageError: A token is short enough to be guessed, or a scope is not known.
        """
        scopes: dict[str, frozenset[str]] = {}
        for number, line in enumerate(text.splitlines(), 1):
            words = line.partition("#")[0].split()
            if not words:
                continue
            if len(words[0]) < _LEAST_TOKEN:
                raise UsageError(f"The token in line {number} has under {_LEAST_TOKEN} characters.")
            unknown = set(words[1:]) - set(SCOPES)
            if unknown or not words[1:]:
                raise UsageError(
                    f"The token in line {number} needs known scopes.",
                    hint=f"Known: {', '.join(SCOPES)}.",
                )
            scopes[_digest(words[0])] = frozenset(words[1:])
        return cls(scopes=scopes, open_reading=open_reading)

    def require(self, request: Request, scope: Scope) -> None:
        """Let a request pass that may do this.

        Raises:
            RefusalError: It carries no valid token (401), or one for other things (403).
        """
        if scope == "fetch:manifests" and self.open_reading:
            return
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        held = self._held(token.strip()) if scheme.lower() == "bearer" else None
        if held is None:
            raise RefusalError(
                401,
                "TokenRequired",
                f"This needs a token with the scope {scope}.",
                hint="Send it as 'Authorization: Bearer <token>'.",
            )
        if scope not in held:
            raise RefusalError(403, "WrongScope", f"This token has not the scope {scope}.")

    def _held(self, token: str) -> frozenset[str] | None:
        digest, held = _digest(token), None
        for known, scopes in self.scopes.items():
            if hmac.compare_digest(known, digest):
                held = scopes
        return held


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
