"""Limits on bodies that the framework parses: it would read them whole, however large and slow."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from vidigree.detect.service.receiving import UploadLimits, receive_body

__all__ = ["BODY_LIMITS", "BoundedRoute"]

BODY_LIMITS = UploadLimits(max_bytes=1 << 20, max_seconds=60.0, idle_seconds=20.0)
"""Limits on a body that is parsed: JSON of a few fields."""


class BoundedRoute(APIRoute):
    """Reads the body with limits before the framework does; routes without a model do it alone."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def read_first(request: Request) -> Response:
            """Raises a RefusalError for a body that is too large, too slow or cut off."""
            body = await receive_body(request, BODY_LIMITS)
            read: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

            async def replay() -> Message:
                return read.pop() if read else await request.receive()

            return await handle(Request(request.scope, replay))

        return read_first
