"""Around every request: security headers, a measurement, one line in the log, no traceback."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vidigree.detect.service.host_names import check_host
from vidigree.detect.service.journal import log_event
from vidigree.detect.service.metrics import ServiceMetrics
from vidigree.detect.service.refusals import RefusalError

__all__ = ["Gate"]

# Media from blobs: the player shows the file that was dropped. Pictures from data URLs: the film
# strip shows its thumbnails.
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; media-src blob:;"
    " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Frame-Options": "DENY",
}


class Gate:
    """ASGI middleware.

    Args:
        app: What answers the requests.
        metrics: Where requests are counted.
        names: By which the service may be asked; empty for all.
    """

    def __init__(self, app: ASGIApp, metrics: ServiceMetrics, names: Collection[str] = ()) -> None:
        self._app = app
        self._names = names
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and take note of the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, started = secrets.token_hex(8), time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                headers["X-Request-ID"] = request_id
            await send(message)

        try:
            try:
                _check_lengths(scope)
                if scope["path"] != "/healthz":  # balancers ask by address; no clip is told of
                    check_host(Headers(scope=scope).get("host", ""), self._names)
            except RefusalError as refusal:
                # Nobody reads its body, nor knows where that ends.
                await self._refuse(refusal, scope, receive, send_with_headers, close=True)
                return
            await self._app(scope, receive, send_with_headers)
        except asyncio.CancelledError:
            if status:
                raise
            # The server ends, and cuts off what it waited for long enough.
            log_event("request-cut-off", level=logging.WARNING, request_id=request_id)
            stopping = RefusalError(
                503,
                "Stopping",
                "The service is being stopped.",
                hint="Send the request again in a moment.",
                retry_after=10,
            )
            await self._refuse(stopping, scope, receive, send_with_headers)
        except Exception:
            log_event("request-failed", level=logging.ERROR, request_id=request_id)
            logging.getLogger("vidigree.service").exception("unexpected-error")
            if status == 0:
                error = {
                    "kind": "InternalError",
                    "message": "The service failed.",
                    "hint": f"Report it with the request id {request_id}.",
                }
                answer = JSONResponse({"error": error}, status_code=500)
                await answer(scope, receive, send_with_headers)
        finally:
            self._take_note(scope, request_id, status, time.perf_counter() - started)

    async def _refuse(
        self,
        refusal: RefusalError,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        close: bool = False,
    ) -> None:
        self._metrics.refuse(refusal.kind)
        headers = refusal.headers | ({"Connection": "close"} if close else {})
        await JSONResponse(refusal.to_dict(), refusal.status, headers)(scope, receive, send)

    def _take_note(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        # The pattern of the route, never the path: that may hold anything, a job's id for one.
        # Clients choose the method as well, and each one measured is kept for ever.
        path = getattr(scope.get("route"), "path", None)
        route = "unknown" if path is None else scope.get("root_path", "") + path
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
        log_event(
            "request",
            request_id=request_id,
            method=method,
            route=route,
            status=status,
            seconds=round(seconds, 4),
        )


def _check_lengths(scope: Scope) -> None:
    """Refuse a request that tells its length in two ways.

    A proxy that goes by the other one takes for a second request what is a body here, or the other
    way round (RFC 9112, section 6.3).
    """
    names = {name for name, _ in scope["headers"]}
    if {b"content-length", b"transfer-encoding"} <= names:
        raise RefusalError(
            400,
            "TwoLengths",
            "The request tells its length in two ways.",
            hint="Send Content-Length or Transfer-Encoding, not both.",
        )
