"""The HTTP server: it waits for no one for ever, and tells the service when it begins to end."""

from __future__ import annotations

import asyncio
import socket

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from vidigree.detect.service.context import ServiceContext

__all__ = ["Connection", "Server", "configured"]

_REQUEST_SECONDS = 20.0
_ANSWER_SECONDS = 300.0


class Connection(H11Protocol):
    """Hangs up on who does not send a whole head of a request in time, or does not read the answer.

    uvicorn itself waits for ever for both: a single client could so take all connections that the
    system gives a process.
    """

    _late: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._relax()
        self._read_again()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait until the client has read what was sent."""
        super().pause_writing()
        self._unread = self.loop.call_later(_ANSWER_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on sending."""
        self._read_again()
        super().resume_writing()

    def handle_events(self) -> None:
        """Go on; once a request is being answered, it has limits of its own."""
        super().handle_events()
        if not self._idle:
            self._relax()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._expect()
        super().on_response_complete()

    @property
    def _idle(self) -> bool:
        return bool(getattr(self.cycle, "response_complete", True))  # None before the first

    def _expect(self) -> None:
        self._relax()
        self._late = self.loop.call_later(_REQUEST_SECONDS, self._hang_up)

    def _relax(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _read_again(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _hang_up(self) -> None:
        if self._idle:
            self.transport.close()  # once all is sent, which who does not read prevents
            self._late = self.loop.call_later(_ANSWER_SECONDS, self.transport.abort)


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


def configured(app: FastAPI, proxies: list[str] | None) -> uvicorn.Config:
    """Return how uvicorn serves the service.

    Args:
        app: The service.
        proxies: Whose ``X-Forwarded-For`` is believed; ``None`` for nobody's.
    """
    return uvicorn.Config(
        app,
        http=Connection,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=proxies is not None,
        forwarded_allow_ips=proxies,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=10,
    )
