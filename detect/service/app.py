"""Puts the service together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vidigree import __version__
from vidigree.detect.service import audit_routes, operation_routes, page_routes
from vidigree.detect.service.context import ServiceContext, context_of
from vidigree.detect.service.gate import Gate
from vidigree.detect.service.openapi_texts import DESCRIPTION, as_it_is
from vidigree.detect.service.refusals import RefusalError, allowed_methods
from vidigree.detect.service.resolution_mount import mount_resolution
from vidigree.detect.service.settings import ServiceSettings
from vidigree.media.errors import UsageError, VidigreeError

__all__ = ["create_app"]

_ROUTERS = (audit_routes.router, operation_routes.router, page_routes.router)
_DRAIN_BYTES = 4 << 20
_DRAIN_SECONDS = 2.0


def create_app(settings: ServiceSettings | None = None) -> FastAPI:
    """Return the service as an ASGI application; its workers start with its lifespan.

    Args:
        settings: Of the service; ``None`` for the defaults.

    Raises:
        LedgerError: The database cannot be opened.
        OutputError: The spool folder cannot be used.
    """
    context = ServiceContext(settings or ServiceSettings())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        context.start()
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(context.stop)

    app = FastAPI(
        title="vidigree",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        # Their pages load scripts from elsewhere; the description itself is at /openapi.json.
        docs_url=None,
        redoc_url=None,
        # It would name this host as the caller spells it, by http behind a proxy with TLS: keys and
        # clips would be sent again in the clear.
        redirect_slashes=False,
    )
    app.state.context = context
    described = app.openapi
    app.openapi = lambda: as_it_is(described())  # type: ignore[method-assign]
    for router in _ROUTERS:
        app.include_router(router)
    mount_resolution(app, context)
    app.add_middleware(Gate, metrics=context.metrics, names=context.settings.host_names)
    app.add_exception_handler(RefusalError, _refuse)
    app.add_exception_handler(VidigreeError, _report)
    app.add_exception_handler(HTTPException, _report_http)
    return app


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusalError)  # noqa: S101 - registered for nothing else
    context_of(request).metrics.refuse(error.kind)
    await _drain(request)
    return JSONResponse(error.to_dict(), status_code=error.status, headers=error.headers)


async def _report(request: Request, error: Exception) -> Response:
    if isinstance(error, UsageError):
        refusal = RefusalError(400, "UsageError", error.message, hint=error.hint)
    else:  # the database or the disk: its details are for the log, not for the caller
        refusal = RefusalError(
            503, "Unavailable", "The service cannot do it just now.", retry_after=10
        )
        context_of(request).on_trouble(str(error))
    return await _refuse(request, refusal)


async def _report_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    kind = {404: "NoSuchPage", 405: "WrongMethod"}.get(status, "HttpError")
    slash = status == 404 and request.url.path.endswith("/")
    hint = "Leave out the slash at the end." if slash else ""
    refusal = RefusalError(status, kind, str(getattr(error, "detail", "")), hint=hint)
    answer = await _refuse(request, refusal)
    answer.headers.update(getattr(error, "headers", None) or {})
    if status == 405:
        routes = [route for router in _ROUTERS for route in router.routes]
        answer.headers.update(allowed_methods(routes, request.scope))
    return answer


async def _drain(request: Request) -> None:
    """Read some of the body that nobody wants.

    A client that is still sending when the connection closes may never see the answer; one that
    sends without end is cut off.
    """
    size = 0
    try:
        with anyio.move_on_after(_DRAIN_SECONDS):
            async for block in request.stream():
                size += len(block)
                if size > _DRAIN_BYTES:
                    return
    except Exception:  # noqa: BLE001 - read already, or the client is gone: then nobody waits
        return
