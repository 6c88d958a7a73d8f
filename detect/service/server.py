"""The HTTP server, which tells the service when it begins to end."""

from __future__ import annotations

import socket

import uvicorn

from vidigree.detect.service.context import ServiceContext

__all__ = ["Server"]


class Server(uvicorn.Server):
    """Lets whoever waits for an audit go before it waits for all requests to end.

    Args:
        config: Of uvicorn.
        context: Of the service that is served.
    """

    def __init__(self, config: uvicorn.Config, context: ServiceContext) -> None:
        super().__init__(config)
        self._context = context

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End all requests, then the service."""
        self._context.leave()
        await super().shutdown(sockets)
