"""What the service answers instead of an audit: a status, what happened, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.routing import BaseRoute, Match
from starlette.types import Scope

__all__ = ["RefusalError", "allowed_methods", "queue_full", "too_many_at_once"]


class RefusalError(Exception):
    """A request that is not carried out.

    Args:
        status: HTTP status code.
        kind: Stable name for programs.
        message: What could not be done, and why.
        hint: What to do next.
        retry_after: Seconds after which it is worth another try; 0 if it never is.
    """

    def __init__(
        self, status: int, kind: str, message: str, *, hint: str = "", retry_after: float = 0
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.hint = hint
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer."""
        headers = {"Retry-After": f"{max(1, round(self.retry_after))}"} if self.retry_after else {}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return headers

    def to_dict(self) -> dict[str, Any]:
        """Return the body of the answer."""
        return {"error": {"kind": self.kind, "message": self.message, "hint": self.hint}}


def queue_full() -> RefusalError:
    """Return what is raised where as many wait as may."""
    return RefusalError(
        429,
        "QueueFull",
        "All places in the queue are taken.",
        hint="Try again later.",
        retry_after=10,
    )


def too_many_at_once(most: int) -> RefusalError:
    """Return what is raised where one caller has as many places as one may have.

    Args:
        most: How many that are.
    """
    clips = "1 clip of yours is" if most == 1 else f"{most} clips of yours are"
    return RefusalError(
        429,
        "TooManyAtOnce",
        f"{clips} not finished yet.",
        hint="Send the next one when one of them is through.",
        retry_after=10,
    )


def allowed_methods(routes: Iterable[BaseRoute], scope: Scope) -> dict[str, str]:
    """Return the header that goes with 405: all methods of all routes of the path.

    The framework's own names those of the first route alone.
    """
    here = (route for route in routes if route.matches(scope)[0] is not Match.NONE)
    methods = {method for route in here for method in getattr(route, "methods", None) or ()}
    return {"Allow": ", ".join(sorted(methods))} if methods else {}
